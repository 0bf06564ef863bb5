import Concord
import ConcordFiles

/// The set after some blocks, shard by shard: a snapshot merged with the patches and deltas since. What was there is read and
/// merged in streams, so that memory does not grow with the set.
public struct SnapshotMerge: Sendable {
    /// The snapshot before.
    public struct Before: Sendable {
        public let block: BlockID
        /// What each shard holds.
        public let contents: [ShardContents]

        public init(block: BlockID, contents: [ShardContents]) {
            (self.block, self.contents) = (block, contents)
        }

        public var coins: UInt64 { contents.reduce(0) { $0 + $1.coins } }
    }

    private let tree: Tree
    private let parameters: TreeParameters
    private let before: Before?
    private let sections: PatchSections

    /// - Parameters:
    ///   - root: of the tree that holds the snapshot and the files.
    ///   - before: nil for the empty set before the genesis block.
    ///   - files: that lead on from it, in order.
    public init(
        root: String, parameters: TreeParameters, before: Before?, files: [ChangeFile],
        memory: Int = 256 << 20
    ) {
        tree = Tree(root)
        self.parameters = parameters
        self.before = before
        sections = PatchSections(root: root, parameters: parameters, files: files, memory: memory)
    }

    /// Calls `body` with each shard's number and coins, on all cores, and gives the results in the order of shards.
    ///
    /// - Parameter shards: those that are wanted, in ascending order; all if nil.
    public func map<Tools: ~Copyable, Result: Sendable>(
        _ shards: [Int]? = nil, tools: @Sendable () -> Tools,
        _ body: @Sendable (_ shard: Int, _ merge: inout ShardMerge, _ tools: inout Tools) throws -> Result
    ) throws -> [Result] {
        var results: [Result] = []
        for turn in try sections.turns(of: shards ?? Array(0..<parameters.shards)) {
            results += try sections.load(turn).merge(
                shards: turn, onto: before.map { ($0, tree) }, tools: tools, body)
        }
        return results
    }
}

extension PatchSections.Loaded {
    /// Calls `body` with each of these shards, whose sections this holds, as it is after the changes, on all cores.
    /// `before` is the set that they are made to, and the tree that holds it; nil for the empty one.
    func merge<Tools: ~Copyable, Result: Sendable>(
        shards: [Int], onto before: (snapshot: SnapshotMerge.Before, tree: Tree)?,
        tools: @Sendable () -> Tools,
        _ body: @Sendable (_ shard: Int, _ merge: inout ShardMerge, _ tools: inout Tools) throws -> Result
    ) throws -> [Result] {
        try Parallel.map(shards.count, tools: tools) { item, tools in
            let shard = shards[item]
            var changes = ShardChanges()
            try add(item, to: &changes)
            changes.sort()
            let reader = try before.map { before in
                try ShardReader(
                    before.tree.path(TreePath.shard(shard, of: before.snapshot.block)),
                    expected: before.snapshot.contents[shard])
            }
            var merge = ShardMerge(before: reader, changes: changes)
            return try body(shard, &merge, &tools)
        }
    }
}
