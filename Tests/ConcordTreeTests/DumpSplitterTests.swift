import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

/// Dumps in, shards out, and dumps again.
@Suite struct DumpSplitterTests {
    let scratch: Scratch
    let folder: Folder

    init() throws {
        scratch = try Scratch()
        folder = try Folder(scratch.path("tree"))
    }

    /// Cuts a dump, and puts shards and manifest into their places.
    func split(
        _ dump: [UInt8], height: Int, _ parameters: TreeParameters, memory: Int = 128 << 20
    ) throws -> SnapshotMerge.Before {
        let splitter = try DumpSplitter(try scratch.write(dump, to: "dump"))
        let block = BlockID(height: height, hash: splitter.header.block)
        let coins = splitter.header.coins
        var told: [UInt64] = []
        let built = try splitter.split(
            into: folder, height: height, parameters: parameters, level: 1, memory: memory
        ) { done, all in
            told.append(done)
            #expect(all == coins)
        }
        #expect(told.last == coins && told == told.sorted() && built.coins == coins)
        try folder.install(built.files)
        return SnapshotMerge.Before(block: block, contents: built.contents)
    }

    /// The dump of what is in the tree.
    func dump(_ before: SnapshotMerge.Before, _ parameters: TreeParameters, network: Network) throws
        -> [UInt8]
    {
        let merge = SnapshotMerge(root: folder.root, parameters: parameters, before: before, files: [])
        var coins = try CoinMerge(merge, temporary: scratch.path("coins")) { _ in }
        // It has no name any more.
        let count = coins.coins
        #expect(try !folder.contains("../coins") && count == before.coins)
        try scratch.write([], to: "again")
        var writer = try DumpWriter(
            scratch.path("again"), DumpHeader(network: network, block: before.block.hash, coins: count))
        while try coins.next() { try writer.add(&coins.group) }
        try writer.finish()
        return try scratch.read("again")
    }

    @Test(arguments: [ChainFixture.regtestRich, .mainnet4312].filter(\.isThere))
    func bitcoinCoresDumps(fixture: ChainFixture) throws {
        let roots = try fixture.roots()
        let network = try #require(Network(rawValue: fixture.network))
        for dump in try fixture.dumps() {
            let file = try fixture.dumpFile(of: dump.height)
            let parameters = TreeParameters(shards: fixture.shards, epoch: fixture.epoch)
            // All at once, and packed in many frames.
            for memory in [128 << 20, 1] {
                let before = try split(file, height: dump.height, parameters, memory: memory)
                let expected = try CoreDump(parsing: file).shards(fixture.shards)
                for (shard, bytes) in expected.enumerated() {
                    let path = folder.path(TreePath.shard(shard, of: before.block))
                    #expect(before.contents[shard].bytes == bytes.count)
                    #expect(before.contents[shard].digest == SHA256.hash(bytes), "\(dump), \(shard)")
                    var reader = try ShardReader(path, expected: before.contents[shard])
                    try reader.check()
                }
                if dump.height % fixture.epoch == 0 {
                    let (totals, filters) = try SnapshotCount(of: before.block, parameters).run(
                        before.contents, file: { folder.path(TreePath.shard($0, of: before.block)) }
                    ) { Manifest.Filter($1) }
                    let manifest = Manifest(
                        zip(before.contents, filters).map { Manifest.Shard($0, filter: $1) })
                    #expect(manifest.root.hex == roots[dump.height].snapshot, "\(dump)")
                    #expect(totals.number.digest.reversedHex == roots[dump.height].answer.muhash)
                    #expect(totals.muhashes(parameters).root.hex == roots[dump.height].muhashes)
                }
                #expect(before.block.hash.reversedHex == dump.block)
                #expect(try self.dump(before, parameters, network: network) == file, "\(dump)")
            }
        }
    }

    /// A dump of many batches, with transactions whose coins go to many shards, some of them in many frames.
    @Test(arguments: [1, 16, 4096])
    func manyCoins(shards: Int) throws {
        var random = SeededRandom()
        var bytes: [UInt8] = []
        var count = 0
        let txids = (0..<3000).map { _ in Digest(random.bytes(32)) ?? .zero }.sorted()
        for txid in txids {
            var group = CoinGroup()
            group.begin(txid)
            let indexes = Set(
                (0..<Int.random(in: 1...8, using: &random)).map { _ in
                    UInt32.random(in: 0...70_000, using: &random)
                })
            for index in indexes {
                let coin = TestCoin(
                    outpoint: Outpoint(txid: txid, index: index), code: 20, amount: 5,
                    script: [0x51] + random.bytes(Int.random(in: 0...4000, using: &random)))
                try coin.body.withBytes { _ = group.add(try EncodedCoin(index: index, body: $0)) }
            }
            count += group.count
            _ = group.sort(by: .dump)
            bytes += TestSupport.bytes { group.append(to: &$0) }
        }
        bytes = DumpReaderTests.DumpHeaderBytes.of(coins: UInt64(count)) + bytes
        #expect(bytes.count > 20 << 20)
        let parameters = TreeParameters(shards: shards, epoch: 10)
        let before = try split(bytes, height: 10, parameters, memory: 4 << 20)
        #expect(try dump(before, parameters, network: .regtest) == bytes, "seed \(random.seed)")
        let totals = try SnapshotCount(of: before.block, parameters).run(
            before.contents, file: { folder.path(TreePath.shard($0, of: before.block)) }, filter: { _, _ in }
        ).totals
        #expect(totals.coins == UInt64(count) && totals.amount == UInt64(count) * 5)
    }

