import TestSupport
import Testing

@testable import Concord

@Suite struct CoinGroupTests {
    static func coin(_ index: UInt32, script: [UInt8] = [0x51]) -> TestCoin {
        TestCoin(
            outpoint: Outpoint(txid: Digest(every: 5), index: index), code: index &* 3 >> 1,
            amount: UInt64(index) * 7,
            script: script)
    }

    static func add(_ coin: TestCoin, to group: inout CoinGroup) throws -> Bool {
        try coin.body.withBytes { group.add(try EncodedCoin(index: coin.outpoint.index, body: $0)) }
    }

    @Test func coinsComeBackInOrder() throws {
        var random = SeededRandom()
        let coins = ([0, 1, 255, 256, 16_511, 16_512, 16_639, 16_640, 70_000, .max - 1] as [UInt32]).map {
            Self.coin($0, script: random.bytes(Int($0 % 90)).map { $0 == 0x6a ? 0 : $0 })
        }
        var group = CoinGroup()
        // Kept and filled again.
        for _ in 0..<3 {
            group.begin(Digest(every: 5))
            for coin in coins.shuffled(using: &random) {
                let isIn = try Self.add(coin, to: &group)
                #expect(isIn)
            }
            var script = ByteBuffer()
            for order in [IndexOrder.number, .dump] {
                let isSorted = group.sort(by: order)
                #expect(isSorted)
                let expected = coins.sorted {
                    order == .number
                        ? $0.outpoint < $1.outpoint
                        : IndexOrderTests.slow($0.outpoint.index, $1.outpoint.index)
                }
                var read: [TestCoin] = []
                for i in 0..<group.count {
                    let coin = group[i]
                    let isPoint = ScriptCompression.decompress(coin.script, into: &script)
                    #expect(isPoint && [UInt8](coin.body) == expected[i].body)
                    let compressed = bytes { ScriptCompression.append(script.bytes, to: &$0) }
                    #expect(coin.scriptBytes == compressed.count)
                    read.append(
                        TestCoin(
                            outpoint: Outpoint(txid: group.txid, index: coin.index), code: coin.code,
                            amount: coin.amount, script: [UInt8](script.bytes)))
                }
                #expect(read == expected, "seed \(random.seed)")
                let encoded = bytes { group.append(to: &$0) }
                let body = expected.flatMap { coin in
                    bytes { $0.appendCompactSize(UInt64(coin.outpoint.index)) } + coin.body
                }
                #expect(encoded == Digest(every: 5).bytes + [UInt8(coins.count)] + body)
            }
        }
    }

    @Test func oneIndexTwiceIsNoOrder() throws {
        var group = CoinGroup()
        group.begin(.zero)
        for index in [4, 2, 4] as [UInt32] { _ = try Self.add(Self.coin(index), to: &group) }
        let isSorted = (group.sort(by: .number), group.sort(by: .dump))
        #expect(isSorted == (false, false))
    }

    @Test func aTransactionHasABound() throws {
        var group = CoinGroup()
        group.begin(.zero)
        let long = Self.coin(1, script: [UInt8](repeating: 0x51, count: 10_000))
        let fitting = CoinGroup.maxBytes / long.body.count
        let isIn = try (0...fitting).map { _ in try Self.add(long, to: &group) }
        #expect(isIn == [Bool](repeating: true, count: fitting) + [false])
        group.begin(.zero)
        let short = Self.coin(1, script: [])
        try short.body.withBytes { body in
            let coin = try EncodedCoin(index: 1, body: body)
            while group.add(coin) {}
        }
        let count = group.count
        #expect(count == 444_444)
    }
}
