import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// What is checked before a statement is made: undo data carries no proof of work, so the coins that blocks claim to
/// spend are held to the coins that the set has.
extension SetBuilder {
    /// What a statement says of the set.
    public struct Values: Equatable, Sendable, CustomStringConvertible {
        public let coins, amount: UInt64
        public let muhash: Digest

        public var description: String {
            "\(coins) coins, \(amount) satoshi and the MuHash \(muhash.reversedHex)"
        }
    }

    /// A snapshot that is not in its place yet, counted.
    struct Built {
        let manifest: Manifest
        let totals: SetTotals
        /// Shards and filters, staged.
        let files: [Folder.Staged]
    }

    func discard(_ built: Built) {
        for file in built.files { data.discard(file) }
    }

    /// The snapshot of an epoch height, staged: its coins must come to what the blocks leave. Each coin that a block
    /// claims to spend goes into the running MuHash, so that a coin that was another one in the set shows here.
    func snapshot(
        of block: BlockID, _ epoch: EpochContents, expecting running: Values, _ muhashes: ShardMuHashes,
        _ tell: (Event) -> Void
    ) throws -> Built {
        let builder = SnapshotBuilder(folder: data, parameters: parameters, level: level)
        let shards: BuiltShards
        do {
            shards = try builder.build(block, before: epoch.snapshot, files: epoch.way(parameters))
        } catch let error as ChangeError {
            throw try contradiction(error, epoch.snapshot, through: block.height, tell)
        }
        tell(.recounting(height: block.height, coins: shards.coins))
        let built = try count(shards, of: block)
        let values = Values(
            coins: built.totals.coins, amount: built.totals.amount, muhash: built.totals.number.digest)
        let own = built.totals.muhashes(parameters)
        if values == running, own == muhashes { return built }
        discard(built)
        if values == running,
            let shard = own.entries.indices.first(where: { own.entries[$0] != muhashes.entries[$0] })
        {
            throw SetContradiction(
                fault: FileError(
                    data.root,
                    "the coins of shard \(TreePath.shardDigits(shard)) after height \(block.height) have not the MuHash "
                        + "that the blocks leave, although those of all shards together have. Nothing of this height "
                        + "was signed", kind: .conflict),
                height: nil)
        }
        throw try trace(epoch.snapshot, through: block.height, tell)
            ?? SetContradiction(
                fault: FileError(
                    data.root,
                    "the snapshot of height \(block.height) comes to \(values), but what was said of the blocks "
                        + "up to there leaves \(running), although they and their undo data agree with the "
                        + "snapshot before. Nothing of this height was signed", kind: .conflict),
                height: nil)
    }

    /// What to say of changes that do not fit each other, or the snapshot before.
    func contradiction(
        _ error: ChangeError, _ before: SnapshotMerge.Before?, through last: Int, _ tell: (Event) -> Void
    ) throws -> SetContradiction {
        // A coin whose script is said to be another one is looked for in another shard.
        try trace(before, through: last, tell)
            ?? SetContradiction(
                fault: FileError(
                    data.root,
                    "\(error.description), and the blocks and their undo data agree with the snapshot before: the "
                        + "tree is damaged, or was made from other undo data. Nothing of height \(last) was signed",
                    kind: .conflict), height: nil)
    }

    /// Counts the coins of shards that are staged, and stages their filters.
    func count(_ shards: BuiltShards, of block: BlockID) throws -> Built {
        let files = shards.files.map(\.temporary)
        do {
            let (totals, filters) = try SnapshotCount(of: block, parameters).run(
                shards.contents, file: { files[$0] }
            ) { shard, filter in
                (
                    line: Manifest.Filter(filter),
                    file: try data.stage(filter, at: TreePath.filter(shard, of: block))
                )
            }
            return Built(
                manifest: Manifest(
                    zip(shards.contents, filters).map { Manifest.Shard($0, filter: $1.line) }),
                totals: totals, files: shards.files + filters.map(\.file))
        } catch {
            for file in shards.files { data.discard(file) }
            throw error
        }
    }

    /// Holds what the blocks spend to what the blocks before made, as far as that is remembered.
    func checkRecent(
        _ items: [BlockBatch.Item], since position: Position, _ tell: (Event) -> Void
    ) throws {
        guard let last = items.last else { return }
        if !recent.goesOn(from: position.statement?.blockID) {
            try recent.remember(position.epoch.way(parameters), in: data, parameters)
        }
        for alarm in try recent.follow(items.map(\.marks), newest: last.block) {
            let height = items[alarm.block].block.height
            guard
                let found = try trace(
                    position.epoch.snapshot, through: height, only: alarm.outpoint, tell)
            else { continue }
            recent.forget()
            throw found
        }
    }

    /// Looks for what is wrong in the blocks since a snapshot.
    func trace(
        _ before: SnapshotMerge.Before?, through last: Int, only: UInt64? = nil, _ tell: (Event) -> Void
    ) throws -> SetContradiction? {
        try UndoTrace(
            source: source, before: before.map { ($0, Tree(data.root)) },
            heights: (before.map { $0.block.height + 1 } ?? 0)...last
        ).run(only: only) { tell(.tracing(height: $0, to: $1)) }
    }

    /// Works out anew what statements say of the blocks of an epoch, from the coins of the snapshot it began with, up to
    /// the first block of which something else was said.
    ///
    /// - Parameters:
    ///   - last: the height of the last block to look at.
    ///   - isRight: whether this was said of a block; the patch root is nil for the snapshot's own.
    public func firstWrong(
        _ epoch: EpochContents, through last: Int,
        isRight: (_ block: BlockID, _ values: Values, _ patchRoot: Digest?) throws -> Bool
    ) throws -> (block: BlockID, values: Values)? {
        guard let before = epoch.snapshot else { return nil }
        let tree = Tree(data.root)
        let counted = try SnapshotCount(of: before.block, parameters).run(
            before.contents, file: { tree.path(TreePath.shard($0, of: before.block)) }, filter: { _, _ in }
        ).totals
        var (coins, amount) = (Int64(counted.coins), Int64(counted.amount))
        var muhash = counted.number
        func values() -> Values {
            Values(coins: UInt64(max(0, coins)), amount: UInt64(max(0, amount)), muhash: muhash.digest)
        }
        if try !isRight(before.block, values(), nil) { return (before.block, values()) }
        var next = before.block.height + 1
        while next <= last {
            let heights = next..<min(next + source.batch(from: next), last + 1)
            let blocks = try source.blocks(heights)
            let done = try Parallel.map(heights.count, tools: { BlockProcessor(hasElements: true) }) {
                i, work in
                let totals = try work.run(
                    source.blockID(at: heights.lowerBound + i), blocks, source, parameters)
                return (totals: totals, muhash: work.changes.elements.total())
            }
            var inverses = done.map(\.muhash.denominator)
            Num3072.invert(&inverses)
            for (i, done) in done.enumerated() {
                coins += done.totals.coins
                amount += done.totals.amount
                muhash.multiply(by: done.muhash.numerator)
                muhash.multiply(by: inverses[i])
                let block = source.blockID(at: heights.lowerBound + i)
                if try !isRight(block, values(), done.totals.patchRoot) { return (block, values()) }
            }
            next = heights.upperBound
        }
        return nil
    }
}
