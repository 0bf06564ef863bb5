import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// The set at a height, from the blocks up to it, none of which is published: their changes are gathered in memory,
/// what is created and spent again among them goes, and what remains is merged with the set on the disk, shard by
/// shard, whenever the memory is full.
///
/// After each merge the set is in a folder of its own, under the name of its block, so that a run that is killed goes on
/// from there.
public struct InitialReplay: Sendable {
    public enum Event: Sendable {
        case replayed(height: Int, to: Int)
        /// Something is wrong; the blocks since the last merge are read again to find where.
        case tracing(height: Int, to: Int)
        case merging(height: Int, coins: UInt64)
    }

    /// Bytes.
    public static let defaultMemory = 2 << 30

    /// Blocks between looks at the memory, at most.
    private static let batch = 32

    private let builder: SetBuilder
    private let work: Folder
    private let memory: Int
    private var source: any ChainSource { builder.source }
    private var parameters: TreeParameters { builder.parameters }

    /// - Parameters:
    ///   - work: for the set between merges; emptied by the caller when the first statement is signed.
    ///   - memory: bytes that the gathered changes may take.
    public init(_ builder: SetBuilder, work: Folder, memory: Int) {
        self.builder = builder
        self.work = work
        self.memory = memory
    }

    /// The snapshot of the block at `height`, staged in the builder's data folder; nil if it was stopped.
    ///
    /// - Throws: `SetContradiction` where a block spends what is not there. Amounts and heights of spent coins do not
    ///   matter here: the set is made of what the blocks themselves say.
    public func run(
        to height: Int, isStopping: () -> Bool = { false }, _ tell: (Event) -> Void
    ) throws -> BuiltShards? {
        var before = try resume(at: height)
        var next = before.map { $0.block.height + 1 } ?? 0
        var gathered = GatheredChanges(parameters: parameters, memory: memory)
        while next <= height {
            if isStopping() { return nil }
            let range = next..<min(next + min(source.batch(from: next), Self.batch), height + 1)
            try gathered.add(builder.changes(of: range), through: range.upperBound - 1)
            next = range.upperBound
            tell(.replayed(height: next - 1, to: height))
            guard next <= height,
                try traced(before, through: next - 1, tell, { try gathered.isFull() })
            else { continue }
            let block = source.blockID(at: next - 1)
            tell(.merging(height: block.height, coins: before?.coins ?? 0))
            let built = try traced(before, through: next - 1, tell) {
                try merge(gathered, onto: before, into: work, of: block, level: 1)
            }
            try work.install(built.files)
            try work.write(Array(ShardContents.list(built.contents).utf8), at: Self.list(block))
            if let before { try work.removeTree("snapshots/\(TreePath.name(before.block))") }
            before = SnapshotMerge.Before(block: block, contents: built.contents)
            gathered.removeAll()
        }
        let block = source.blockID(at: height)
        tell(.merging(height: height, coins: before?.coins ?? 0))
        return try traced(before, through: height, tell) {
            try merge(gathered, onto: before, into: builder.data, of: block, level: builder.level)
        }
    }

    /// Looks for the block to blame where one spends what is not there.
    private func traced<Result>(
        _ before: SnapshotMerge.Before?, through last: Int, _ tell: (Event) -> Void,
        _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch let error as ChangeError {
            let trace = UndoTrace(
                source: source, before: before.map { ($0, Tree(work.root)) },
                heights: (before.map { $0.block.height + 1 } ?? 0)...last, most: max(1 << 20, memory / 600))
            if let found = try trace.run(only: nil, { tell(.tracing(height: $0, to: $1)) }) { throw found }
            try work.removeTree("snapshots")
            throw FileError(
                work.root,
                "\(error.description), and the blocks and their undo data agree with the set before: what was gone over "
                    + "is damaged. It was removed: run the command again")
        }
    }

    /// What the shards of a set hold, written when all are there.
    private static func list(_ block: BlockID) -> String { "snapshots/\(TreePath.name(block))/contents.txt" }

    /// The highest whole set that an earlier run left and that is on the chain; others are removed.
    private func resume(at height: Int) throws -> SnapshotMerge.Before? {
        var found: SnapshotMerge.Before?
        for name in try Folder.names(in: work.path("snapshots")).reversed() {
            if found == nil, let block = TreePath.block(named: name), block.height < height,
                source.blockID(at: block.height) == block,
                let bytes = try? File.read(work.path(Self.list(block)), atMost: 1 << 20),
                let contents = try? ShardContents.parse(list: bytes, shards: parameters.shards)
            {
                found = SnapshotMerge.Before(block: block, contents: contents)
            } else {
                try work.removeTree("snapshots/\(name)")
            }
        }
        return found
    }

    private func merge(
        _ gathered: borrowing GatheredChanges, onto before: SnapshotMerge.Before?, into folder: Folder,
        of block: BlockID, level: Int
    ) throws -> BuiltShards {
        do {
            return try SnapshotBuilder(folder: folder, parameters: parameters, level: level)
                .build(block, before: before.map { ($0, Tree(work.root)) }, changes: gathered.sections)
        } catch let error as FileError where error.isContent && error.path.hasPrefix(work.root) {
            try work.removeTree("snapshots")
            throw FileError(
                error.path, "\(error.message). It was removed, and the next attempt begins without it")
        }
    }
}
