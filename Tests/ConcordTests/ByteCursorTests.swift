import Testing

@testable import Concord

@Suite struct ByteCursorTests {
    static func bytes(_ build: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        build(&buffer)
        return [UInt8](buffer.bytes)
    }

    static func compactSize(_ bytes: [UInt8]) throws(ParseError) -> UInt64 {
        try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            let value = try cursor.readCompactSize()
            try cursor.finish()
            return value
        }
    }

    static func varInt(_ bytes: [UInt8]) throws(ParseError) -> UInt64 {
        try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            let value = try cursor.readVarInt()
            try cursor.finish()
            return value
        }
    }

    /// Bitcoin Core's serialize_tests.cpp and the edges of each length.
    @Test(
        arguments: [
            (0, "00"), (252, "fc"), (253, "fdfd00"), (0xffff, "fdffff"), (0x10000, "fe00000100"),
            (0xffff_ffff, "feffffffff"), (0x1_0000_0000, "ff0000000001000000"), (.max, "ffffffffffffffffff"),
        ] as [(UInt64, String)])
    func compactSizeRoundTrip(value: UInt64, hex: String) throws {
        let bytes = Self.bytes { $0.appendCompactSize(value) }
        #expect(bytes.hex == hex)
        #expect(try Self.compactSize(bytes) == value)
    }

    @Test(arguments: ["fdfc00", "feffff0000", "ffffffffff00000000"])
    func longCompactSizeIsForbidden(hex: String) {
        #expect(throws: ParseError(.notCanonical, at: 0)) { try Self.compactSize([UInt8](hex: hex) ?? []) }
    }

    @Test(arguments: [("", 0), ("fd", 1), ("fdff", 1), ("fe000001", 1), ("ff", 1)])
    func truncatedCompactSizeSaysWhere(hex: String, offset: Int) {
        #expect(throws: ParseError(.truncated, at: offset)) { try Self.compactSize([UInt8](hex: hex) ?? []) }
    }

    /// The table in Bitcoin Core's serialize.h.
    @Test(
        arguments: [
            (0, "00"), (1, "01"), (127, "7f"), (128, "8000"), (255, "807f"), (256, "8100"), (16383, "fe7f"),
            (16384, "ff00"), (16511, "ff7f"), (65535, "82fe7f"), (1 << 32, "8efefeff00"),
            (.max, "80fefefefefefefefe7f"),
        ] as [(UInt64, String)])
    func varIntRoundTrip(value: UInt64, hex: String) throws {
        let bytes = Self.bytes { $0.appendVarInt(value) }
        #expect(bytes.hex == hex)
        #expect(try Self.varInt(bytes) == value)
    }

    @Test func varIntOverSixtyFourBitsIsForbidden() {
        let bytes: [UInt8] = [0x80, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xff, 0x00]
        #expect(throws: ParseError(.notCanonical, at: 0)) { try Self.varInt(bytes) }
        #expect(throws: ParseError(.truncated, at: 1)) { try Self.varInt([0xff]) }
    }

    @Test func aCountBeyondTheInputIsRefusedBeforeAnybodyAllocates() {
        let bytes: [UInt8] = [0xff, 0, 0, 0, 0, 0, 0, 0, 0x7f, 1, 2, 3]
        #expect(throws: ParseError(.truncated, at: 0)) {
            try bytes.withBytes { raw throws(ParseError) in
                var cursor = ByteCursor(raw)
                _ = try cursor.readCount(ofAtLeast: 1)
            }
        }
    }

    @Test func trailingBytesAreForbidden() {
        #expect(throws: ParseError(.trailingBytes, at: 1)) { try Self.compactSize([1, 2]) }
    }

    @Test func digestsPrintBothWaysAndOrderByBytes() throws {
        let digest = try #require(Digest(Array(0..<32)))
        #expect(digest.hex.hasPrefix("000102") && digest.hex.hasSuffix("1f"))
        #expect(digest.reversedHex.hasPrefix("1f1e"))
        #expect(Digest(hex: digest.hex) == digest)
        #expect(Digest(reversedHex: digest.reversedHex) == digest)
        #expect(Digest(hex: digest.hex.uppercased()) == nil)
        #expect(Digest.zero < digest)
        #expect(try #require(Digest(Array(repeating: 1, count: 32))) > digest)
        #expect(SHA256.hash("abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
