import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct SnapshotBuilderTests {
    static let parameters = TreeParameters(shards: 4, epoch: 10)
    let scratch: Scratch
    let folder: Folder

    init() throws {
        scratch = try Scratch()
        folder = try Folder(scratch.path("tree"))
    }

    static func block(_ height: Int) -> BlockID {
        BlockID(height: height, hash: Digest(every: UInt8(height)))
    }

    static func shard(_ coin: TestCoin) -> Int { coin.script.withBytes { parameters.shard(of: $0) } }

    /// Writes a patch into the tree.
    func publish(_ sections: [[UInt8]], height: Int) throws -> ChangeFile {
        let patch = TestSupport.patch(sections)
        let block = Self.block(height)
        try folder.write(
            PatchPackerTests.pack(sections),
            at: TreePath.patch(block, Self.parameters))
        let root = try patch.withBytes { raw throws(ParseError) in
            try PatchIndex(
                parsing: UnsafeRawBufferPointer(rebasing: raw[..<(36 * Self.parameters.shards)]),
                shards: Self.parameters.shards
            ).root
        }
        return ChangeFile(block: block, span: 1, root: root)
    }

    func build(
        _ height: Int, before: SnapshotMerge.Before?, _ patches: [ChangeFile]
    ) throws -> [ShardContents] {
        let builder = SnapshotBuilder(folder: folder, parameters: Self.parameters, level: 1)
        let built = try builder.build(Self.block(height), before: before, files: patches)
        try folder.install(built.files)
        let merge = SnapshotMerge(
            root: folder.root, parameters: Self.parameters, before: before, files: patches)
        #expect(try merge.contents() == built.contents)
        return built.contents
    }

    /// All coins in order, merged with as little memory as there may be: one shard after the other, and with some.
    static func coins(
        _ root: String, before: SnapshotMerge.Before?, _ patches: [ChangeFile]
    ) throws -> [Outpoint]? {
        let all = try [1, 5000, 256 << 20].map { memory in
            let merge = SnapshotMerge(
                root: root, parameters: parameters, before: before, files: patches, memory: memory)
            let shards = try merge.map(tools: {}) { _, merge, _ in
                var outpoints: [Outpoint] = []
                while try merge.next() != nil { outpoints.append(merge.outpoint) }
                return outpoints
            }
            return shards.joined().sorted()
        }
        return all.allSatisfy { $0 == all[0] } ? all[0] : nil
    }

    @Test func snapshotsAndPatchesAgainstADictionary() throws {
        var random = SeededRandom()
        for _ in 0..<3 {
            var set: [Outpoint: TestCoin] = [:]
            var before: SnapshotMerge.Before?
            var patches: [ChangeFile] = []
            for height in 0...20 {
                let spent = set.values.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
                for coin in spent { set[coin.outpoint] = nil }
                let created = TestCoin.some(Int.random(in: 0...20, using: &random), using: &random)
                for coin in created { set[coin.outpoint] = coin }
                let sections = (0..<Self.parameters.shards).map { shard in
                    section(
                        spent: spent.filter { Self.shard($0) == shard }.map(\.outpoint),
                        created: created.filter { Self.shard($0) == shard })
                }
                patches.append(try publish(sections, height: height))
                guard height % 10 == 0 else { continue }
                let contents = try build(height, before: before, patches)
                let coins = try Self.coins(folder.root, before: before, patches)
                #expect(coins == set.keys.sorted(), "seed \(random.seed)")
                for shard in 0..<Self.parameters.shards {
                    let coins = set.values.filter { Self.shard($0) == shard }
                    let expected = TestCoin.encode(coins)
                    #expect(
                        contents[shard] == ShardReaderTests.line(expected, coins: coins.count),
                        "seed \(random.seed)")
                    let packed = try File.read(
                        folder.path(TreePath.shard(shard, of: Self.block(height))), atMost: 1 << 24)
                    #expect(try run("zstd", "-dc", input: packed) == expected)
                }
                before = SnapshotMerge.Before(block: Self.block(height), contents: contents)
                patches = []
            }
        }
    }

    @Test func aPatchWithAnotherRootIsRefused() throws {
        let patch = try publish([[0], [0], [0], [0]], height: 0)
        let wrong = ChangeFile(block: patch.block, span: 1, root: .zero)
        let error = #expect(throws: FileError.self) { try build(0, before: nil, [wrong]) }
        #expect(error?.message.contains("is not the patch that the statement names") == true)
    }

    @Test func aMissingPatchIsRefused() {
        let error = #expect(throws: FileError.self) {
            try build(0, before: nil, [ChangeFile(block: Self.block(0), span: 1, root: .zero)])
        }
        #expect(error?.isMissing == true)
    }

    /// Its root is signed, but it is no section: one byte, and not the one that changes nothing.
    @Test(arguments: [1, 2, 0xfc, 0xfd, 0xff] as [UInt8])
    func aSectionOfAnotherSingleByteIsRefused(byte: UInt8) throws {
        let patch = try publish([[0], [byte], [0], [0]], height: 0)
        #expect(throws: ParseError.self) { try build(0, before: nil, [patch]) }
    }

    @Test func changesThatDoNotFitAreRefused() throws {
        let outpoint = Outpoint(txid: Digest(every: 1), index: 1)
        let patch = try publish([[0], [0], section(spent: [outpoint]), [0]], height: 3)
        #expect(throws: ChangeError(outpoint: outpoint, height: 3, isSpend: true)) {
            try build(3, before: nil, [patch])
        }
    }

    @Test func aDamagedShardOfTheSnapshotBeforeIsRefused() throws {
        let first = try build(0, before: nil, [try publish([[0], [0], [0], [0]], height: 0)])
        let path = folder.path(TreePath.shard(2, of: Self.block(0)))
        try folder.write(Zstd.frame([1, 2, 3]), at: TreePath.shard(2, of: Self.block(0)))
        let patch = try publish([[0], [0], [0], [0]], height: 1)
        let error = #expect(throws: FileError.self) {
            try build(1, before: SnapshotMerge.Before(block: Self.block(0), contents: first), [patch])
        }
        #expect(error?.path == path)
    }
}
