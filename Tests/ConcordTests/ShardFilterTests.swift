import TestSupport
import Testing

@testable import Concord

@Suite struct ShardFilterTests {
    static let block = Digest(every: 0x5a)

    static func filter(_ scripts: [[UInt8]]) -> [UInt8] {
        var builder = ShardFilter.Builder(block: block)
        for script in scripts { script.withBytes { builder.add($0) } }
        return bytes { builder.finish(to: &$0) }
    }

    static func read(_ bytes: [UInt8], coins: UInt64) throws(ParseError) -> ShardFilter {
        try ShardFilter(parsing: bytes, block: block, coins: coins)
    }

    /// Every script is in it, and of others one in 6,132.
    @Test func everyScriptAndFewOthers() throws {
        var random = SeededRandom()
        let scripts = (0..<5000).map { _ in random.bytes(Int.random(in: 1...40, using: &random)) } + [[]]
        let filter = Self.filter(scripts + scripts.prefix(700))
        let read = try Self.read(filter, coins: 5701)
        #expect(read.count == UInt64(Set(scripts).count))
        #expect(!read.mayHave(scripts).contains(false), "seed \(random.seed)")
        #expect(read.mayHave(Array(scripts[7..<8])) == [true] && read.mayHave([]) == [])
        let others = (0..<300_000).map { _ in random.bytes(41) }
        let hits = read.mayHave(others).count { $0 }
        // 49 are expected; five times the deviation either way.
        #expect((14...84).contains(hits), "\(hits), seed \(random.seed)")
        // 14.05 bits a script.
        #expect((1.74...1.77).contains(Double(filter.count) / Double(read.count)))
    }

    /// Whatever is gathered and put together on the way, the same bytes come out.
    @Test func manyCoinsOfFewScripts() {
        let scripts = (0..<40).map { [UInt8($0), 0x51] }
        let many = (0..<600_000).map { scripts[$0 % 40] }
        #expect(Self.filter(many) == Self.filter(scripts))
        // One builder, one shard after the other.
        var builder = ShardFilter.Builder(block: Self.block)
        for script in scripts { script.withBytes { builder.add($0) } }
        let first = bytes { builder.finish(to: &$0) }
        let none = bytes { builder.finish(to: &$0) }
        #expect(first == Self.filter(scripts) && none == [0])
    }

    @Test func aShardWithoutCoins() throws {
        #expect(Self.filter([]) == [0])
        #expect(try Self.read([0], coins: 0).mayHave([[], [1]]) == [false, false])
        for bad in [[], [0, 0], [1, 0, 0], [0xfd, 0, 0]] as [[UInt8]] {
            #expect(throws: ParseError.self) { try Self.read(bad, coins: 0) }
        }
    }

    @Test func whatTheDocumentRefuses() throws {
        let scripts = (0..<9).map { [UInt8($0)] }
        let good = Self.filter(scripts)
        #expect(throws: Never.self) { try Self.read(good, coins: 9) }
        // More scripts than coins, of a count that no memory holds too.
        #expect(throws: ParseError.self) { try Self.read(good, coins: 8) }
        let bomb = [0xff] + [UInt8](repeating: 0xff, count: 8)
        #expect(throws: ParseError(.outOfRange("the number of scripts"), at: 0)) {
            try Self.read(bomb, coins: 1 << 40)
        }
        for count in good.indices {
            #expect(throws: ParseError.self) { try Self.read(Array(good[..<count]), coins: 9) }
        }
        #expect(throws: ParseError.self) { try Self.read(good + [0], coins: 9) }
        #expect(throws: ParseError.self) { try Self.read(good + [UInt8](repeating: 0, count: 40), coins: 9) }
        // A value beyond all: ones without end.
        let ones = [1] + [UInt8](repeating: 0xff, count: 9) + [0]
        #expect(throws: ParseError.self) { try Self.read(ones, coins: 9) }
        // 6131 is the last value of one script.
        #expect(throws: Never.self) { try Self.read([1] + GolombSetTests.plain([6131], p: 12), coins: 1) }
        #expect(throws: ParseError.self) {
            try Self.read([1] + GolombSetTests.plain([6132], p: 12), coins: 1)
        }
        // Equal values stay.
        #expect(throws: Never.self) { try Self.read([2] + GolombSetTests.plain([5, 5], p: 12), coins: 2) }
        // Two bits of padding follow the 14 bits of this code.
        for bit in 0..<2 {
            var padded = [1] + GolombSetTests.plain([6131], p: 12)
            padded[padded.count - 1] ^= 1 << UInt8(bit)
            #expect(throws: ParseError.self, "bit \(bit)") { try Self.read(padded, coins: 1) }
        }
    }
}
