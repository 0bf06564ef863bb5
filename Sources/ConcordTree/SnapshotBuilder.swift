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
        let level = level
        let merge = SnapshotMerge(root: folder.root, parameters: parameters, before: before, patches: patches)
        let built = try merge.map(tools: { ShardWriter.Tools(level: level) }) { shard, merge, tools in
            var writer = try ShardWriter(folder, TreePath.shard(shard, of: block))
            while let body = try merge.next() {
                try writer.add(merge.outpoint, body: body, with: &tools)
            }
            return try writer.finish(with: &tools)
        }
        return (Manifest(built.map(\.line)), built.map(\.file))
    }
}
