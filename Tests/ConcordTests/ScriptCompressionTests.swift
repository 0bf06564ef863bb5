import TestSupport
import Testing

@testable import Concord

@Suite struct ScriptCompressionTests {
    static let x = CurvePointTests.x
    static let y = CurvePointTests.y
    static let otherY = CurvePointTests.otherY
    static let hash = "0102030405060708090a0b0c0d0e0f1011121314"

    static func compress(_ script: [UInt8]) -> [UInt8] {
        bytes { out in script.withBytes { ScriptCompression.append($0, to: &out) } }
    }

    static func decompress(_ compressed: [UInt8]) throws -> [UInt8]? {
        try compressed.withBytes { raw in
            var cursor = ByteCursor(raw)
            let script = try ScriptCompression.read(from: &cursor)
            try cursor.finish()
            var out = ByteBuffer()
            // What was there before is of no matter.
            out.append([1, 2, 3])
            return ScriptCompression.decompress(script, into: &out) ? [UInt8](out.bytes) : nil
        }
    }

    static func error(_ compressed: [UInt8]) -> ParseError? {
        #expect(throws: ParseError.self) { try decompress(compressed) }
    }

    @Test(arguments: [
        // P2PKH, P2SH.
        ("76a914\(hash)88ac", "00\(hash)"), ("a914\(hash)87", "01\(hash)"),
        // P2PK, compressed.
        ("2102\(x)ac", "02\(x)"), ("2103\(x)ac", "03\(x)"),
        // The key's x is no point, and it is compressed all the same: `IsToPubKey` looks at the first byte only.
        ("2102\(String(repeating: "0", count: 64))ac", "02\(String(repeating: "0", count: 64))"),
        ("2103\(String(repeating: "f", count: 64))ac", "03\(String(repeating: "f", count: 64))"),
        // P2PK, uncompressed, y even and odd.
        ("4104\(x)\(y)ac", "04\(x)"), ("4104\(x)\(otherY)ac", "05\(x)"),
    ])
    func shortForms(script: String, compressed: String) throws {
        #expect(Self.compress(hex(script)).hex == compressed)
        #expect(try Self.decompress(hex(compressed)) == hex(script))
    }

    @Test(arguments: [
        "", "51", "00", "76",
        // An uncompressed key that is no point; hybrid keys (BIP 66 left them alone, `CompressScript` does too).
        "4104\(x)\(x)ac", "4106\(x)\(y)ac", "4107\(x)\(otherY)ac", "4107\(x)\(y)ac",
        // A pushed key of another first byte, or of another length.
        "2104\(x)ac", "2100\(x)ac", "4102\(x)\(y)ac", "4103\(x)\(y)ac", "4105\(x)\(y)ac", "2002\(x)ac",
        "2202\(x)ac",
        // The right length with another operation at either end.
        "2102\(x)ad", "4104\(x)\(y)ad", "4004\(x)\(y)ac", "4204\(x)\(y)ac",
        "77a914\(hash)88ac", "76aa14\(hash)88ac", "76a913\(hash)88ac", "76a914\(hash)87ac",
        "76a914\(hash)88ad",
        "a814\(hash)0087", "aa14\(hash)87", "a913\(hash)87", "a914\(hash)88",
        // One byte less or more than a short form's script.
        "76a914\(hash)88", "76a914\(hash)88ac00", "a914\(hash)", "a914\(hash)8700", "2102\(x)",
        "2102\(x)ac00",
        "4104\(x)\(y)", "4104\(x)\(y)ac00",
        // Witness programs have no short form.
        "0014\(hash)", "0020\(x)", "5120\(x)", "51024e73",
    ])
    func anyOtherScriptStandsAsItIs(script: String) throws {
        let script = hex(script)
        let length = bytes { $0.appendVarInt(UInt64(script.count) + 6) }
        #expect(Self.compress(script) == length + script)
        #expect(try Self.decompress(length + script) == script)
    }

    /// VARINT grows at 128 and 16,512: at scripts of 122 bytes, and of more than can be in the set.
    @Test(arguments: [
        (0, "06"), (1, "07"), (121, "7f"), (122, "8000"), (123, "8001"), (252, "8102"), (253, "8103"),
        (9_999, "cd15"), (10_000, "cd16"), (10_001, "cd17"),
    ])
    func sizesAtTheEdges(count: Int, length: String) throws {
        let script = [UInt8](repeating: 0x51, count: count)
        let compressed = Self.compress(script)
        #expect(compressed == hex(length) + script)
        if count <= 10_000 {
            #expect(try Self.decompress(compressed) == script)
        } else {
            #expect(Self.error(compressed) == ParseError(.outOfRange("a script's length"), at: 0))
        }
    }

    @Test func scriptsThatCannotBeSpent() {
        let isUnspendable = { (script: [UInt8]) in script.withBytes { ScriptCompression.isUnspendable($0) } }
        #expect(isUnspendable([0x6a]) && isUnspendable([0x6a, 1, 2]))
        #expect(isUnspendable([UInt8](repeating: 0x51, count: 10_001)))
        #expect(!isUnspendable([UInt8](repeating: 0x51, count: 10_000)))
        #expect(!isUnspendable([]) && !isUnspendable([0x51, 0x6a]) && !isUnspendable([0x69]))
    }

    @Test func aShortFormOfNoPointUnfoldsToNothing() throws {
        let zero = String(repeating: "0", count: 64)
        #expect(try Self.decompress(hex("04" + zero)) == nil)
        #expect(try Self.decompress(hex("05" + String(repeating: "f", count: 64))) == nil)
        #expect(try Self.decompress(hex("02" + zero)) == hex("2102\(zero)ac"))
    }

    @Test(arguments: [
        "00\(hash)", "01\(hash)", "02\(x)", "05\(x)", "06", "0751",
        "8000" + String(repeating: "51", count: 122),
    ])
    func truncationAtEachByteIsRefused(compressed: String) {
        let whole = hex(compressed)
        for count in whole.indices {
            #expect(Self.error(Array(whole[..<count]))?.reason == .truncated, "\(count) bytes")
        }
        #expect(Self.error(whole + [0])?.reason == .trailingBytes)
    }

    @Test func hugeLengthsAreRefused() {
        for length in [10_007, 1 << 32, .max] as [UInt64] {
            let compressed = bytes { $0.appendVarInt(length) }
            #expect(Self.error(compressed) == ParseError(.outOfRange("a script's length"), at: 0))
        }
    }
}

extension ScriptCompressionTests {
    /// One script, one form: Bitcoin Core never writes a script in full that has a short form, and two trees that
    /// did it differently would dissent over the same coins.
    @Test(arguments: [
        "76a914\(hash)88ac", "a914\(hash)87", "2102\(x)ac", "2103\(String(repeating: "0", count: 64))ac",
        "4104\(x)\(y)ac", "4104\(x)\(otherY)ac",
    ])
    func theLongFormOfAShortOneIsRefused(script: String) {
        let script = hex(script)
        let long = bytes { $0.appendVarInt(UInt64(script.count) + 6) } + script
        #expect(
            Self.error(long) == ParseError(.malformed("has a script that is not in its short form"), at: 0))
    }

    /// The set has no such coin.
    @Test func scriptsThatCannotBeSpentAreRefused() {
        #expect(Self.error([7, 0x6a]) == ParseError(.malformed("has a script that cannot be spent"), at: 0))
        #expect(
            Self.error([8, 0x6a, 0]) == ParseError(.malformed("has a script that cannot be spent"), at: 0))
    }
}
