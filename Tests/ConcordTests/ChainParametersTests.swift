import TestSupport
import Testing

@testable import Concord

@Suite struct TreeParametersTests {
    @Test func shardsAreAPowerOfTwo() {
        for power in 0...12 {
            #expect(TreeParameters(checking: 1 << power, epoch: 1000)?.shards == 1 << power)
        }
        for shards in [0, -1, 3, 6, 1000, 1023, 1025, 4095, 4097, 8192, .max, .min] {
            #expect(TreeParameters(checking: shards, epoch: 1000) == nil, "\(shards)")
        }
    }

    @Test func epochsHaveOneToAHundredThousandBlocks() {
        #expect(
            TreeParameters(checking: 1, epoch: 1) != nil && TreeParameters(checking: 1, epoch: 100_000) != nil
        )
        for epoch in [0, -1, 100_001, .max, .min] {
            #expect(TreeParameters(checking: 1, epoch: epoch) == nil, "\(epoch)")
        }
    }

    @Test func epochsBeginAtTheirMultiples() {
        let parameters = TreeParameters(shards: 1, epoch: 1000)
        for (height, start) in [
            (0, 0), (1, 0), (999, 0), (1000, 1000), (840_123, 840_000), (9_999_999, 9_999_000),
        ] {
            #expect(parameters.epochStart(of: height) == start)
        }
        #expect(TreeParameters(shards: 1, epoch: 1).epochStart(of: 7) == 7)
    }

    /// SHA256(SHA256(script)) as a little-endian number, modulo the number of shards: the low bits of its first bytes.
    @Test func theShardOfAScript() {
        // Of the one byte 51 it is 953ccfa5…, of no bytes 5df6e0e2….
        for power in 0...12 {
            let parameters = TreeParameters(shards: 1 << power, epoch: 1)
            #expect([UInt8]([0x51]).withBytes { parameters.shard(of: $0) } == 0x3c95 % (1 << power))
            #expect([UInt8]().withBytes { parameters.shard(of: $0) } == 0xf65d % (1 << power))
        }
    }

    @Test func defaults() {
        for network in Network.allCases {
            let parameters = network.defaultParameters
            let isRegtest = network == .regtest
            #expect(
                parameters.shards == (isRegtest ? 16 : 1024) && parameters.epoch == (isRegtest ? 100 : 1000))
        }
    }
}

@Suite struct ChainParametersTests {
    /// Bitcoin Core's kernel/chainparams.cpp.
    @Test func magicsAndGenesisBlocksAreBitcoinCores() {
        #expect(Network.allCases.map(\.magic.hex) == ["f9beb4d9", "1c163f28", "0a03cf40", "fabfb5da"])
        #expect(Network.allCases.map(\.dataFolder) == [nil, "testnet4", "signet", "regtest"])
        for network in Network.allCases { #expect(Digest(reversedHex: network.genesis) != nil) }
    }

    /// `IsBIP30Unspendable`: by height and hash, on the main network only.
    @Test func twoCoinbasesNeverEnterTheSet() throws {
        let first = try #require(
            Digest(reversedHex: "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"))
        let second = try #require(
            Digest(reversedHex: "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"))
        #expect(Network.main.neverHasCoinbase(height: 91_722, block: first))
        #expect(Network.main.neverHasCoinbase(height: 91_812, block: second))
        #expect(!Network.main.neverHasCoinbase(height: 91_722, block: second))
        #expect(!Network.main.neverHasCoinbase(height: 91_812, block: first))
        // The blocks that have the same coinbases again.
        for height in [91_842, 91_880] {
            #expect(!Network.main.neverHasCoinbase(height: height, block: first))
        }
        for network in [Network.testnet4, .signet, .regtest] {
            #expect(!network.neverHasCoinbase(height: 91_722, block: first))
        }
    }
}
