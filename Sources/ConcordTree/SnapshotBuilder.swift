import Concord
import Synchronization

/// Makes an epoch's snapshot from the one before and the patches since, shard by shard: what was there is read, merged
/// and written again in streams, so that memory does not grow with the set.
public struct SnapshotBuilder: Sendable {
    /// A patch, and the root that the statement of its height names.
    public struct Patch: Sendable {
        public let block: BlockID
        public let root: Digest

        public init(block: BlockID, root: Digest) {
            self.block = block
            self.root = root
        }
    }

    /// The snapshot before.
    public struct Before: Sendable {
        public let block: BlockID
        public let manifest: Manifest

        public init(block: BlockID, manifest: Manifest) {
            self.block = block
            self.manifest = manifest
        }
    }

    let folder: Folder
    let parameters: TreeParameters
    let level: Int
    /// Sections of patches that are held in memory at a time, in bytes.
    let memory: Int

    public init(folder: Folder, parameters: TreeParameters, level: Int, memory: Int = 256 << 20) {
        self.folder = folder
        self.parameters = parameters
        self.level = level
        self.memory = memory
    }

    /// Writes the shards aside, manifest last; nothing is in its place before the caller installs it.
    ///
    /// - Parameter patches: every block from the one after `before` to `block`, in order; from the genesis block on
    ///   where `before` is nil.
    public func build(
        _ block: BlockID, before: Before?, patches: [Patch]
    ) throws -> (manifest: Manifest, files: [Folder.Staged]) {
        let sources = PatchSections(folder: folder, parameters: parameters, patches: patches)
        let lengths = try sources.lengths()
        var shards: [Manifest.Shard] = []
        var files: [Folder.Staged] = []
        while shards.count < parameters.shards {
            let range = rangeFitting(lengths, from: shards.count)
            let sections = try sources.load(range)
            let built = try Parallel.map(
                range.count, tools: { ShardWriter.Tools(level: level) }
            ) { item, tools in
                let shard = range.lowerBound + item
                var changes = ShardChanges()
                try sections.add(shard: shard, to: &changes)
                changes.sort()
                let reader = try before.map {
                    try ShardReader(
                        folder.path(TreePath.shard(shard, of: $0.block)), expected: $0.manifest.shards[shard])
                }
                var merge = ShardMerge(before: reader, changes: changes)
                var writer = try ShardWriter(folder, TreePath.shard(shard, of: block))
                while let body = try merge.next() {
                    try writer.add(merge.outpoint, body: body, with: &tools)
                }
                return try writer.finish(with: &tools)
            }
            shards += built.map(\.line)
            files += built.map(\.file)
        }
        let manifest = Manifest(shards)
        files.append(try folder.stage(manifest.text, at: TreePath.manifest(block)))
        return (manifest, files)
    }

    /// As many shards as the memory holds the sections of, at least one.
    private func rangeFitting(_ lengths: [[UInt32]], from first: Int) -> Range<Int> {
        var end = first
        var total = 0
        repeat {
            total += lengths.reduce(0) { $0 + Int($1[end]) }
            end += 1
        } while end < parameters.shards && total < memory
        return first..<end
    }
}