    /// A set that Bitcoin Core's source pins is confirmed by its hash, and another one is refused.
    @Test func aPinnedSet() throws {
        let fixture = ChainFixture.regtestRich
        for dump in try fixture.dumps() where dump.height <= 110 {
            let file = try scratch.write(fixture.dumpFile(of: dump.height), to: "dump")
            let parameters = TreeParameters(shards: 4, epoch: dump.height)
            func split(_ block: String, _ hash: String) throws {
                let pin = PinnedSet(network: .regtest, height: dump.height, block: block, hash: hash)
                let built = try DumpSplitter(file).split(
                    into: folder, height: dump.height, parameters: parameters, level: 1, memory: 1 << 20,
                    pin: pin, progress: { _, _ in })
                for shard in built.files { folder.discard(shard) }
            }
            try split(dump.block, dump.hash)
            for (block, hash) in [(dump.hash, dump.hash), (dump.block, dump.block)] {
                let error = #expect(throws: FileError.self) { try split(block, hash) }
                #expect(
                    error?.message.contains(dump.hash) == true
                        && error?.message.contains("it is not that set") == true)
            }
            #expect(PlainTree(folder.root).files().isEmpty)
        }
    }

    @Test func noCoins() throws {
        let parameters = TreeParameters(shards: 4, epoch: 10)
        let empty = DumpReaderTests.DumpHeaderBytes.of(coins: 0)
        let splitter = try DumpSplitter(try scratch.write(empty, to: "dump"), network: .regtest)
        let built = try splitter.split(into: folder, height: 0, parameters: parameters, level: 9)
        #expect(
            built.contents == .init(repeating: .init(coins: 0, bytes: 0, digest: SHA256.hash([])), count: 4))
        try folder.install(built.files)
        let before = SnapshotMerge.Before(
            block: BlockID(height: 0, hash: Digest(every: 9)), contents: built.contents)
        #expect(try dump(before, parameters, network: .regtest) == empty)
    }

    /// Whatever is wrong with the dump, nothing of it is left in the tree.
    @Test(arguments: DumpReaderTests.faults.filter { $0.offset >= 51 })
    func nothingIsLeftOfWhatIsNoDump(fault: DumpReaderTests.Fault) throws {
        var plain = DumpReaderTests.Plain()
        fault.spoil(&plain)
        let error = #expect(throws: FileError.self) {
            try split(plain.bytes, height: 10, TreeParameters(shards: 4, epoch: 10))
        }
        #expect(error?.message.contains(fault.words) == true)
        #expect(PlainTree(folder.root).files().isEmpty)
    }

    @Test func coinsFromTheFutureAndKeysThatAreNone() throws {
        let parameters = TreeParameters(shards: 4, epoch: 10)
        let late = #expect(throws: FileError.self) {
            try split(DumpReaderTests.Plain().bytes, height: 2, parameters)
        }
        let txid = Digest(every: 1).reversedHex
        #expect(late?.message == "holds \(txid):0 of height 3, but is to be the set after height 2")
        // x = 5 is on no point of the curve.
        var plain = DumpReaderTests.Plain()
        plain.bodies[1] = [6, 1, 4] + [UInt8](repeating: 0, count: 31) + [5]
        let noPoint = #expect(throws: FileError.self) { try split(plain.bytes, height: 3, parameters) }
        #expect(noPoint?.message == "names a public key that is no point of the curve, for \(txid):9")
        #expect(PlainTree(folder.root).files().isEmpty)
    }

    @Test func aCoinInTwoShards() throws {
        let parameters = TreeParameters(shards: 2, epoch: 10)
        let coin = TestCoin(
            outpoint: Outpoint(txid: Digest(every: 1), index: 3), code: 2, amount: 1, script: [0x51])
        let bytes = TestCoin.encode([coin])
        let block = BlockID(height: 10, hash: .zero)
        for shard in 0..<2 { try folder.write(Zstd.frame(bytes), at: TreePath.shard(shard, of: block)) }
        let line = ShardReaderTests.line(bytes, coins: 1)
        let before = SnapshotMerge.Before(block: block, contents: [line, line])
        let error = #expect(throws: FileError.self) { try dump(before, parameters, network: .regtest) }
        #expect(error?.message == "a coin of \(coin.outpoint.txid.reversedHex) is in two shards")
    }
}
