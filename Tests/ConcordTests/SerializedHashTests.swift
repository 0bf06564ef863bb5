import TestSupport
import Testing

@testable import Concord

@Suite struct SerializedHashTests {
    /// Of coins in the order of txids and then of numbers.
    static func hash(_ coins: [(outpoint: Outpoint, body: [UInt8])]) throws -> Digest? {
        var hash = SerializedHash()
        var isGood = true
        for coin in coins.sorted(by: { $0.outpoint < $1.outpoint }) {
            try coin.body.withBytes {
                let encoded = try EncodedCoin(index: coin.outpoint.index, body: $0)
                if !hash.add(encoded, of: coin.outpoint.txid) { isGood = false }
            }
        }
        return isGood ? hash.finish() : nil
    }

    @Test func noCoins() throws {
        #expect(try Self.hash([]) == SHA256.hash(SHA256.hash([]).bytes))
    }

    @Test func whatBitcoinCoreSaysOfItsDumps() throws {
        for fixture in [ChainFixture.regtestRich, .mainnet4312] where fixture.isThere {
            for dump in try fixture.dumps() {
                let coins = try fixture.dump(of: dump.height).coins.map { coin in
                    (Outpoint(txid: try #require(Digest(coin.txid)), index: UInt32(coin.index)), coin.body)
                }
                #expect(try Self.hash(coins)?.reversedHex == dump.hash, "\(fixture), \(dump)")
            }
        }
    }

    /// The chain is Core's to the last bit, and so is the set's hash.
    @Test func whatBitcoinCorePins() throws {
        let coins = PinnedChain.blocks.map { block in
            let outpoint = Outpoint(txid: block.txid, index: 0)
            return TestCoin(
                outpoint: outpoint, code: UInt32(block.height) * 2 + 1, amount: block.amount,
                script: PinnedChain.script)
        }
        let hash = try #require(try Self.hash(coins.map { ($0.outpoint, $0.body) }))
        let tip = try #require(PinnedChain.blocks.last)
        let block = BlockID(height: 200, hash: tip.hash)
        #expect(PinnedSet.compare(network: .regtest, block: block, hash: hash) == .agrees)
        // One coin less.
        let other = try #require(try Self.hash(coins.dropLast().map { ($0.outpoint, $0.body) }))
        let pin = try #require(PinnedSet.all.first { $0.network == .regtest && $0.height == 200 })
        #expect(PinnedSet.compare(network: .regtest, block: block, hash: other) == .differs(pin))
    }

    /// x = 5 is on no point of the curve: 5³ + 7 has no root.
    @Test func aKeyThatIsNoPoint() throws {
        let x = [UInt8](repeating: 0, count: 31) + [5]
        #expect(try Self.hash([(Outpoint(txid: .zero, index: 0), [1, 0, 4] + x)]) == nil)
    }
}
