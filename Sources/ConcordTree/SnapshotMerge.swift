import Concord
import ConcordFiles

/// The set after some blocks, shard by shard: a snapshot merged with the patches since. What was there is read and
/// merged in streams, so that memory does not grow with the set.
public struct SnapshotMerge: Sendable {
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

    private let tree: Tree
    private let parameters: TreeParameters
    private let before: Before?
    private let patches: [Patch]
    /// Sections of patches that are held in memory at a time, in bytes.
    private let memory: Int

    /// - Parameters:
    ///   - root: of the tree that holds the snapshot and the patches.
    ///   - before: nil for the empty set before the genesis block.
    ///   - patches: of every block since, in order.
    public init(
        root: String, parameters: TreeParameters, before: Before?, patches: [Patch], memory: Int = 256 << 20
    ) {
        tree = Tree(root)
        self.parameters = parameters
        self.before = before
        self.patches = patches
        self.memory = memory
    }

    /// Calls `body` with each shard's number and coins, on all cores, and gives the results in the order of shards.
    public func map<Tools: ~Copyable, Result: Sendable>(
        tools: @Sendable () -> Tools,
        _ body: @Sendable (_ shard: Int, _ merge: inout ShardMerge, _ tools: inout Tools) throws -> Result
    ) throws -> [Result] {
        let sources = PatchSections(root: tree.root, parameters: parameters, patches: patches)
        let lengths = try sources.lengths()
        var results: [Result] = []
        while results.count < parameters.shards {
            let range = rangeFitting(lengths, from: results.count)
            let sections = try sources.load(Array(range))
            results += try sections.merge(
                shards: range, onto: before.map { ($0, tree) }, tools: tools, body)
        }
        return results
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

extension PatchSections.Loaded {
    /// Calls `body` with each of these shards, whose sections this holds, as it is after the changes, on all cores.
    /// `before` is the set that they are made to, and the tree that holds it; nil for the empty one.
    func merge<Tools: ~Copyable, Result: Sendable>(
        shards: Range<Int>, onto before: (snapshot: SnapshotMerge.Before, tree: Tree)?,
        tools: @Sendable () -> Tools,
        _ body: @Sendable (_ shard: Int, _ merge: inout ShardMerge, _ tools: inout Tools) throws -> Result
    ) throws -> [Result] {
        try Parallel.map(shards.count, tools: tools) { item, tools in
            let shard = shards.lowerBound + item
            var changes = ShardChanges()
            try add(item, to: &changes)
            changes.sort()
            let reader = try before.map { before in
                try ShardReader(
                    before.tree.path(TreePath.shard(shard, of: before.snapshot.block)),
                    expected: before.snapshot.manifest.shards[shard])
            }
            var merge = ShardMerge(before: reader, changes: changes)
            return try body(shard, &merge, &tools)
        }
    }
}
