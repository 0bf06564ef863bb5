import TestSupport
import Testing

@testable import Concord

@Suite struct GroupEncoderTests {
    static func encode(_ coins: [TestCoin]) -> (bytes: [UInt8], total: UInt64) {
        var encoder = GroupEncoder()
        var out = ByteBuffer()
        for coin in coins {
            coin.body.withBytes {
                encoder.add(txid: coin.outpoint.txid, index: coin.outpoint.index, body: $0, to: &out)
            }
        }
        encoder.finishGroup(to: &out)
        // Nothing is open any more: a second time changes nothing.
        encoder.finishGroup(to: &out)
        return ([UInt8](out.bytes), encoder.total)
    }

    @Test func countsStandBeforeTheCoins() {
        let coins = [(1, 0), (1, 253), (2, 7)].map { txid, index in
            TestCoin(
                outpoint: Outpoint(txid: Digest(every: txid), index: index), code: 2, amount: 1,
                script: [0x51])
        }
        let (first, second) = (Digest(every: 1).hex, Digest(every: 2).hex)
        let (bytes, total) = Self.encode(coins)
        #expect(bytes.hex == first + "02" + "0002010751" + "fdfd0002010751" + second + "01" + "0702010751")
        #expect(total == 3)
    }

    @Test func noCoinsAreNoBytes() {
        let (bytes, total) = Self.encode([])
        #expect(bytes.isEmpty && total == 0)
    }

    /// The txid of all zeros is one like any other, and may come first.
    @Test func theZeroTxidIsAGroup() {
        let coin = TestCoin(outpoint: Outpoint(txid: .zero, index: 0), code: 0, amount: 0, script: [])
        #expect(Self.encode([coin]).bytes == TestCoin.encode([coin]))
    }

    @Test func manyCoinsAsTheFormatSays() {
        var random = SeededRandom()
        for count in [1, 2, 300, 2000] {
            let coins = TestCoin.some(count, using: &random)
            let (bytes, total) = Self.encode(coins)
            #expect(bytes == TestCoin.encode(coins), "seed \(random.seed)")
            #expect(total == UInt64(count))
        }
    }
}
