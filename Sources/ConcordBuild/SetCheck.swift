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

    /// The snapshot of an epoch height, staged: its coins must come to what the blocks leave. Each coin that a block
    /// claims to spend goes into the running MuHash, so that a coin that was another one in the set shows here.
    func snapshot(
        of block: BlockID, _ epoch: EpochContents, expecting running: Values, _ tell: (Event) -> Void
    ) throws -> Built {
        let builder = SnapshotBuilder(folder: data, parameters: parameters, level: level)
        let built: Built
        do {
            built = try builder.build(block, before: epoch.snapshot, patches: epoch.patches)
        } catch let error as ChangeError {
            // A coin whose script is said to be another one is looked for in another shard.
            throw try trace(epoch.snapshot, through: block.height, tell)
                ?? SetContradiction(
                    fault: FileError(
                        data.root,
                        "\(error.description), and the blocks and their undo data agree with the snapshot before: the "
                            + "tree is damaged, or was made from other undo data. Nothing of height "
                            + "\(block.height) was signed", kind: .conflict), height: nil)
        }
        do {
            tell(.recounting(height: block.height, coins: built.manifest.coins))
            let counted = try count(built)
            let values = Values(
                coins: counted.coins, amount: counted.amount, muhash: counted.muhash.digest())
            if values == running { return built }
            throw try trace(epoch.snapshot, through: block.height, tell)
                ?? SetContradiction(
                    fault: FileError(
                        data.root,
                        "the snapshot of height \(block.height) comes to \(values), but what was said of the blocks "
                            + "up to there leaves \(running), although they and their undo data agree with the "
                            + "snapshot before. Nothing of this height was signed", kind: .conflict),
                    height: nil)
        } catch {
            for shard in built.shards { data.discard(shard) }
            throw error
        }
    }

    /// What the coins of a staged snapshot come to.
    func count(_ built: Built) throws -> SnapshotAudit.Totals {
        let files = built.shards.map(\.temporary)
        return try SnapshotAudit.totals(built.manifest, parameters) { files[$0] }
    }

    /// Holds what the blocks spend to what the blocks before made, as far as that is remembered.
    func checkRecent(
        _ items: [BlockBatch.Item], since position: Position, _ tell: (Event) -> Void
    ) throws {
        guard let last = items.last else { return }
        if !recent.goesOn(from: position.statement?.blockID) {
            try recent.remember(position.epoch.patches, in: data, parameters)
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
        let counted = try SnapshotAudit(tree: Tree(data.root), parameters: parameters)
            .totals(before.block, before.manifest)
        var (coins, amount) = (Int64(counted.coins), Int64(counted.amount))
        var muhash = counted.muhash.quotient()
        func values() -> Values {
            Values(coins: UInt64(max(0, coins)), amount: UInt64(max(0, amount)), muhash: muhash.digest)
        }
        if try !isRight(before.block, values(), nil) { return (before.block, values()) }
        var next = before.block.height + 1
        while next <= last {
            let heights = next..<min(next + source.batch(from: next), last + 1)
            let blocks = try source.blocks(heights)
            let totals = try Parallel.map(heights.count, tools: { BlockProcessor(hasMuHash: true) }) {
                i, work in
                try work.run(source.blockID(at: heights.lowerBound + i), blocks, source, parameters)
            }
            var inverses = totals.map(\.muhash.denominator)
            Num3072.invert(&inverses)
            for (i, totals) in totals.enumerated() {
                coins += totals.coins
                amount += totals.amount
                muhash.multiply(by: totals.muhash.numerator)
                muhash.multiply(by: inverses[i])
                let block = source.blockID(at: heights.lowerBound + i)
                if try !isRight(block, values(), totals.patchRoot) { return (block, values()) }
            }
            next = heights.upperBound
        }
        return nil
    }
}
