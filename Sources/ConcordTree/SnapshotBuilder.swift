import Concord
import ConcordFiles

/// Makes an epoch's snapshot from the one before and the patches since, and writes it.
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

    /// Writes the shards aside; nothing is in its place before the caller installs them, and then the manifest.
    public func build(
        _ block: BlockID, before: SnapshotMerge.Before?, patches: [SnapshotMerge.Patch]
    ) throws -> (manifest: Manifest, shards: [Folder.Staged]) {
        let merge = SnapshotMerge(root: folder.root, parameters: parameters, before: before, patches: patches)
        return result(
            of: try merge.map(tools: tools) { shard, merge, tools in
                try write(shard, of: block, &merge, &tools)
            })
    }

    /// The same from a snapshot that may be in another tree, and changes that are in memory.
    public func build(
        _ block: BlockID, before: (snapshot: SnapshotMerge.Before, tree: Tree)?, changes: PatchSections.Loaded
    ) throws -> (manifest: Manifest, shards: [Folder.Staged]) {
        result(
            of: try changes.merge(shards: 0..<parameters.shards, onto: before, tools: tools) {
                shard, merge, tools in
                try write(shard, of: block, &merge, &tools)
            })
    }

    private typealias Written = (line: Manifest.Shard, file: Folder.Staged)

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

    private func result(of built: [Written]) -> (manifest: Manifest, shards: [Folder.Staged]) {
        (Manifest(built.map(\.line)), built.map(\.file))
    }
}
