import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct CoinDifferenceTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    /// The difference of two shards with these coins.
    private func shards(_ own: [TestCoin], _ other: [TestCoin]) throws -> CoinDifference? {
        func reader(_ coins: [TestCoin], _ name: String) throws -> ShardReader {
            let bytes = TestCoin.encode(coins)
            return try ShardReader(
                try scratch.write(Zstd.frame(bytes), to: name),
                expected: ShardReaderTests.line(bytes, coins: coins.count))
        }
        return try CoinDifference(shard: 3, try reader(own, "own.zst"), try reader(other, "other.zst"))
    }

    private func sections(_ own: [UInt8], _ other: [UInt8]) throws -> CoinDifference? {
        try own.withBytes { own in
            try other.withBytes { other in try CoinDifference(shard: 3, own: own, other: other) }
        }
    }

    private static func expect(_ side: CoinDifference.Side?, _ coin: TestCoin?, isSpent: Bool = false) {
        #expect(side?.isSpent == isSpent)
        #expect(side?.coin?.height == coin.map { Int($0.code / 2) })
        #expect(side?.coin?.isCoinbase == coin.map { $0.code % 2 == 1 })
        #expect(side?.coin?.amount == coin?.amount)
        #expect(side?.coin?.script == coin?.script)
    }

    /// Whatever a coin is made of.
    private static let changes: [@Sendable (inout TestCoin) -> Void] = [
        { $0.amount = $0.amount == 0 ? 1 : $0.amount - 1 }, { $0.code ^= 1 }, { $0.code += 2 },
        { $0.script = [0x51, 0x52, UInt8($0.script.count & 0x7f)] },
    ]

    @Test func theFirstOfSeveral() throws {
        var random = SeededRandom()
        let coins = TestCoin.some(300, using: &random)
        #expect(try shards(coins, coins) == nil && shards([], []) == nil)
        for place in [0, 1, 150, 299] {
            for change in Self.changes {
                var others = coins
                change(&others[place])
                if place < 290 { others.remove(at: place + 5) }
                let difference = try shards(coins, others)
                #expect(difference?.shard == 3 && difference?.outpoint == coins[place].outpoint)
                Self.expect(difference?.own, coins[place])
                Self.expect(difference?.other, others[place])
            }
            var fewer = coins
            fewer.remove(at: place)
            let less = try shards(coins, fewer)
            #expect(less?.outpoint == coins[place].outpoint)
            Self.expect(less?.own, coins[place])
            Self.expect(less?.other, nil)
            let more = try shards(fewer, coins)
            #expect(more?.outpoint == coins[place].outpoint)
            Self.expect(more?.own, nil)
            Self.expect(more?.other, coins[place])
        }
        Self.expect(try shards(coins, [])?.own, coins[0])
    }

    @Test func aPatchThatCreatesAnotherCoin() throws {
        var random = SeededRandom()
        let coins = TestCoin.some(60, using: &random)
        let spent = coins[..<30].map(\.outpoint)
        let created = Array(coins[30...])
        let own = section(spent: spent, created: created)
        #expect(try sections(own, own) == nil && sections([0], [0]) == nil)
        for (place, change) in zip([0, 9, 20, 29], Self.changes) {
            var others = created
            change(&others[place])
            let difference = try sections(own, section(spent: spent, created: others))
            #expect(difference?.outpoint == created[place].outpoint)
            Self.expect(difference?.own, created[place])
            Self.expect(difference?.other, others[place])
        }
        Self.expect(try sections(own, [0])?.own, nil, isSpent: true)
        Self.expect(try sections([0], section(created: created))?.other, created[0])
    }

    @Test func aPatchThatSpendsAnotherOutpoint() throws {
        var random = SeededRandom()
        let coins = TestCoin.some(60, using: &random)
        // What is spent and what is created lies mixed in the order of outpoints.
        let spent = stride(from: 0, to: 60, by: 2).map { coins[$0].outpoint }
        let created = stride(from: 1, to: 60, by: 2).map { coins[$0] }
        let own = section(spent: spent, created: created)
        for place in [0, 14, 29] {
            var others = spent
            others.remove(at: place)
            var later = created
            later[29].code ^= 1
            let difference = try sections(own, section(spent: others, created: later))
            #expect(difference?.outpoint == spent[place])
            Self.expect(difference?.own, nil, isSpent: true)
            Self.expect(difference?.other, nil)
        }
        // A created coin before the spent one is the first.
        var others = created
        others[3].amount ^= 1
        let difference = try sections(own, section(spent: Array(spent.dropLast()), created: others))
        #expect(difference?.outpoint == created[3].outpoint)
    }

    /// A coinbase with the txid of an earlier one: the same outpoint is spent and comes again.
    @Test func spentAndCreated() throws {
        var random = SeededRandom()
        let coin = TestCoin.some(1, using: &random)[0]
        let both = section(spent: [coin.outpoint], created: [coin])
        let difference = try sections(both, section(spent: [coin.outpoint]))
        Self.expect(difference?.own, coin, isSpent: true)
        Self.expect(difference?.other, nil, isSpent: true)
    }

    /// A root can be signed over bytes that are no section.
    @Test func noSection() throws {
        #expect(throws: ParseError.self) { try sections([0], [1]) }
        #expect(throws: ParseError.self) { try sections([0], [0, 1, 2, 3]) }
        #expect(throws: ParseError.self) { try sections([0], []) }
    }
}
