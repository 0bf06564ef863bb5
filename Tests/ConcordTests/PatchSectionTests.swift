import TestSupport
import Testing

@testable import Concord

@Suite struct PatchSectionTests {
    static func read(_ bytes: [UInt8]) throws(ParseError) -> (spent: [Outpoint], created: [Outpoint]) {
        try bytes.withBytes { raw throws(ParseError) in
            var section = try PatchSection(raw)
            var spent: [Outpoint] = []
            var created: [Outpoint] = []
            while let outpoint = try section.nextSpent() { spent.append(outpoint) }
            while let (outpoint, coin) = try section.nextCreated() {
                #expect(coin.index == outpoint.index)
                created.append(outpoint)
            }
            return (spent, created)
        }
    }

    static let a = String(repeating: "0a", count: 32)
    static let b = String(repeating: "0b", count: 32)
    static let coin = "02010751"

    @Test func oneZeroByteChangesNothing() throws {
        let (spent, created) = try Self.read([0])
        #expect(spent.isEmpty && created.isEmpty)
    }

    @Test func manyChangesComeBack() throws {
        var random = SeededRandom()
        for _ in 0..<20 {
            let spent = TestCoin.some(Int.random(in: 0...40, using: &random), using: &random).map(\.outpoint)
            let created = TestCoin.some(Int.random(in: 0...10, using: &random), using: &random)
            let read = try Self.read(section(spent: spent, created: created))
            #expect(read.spent == spent && read.created == created.map(\.outpoint), "seed \(random.seed)")
        }
    }

    @Test(
        arguments: [
            // No count at all; one not in its shortest form; more groups than the bytes can hold.
            ("", ParseError(.truncated, at: 0)),
            ("fd0000", ParseError(.notCanonical, at: 0)),
            ("02" + a + "01" + "00", ParseError(.truncated, at: 0)),
            ("ffffffffffffffff7f", ParseError(.truncated, at: 0)),
            // A group that spends nothing, or more than the bytes can hold.
            ("01" + a + "00" + "00", ParseError(.outOfRange("the number of spent outputs"), at: 34)),
            ("01" + a + "02" + "00", ParseError(.truncated, at: 33)),
            ("01" + a + "ffffffffffffffffff", ParseError(.truncated, at: 33)),
            // The same index twice, a smaller one, one over 32 bits, one not in its shortest form.
            ("01" + a + "02" + "0505", ParseError(.outOfOrder, at: 35)),
            ("01" + a + "02" + "0504", ParseError(.outOfOrder, at: 35)),
            ("01" + a + "01" + "ff0000000001000000", ParseError(.outOfRange("an output index"), at: 34)),
            ("01" + a + "01" + "fdfc00", ParseError(.notCanonical, at: 34)),
            // The same txid twice, a smaller one.
            ("02" + a + "01" + "00" + a + "01" + "01", ParseError(.outOfOrder, at: 68)),
            ("02" + b + "01" + "00" + a + "01" + "00", ParseError(.outOfOrder, at: 68)),
            // Created coins are held to the rules of a shard.
            ("00" + a + "00", ParseError(.outOfRange("the number of coins of a transaction"), at: 33)),
            ("00" + a + "02" + "05" + coin + "05" + coin, ParseError(.outOfOrder, at: 39)),
            ("00" + b + "01" + "00" + coin + a + "01" + "00" + coin, ParseError(.outOfOrder, at: 39)),
        ] as [(String, ParseError)])
    func whatTheFormatForbidsIsRefused(digits: String, error: ParseError) {
        #expect(throws: error) { try Self.read(hex(digits)) }
    }

    /// One coin that is created, with this code and script, in a tree of 16 shards.
    private func check(code: UInt32, script: [UInt8], height: Int, shard: Int) throws {
        let coin = TestCoin(
            outpoint: Outpoint(txid: Digest(every: 1), index: 7), code: code, amount: 5, script: script)
        try check(section(created: [coin]), height: height, shard: shard)
    }

    private func check(_ section: [UInt8], height: Int, shard: Int) throws {
        var buffer = ByteBuffer()
        let parameters = try #require(TreeParameters(checking: 16, epoch: 50))
        try section.withBytes {
            try PatchCheck.check($0, heights: height...height, shard: shard, of: parameters, script: &buffer)
        }
    }

    /// What no digest shows: of each coin the height, the script and its shard.
    @Test func createdCoinsBelongToTheBlockAndTheShard() throws {
        // FORMAT.md: of 16 shards, script 51 belongs to 5.
        for code in [200, 201] as [UInt32] { try check(code: code, script: [0x51], height: 100, shard: 5) }
        for (code, height, shard, words) in [
            (198, 100, 5, "height 99"), (202, 100, 5, "height 101"), (200, 100, 4, "another shard"),
        ] as [(UInt32, Int, Int, String)] {
            let error = #expect(throws: ParseError.self) {
                try check(code: code, script: [0x51], height: height, shard: shard)
            }
            #expect(error?.description.contains(words) == true && error?.offset == 1)
        }
        // A short form that names no point: x = 5 has none.
        var noPoint = hex("00" + Self.a + "01" + "07" + "02" + "01" + "04")
        noPoint += [UInt8](repeating: 0, count: 31) + [5]
        let error = #expect(throws: ParseError.self) { try check(noPoint, height: 1, shard: 0) }
        #expect(error?.description.contains("no point of the curve") == true)
        // Everything is read to its end.
        #expect(throws: ParseError(.outOfOrder, at: 35)) {
            try check(hex("01" + Self.a + "02" + "0505"), height: 1, shard: 0)
        }
        #expect(throws: ParseError.self) { try check([1, 2, 3], height: 1, shard: 0) }
    }

    @Test func indexesAreOrderedAsNumbers() throws {
        let (spent, _) = try Self.read(hex("01" + Self.a + "03" + "fc" + "fdff00" + "fd0001"))
        #expect(spent.map(\.index) == [252, 255, 256])
    }

    /// Bytes behind the end begin another group; they are refused unless they are one.
    @Test func trailingBytesAreForbidden() {
        let section = hex("01" + Self.a + "01" + "00" + Self.b + "01" + "00" + Self.coin)
        for count in 1..<32 {
            #expect(throws: ParseError(.truncated, at: section.count)) {
                try Self.read(section + [UInt8](repeating: 0xff, count: count))
            }
        }
        #expect(throws: ParseError.self) { try Self.read(section + [UInt8](repeating: 0, count: 100)) }
    }

    @Test func truncationAtEachByteIsRefused() throws {
        let section = hex(
            "02" + Self.a + "02" + "0001" + Self.b + "01" + "00" + Self.b + "01" + "07" + Self.coin)
        for count in section.indices {
            // Without created coins it is a whole section.
            if count == 70 { continue }
            let error = #expect(throws: ParseError.self) { try Self.read(Array(section[..<count])) }
            #expect(error?.reason == .truncated, "\(count) bytes")
        }
        #expect(try Self.read(Array(section[..<70])).created.isEmpty)
    }
}
