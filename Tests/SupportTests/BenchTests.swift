import Concord
import Foundation
import TestSupport
import Testing

@testable import bench

/// The benchmark of wallets: at a tiny size all of it runs, and it counts what comes.
@Suite struct BenchTests {
    private static func settings() -> WalletBench.Settings {
        var settings = WalletBench.Settings()
        settings.shape = BenchChain.Shape(blocks: 67, outputs: 6000)
        settings.parameters = TreeParameters(shards: 64, epoch: 20)
        settings.gaps = [1, 15, 40, 100]
        return settings
    }

    /// Each row's answer was compared with the chain, or there would be none.
    @Test func rowsComeOut() throws {
        let rows = try WalletBench(Self.settings()).rows()
        let spans = rows.map { "\($0.from ?? -1) \($0.to)" }
        // There are no 100 blocks to be away for.
        #expect(
            spans
                == [[String]](repeating: ["-1 60", "-1 59", "66 67", "52 67", "27 67"], count: 3)
                .flatMap(\.self))
        #expect(rows.map(\.held).prefix(10) == [1, 1, 1, 1, 1, 8, 8, 8, 8, 8])
        for row in rows {
            let what = "\(row.wallet), \(row.situation)"
            let traffic = row.traffic
            #expect(traffic[.headers].bytes >= (row.from == nil ? 80 * row.to : 80), "\(what)")
            // At first of every script's shard the filter, and the shards that are held; then neither, unless a new shard is
            // fewer bytes than all that changed.
            let isFirst = row.from == nil
            #expect(traffic[.filters].requests >= (isFirst ? row.held : 0), "\(what)")
            let shards = traffic[.shards].requests
            let most = row.from == row.to - 1 ? 0 : row.held
            #expect(isFirst ? shards == row.held : shards <= most, "\(what): \(shards)")
            #expect(traffic[.attestations].bytes > 0 && traffic[.muhashes].bytes > 0 && row.seconds > 0)
            #expect(row.bytes == traffic.total.bytes - traffic[.headers].bytes)
        }
        // An epoch height needs no changes, the block before it those of its whole epoch.
        #expect(rows[0].traffic[.changes].requests == 0 && rows[1].traffic[.changes].bytes > 0)
        #expect(rows[0].filterBytes > rows[1].filterBytes && rows[1].filterBytes > rows[4].filterBytes)
        let table = CostTable(rows: rows)
        #expect(table.text.split(separator: "\n").count == 1 + rows.count + 2 + 6)
        #expect(table.json.map(\.bytes) == rows.map(\.bytes))
    }

    @Test func aTreeThatBeginsWithADump() throws {
        let scratch = try Scratch()
        var settings = Self.settings()
        let coins = try WalletBench(settings).export(to: scratch.path("set.dat"))
        #expect(coins > 500)
        settings.tree = scratch.path("tree")
        settings.dump = scratch.path("set.dat")
        settings.gaps = [40, 50]
        let bench = try WalletBench(settings)
        #expect(try bench.rows().map { $0.from ?? -1 } == [-1, -1, 27, -1, -1, 27, -1, -1, 27])
        #expect(try BenchTree.first(in: scratch.path("tree")) == 20)
        // Again, of what is there.
        settings.dump = nil
        settings.gaps = [1]
        #expect(try WalletBench(settings).rows().count == 9)
    }

    /// Half of what the chain pays is spent again within ten blocks, and always the same.
    @Test func theChain() {
        let shape = BenchChain.Shape(blocks: 40, outputs: 8000, seed: 7)
        let (chain, again) = (BenchChain(shape, paying: [:]), BenchChain(shape, paying: [:]))
        #expect(chain.blockID(at: 40) == again.blockID(at: 40))
        #expect(
            BenchChain(BenchChain.Shape(blocks: 40, outputs: 8000, seed: 8), paying: [:]).blockID(at: 40)
                != chain.blockID(at: 40))
        let reader = chain.blocks(0..<41)
        var (created, spent) = (0, 0)
        var block = ByteBuffer()
        var undo = ByteBuffer()
        for height in 1...40 {
            var transactions = BlockTransactions()
            #expect(throws: Never.self) {
                try reader.read(height, block: &block, undo: &undo)
                #expect(try transactions.parse(block.bytes).hash == chain.blockID(at: height).hash)
            }
            // One of a coinbase is no coin.
            created += transactions.outputs.count - 1
            spent += transactions.inputs.count
        }
        #expect((7200...8800).contains(created), "\(created)")
        #expect((created / 3...created / 2).contains(spent), "\(spent) of \(created)")
    }

    /// BIP158's first vector: the filter of testnet3's first block.
    @Test func aBasicFilter() throws {
        let block = try #require(
            Digest(reversedHex: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"))
        let script = Array(PinnedChain.genesis.suffix(71).prefix(67))
        #expect(BasicFilter.bytes(of: [script], block: block) == hex("019dfca8"))
        #expect(BasicFilter.bytes(of: [script, [], hex("6a00"), script], block: block) == hex("019dfca8"))
        #expect(BasicFilter.bytes(of: [], block: block) == [0])
    }
}
