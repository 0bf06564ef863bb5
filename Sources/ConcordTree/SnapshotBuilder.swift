import Concord
import ConcordFiles

/// The shards of a snapshot that are not in their places yet, in order.
public struct BuiltShards: Sendable {
    public let contents: [ShardContents]
    public let files: [Folder.Staged]

    public init(contents: [ShardContents], files: [Folder.Staged]) {
        (self.contents, self.files) = (contents, files)
    }

    public var coins: UInt64 { contents.reduce(0) { $0 + $1.coins } }
}

/// Makes the shards of an epoch's snapshot from those before and the changes since, and writes them.
public struct SnapshotBuilder: Sendable {
    let folder: Folder
    let parameters: TreeParameters
    let level: Int

    /// - Parameter level: of zstd, 1 to 22.
    public init(folder: Folder, parameters: TreeParameters, level: Int) {
        self.folder = folder
        self.parameters = parameters
        self.level = level
    }

    /// Writes the shards aside; nothing is in its place before the caller installs them.
    ///
    /// - Parameter shards: those that are wanted, in ascending order; all if nil.
    public func build(
        _ block: BlockID, _ shards: [Int]? = nil, before: SnapshotMerge.Before?, files: [ChangeFile]
    ) throws -> BuiltShards {
        let merge = SnapshotMerge(root: folder.root, parameters: parameters, before: before, files: files)
        return result(
            of: try merge.map(shards, tools: tools) { shard, merge, tools in
                try write(shard, of: block, &merge, &tools)
            })
    }

    /// The same from a snapshot that may be in another tree, and changes that are in memory.
    public func build(
        _ block: BlockID, before: (snapshot: SnapshotMerge.Before, tree: Tree)?, changes: PatchSections.Loaded
    ) throws -> BuiltShards {
        result(
            of: try changes.merge(shards: Array(0..<parameters.shards), onto: before, tools: tools) {
                shard, merge, tools in
                try write(shard, of: block, &merge, &tools)
            })
    }

    private typealias Written = (contents: ShardContents, file: Folder.Staged)

    @Sendable private func tools() -> ShardWriter.Tools { ShardWriter.Tools(level: level) }

    private func write(
        _ shard: Int, of block: BlockID, _ merge: inout ShardMerge, _ tools: inout ShardWriter.Tools
    ) throws -> Written {
        var writer = try ShardWriter(folder, TreePath.shard(shard, of: block))
        while let body = try merge.next() {
            try writer.add(merge.outpoint, body: body, with: &tools)
        }
        return try writer.finish(with: &tools)
    }

    private func result(of built: [Written]) -> BuiltShards {
        BuiltShards(contents: built.map(\.contents), files: built.map(\.file))
    }
}
