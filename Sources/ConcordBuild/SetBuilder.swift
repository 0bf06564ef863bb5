import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// The way from chain data to statements: block changes → patches → running values → snapshots. It signs nothing: a
/// publisher does that with what comes of it, an auditor compares.
public struct SetBuilder: Sendable {
    public let source: any ChainSource
    /// Where patches and snapshots are, in the layout of a tree.
    public let data: Folder
    public let parameters: TreeParameters
    /// Of zstd.
    public let level: Int
    /// Whether a block's data is fixed for good, because it was signed for; other data that is there, of a run that was
    /// refused, is replaced where it is wrong.
    let isFixed: @Sendable (BlockID) throws(FileError) -> Bool

    /// - Parameter level: of zstd, 1 to 22.
    public init(
        source: any ChainSource, data: Folder, parameters: TreeParameters, level: Int,
        isFixed: @escaping @Sendable (BlockID) throws(FileError) -> Bool
    ) {
        self.source = source
        self.data = data
        self.parameters = parameters
        self.level = level
        self.isFixed = isFixed
    }

    /// Where the next batch begins.
    public struct Position: Sendable {
        /// What is to be said of the block before; nil before the genesis block.
        public var statement: Statement?
        /// The MuHash of the set, as a number.
        public var muhash: Num3072
        public var epoch: Epoch

        /// Before the genesis block.
        public init() {
            self.init(statement: nil, muhash: .one, epoch: Epoch(start: 0))
        }

        public init(statement: Statement?, muhash: Num3072, epoch: Epoch) {
            self.statement = statement
            self.muhash = muhash
            self.epoch = epoch
        }

        public var next: Int { (statement?.height ?? -1) + 1 }
    }

    /// What is to be said of a block.
    public struct Step: Sendable {
        public let statement: Statement
        /// The miner's, seconds since 1970.
        public let time: UInt32
    }

    /// The blocks to go over next: an epoch height is a batch of its own; no other batch crosses one.
    public func nextBatch(_ position: Position, to target: Int) -> Range<Int> {
        let next = position.next
        let start = parameters.epochStart(of: next)
        if next == start { return next..<next + 1 }
        return next..<min(next + source.batch(from: next), target + 1, start + parameters.epoch)
    }

    /// Goes over the next blocks of the chain: their patches, and at an epoch height its snapshot, are in their places
    /// when it returns.
    public func advance(_ position: inout Position, over heights: Range<Int>) throws -> [Step] {
        let items = try batch.work(heights)
        try data.install(items.compactMap(\.patch))
        var inverses = items.map(\.totals.muhash.denominator)
        Num3072.invert(&inverses)
        var steps: [Step] = []
        for (item, inverse) in zip(items, inverses) {
            position.muhash.multiply(by: item.totals.muhash.numerator)
            position.muhash.multiply(by: inverse)
            let statement = try statement(item, at: &position)
            position.statement = statement
            position.epoch.headers += item.header
            steps.append(Step(statement: statement, time: item.totals.header.time))
        }
        return steps
    }

    private var batch: BlockBatch {
        BlockBatch(source: source, folder: data, parameters: parameters, level: level, isFixed: isFixed)
    }

    /// What is to be said of a block; at an epoch height its snapshot is built and installed first.
    private func statement(_ item: BlockBatch.Item, at position: inout Position) throws -> Statement {
        let before = position.statement
        let patch = SnapshotMerge.Patch(block: item.block, root: item.totals.patchRoot)
        position.epoch.patches.append(patch)
        let coins = Int64(before?.coins ?? 0) + item.totals.coins
        let amount = Int64(before?.amount ?? 0) + item.totals.amount
        guard coins >= 0, (0...Int64(Amount.most)).contains(amount) else {
            throw FileError(
                source.name,
                "the block of height \(item.block.height) spends more than there is: its undo data is damaged"
            )
        }
        let history: Digest
        var snapshotRoot: Digest?
        if let before, item.block.height != parameters.epochStart(of: item.block.height) {
            history = Statement.history(after: before.history, block: item.block.hash, patchRoot: patch.root)
        } else {
            let builder = SnapshotBuilder(folder: data, parameters: parameters, level: level)
            let manifest = try install(
                builder.build(
                    item.block, before: position.epoch.snapshot, patches: position.epoch.patches),
                of: item.block)
            position.epoch = Epoch(
                start: item.block.height,
                snapshot: SnapshotMerge.Before(block: item.block, manifest: manifest))
            guard manifest.coins == UInt64(coins) else {
                throw FileError(
                    data.path(TreePath.manifest(item.block)),
                    "holds \(manifest.coins) coins, but the blocks up to height \(item.block.height) leave \(coins): "
                        + "the node's undo data or this tree is damaged. Nothing was signed; try another node's data"
                )
            }
            history = manifest.root
            snapshotRoot = manifest.root
        }
        return Statement(
            network: source.network, parameters: parameters, height: item.block.height,
            block: item.block.hash,
            parent: item.totals.header.parent, coins: UInt64(coins), amount: UInt64(amount),
            muhash: position.muhash.digest, patchRoot: patch.root, history: history,
            snapshotRoot: snapshotRoot)
    }

    /// Puts the snapshot of an epoch height in its place; one that is there must be the same.
    func install(
        _ built: (manifest: Manifest, shards: [Folder.Staged]), of block: BlockID
    ) throws -> Manifest {
        let (manifest, shards) = built
        let isThere = try data.contains(TreePath.manifest(block))
        let known = Result {
            try Tree(data.root).manifest(of: block, parameters: parameters, root: manifest.root)
        }
        if isThere, try isFixed(block) { _ = try known.get() }
        if isThere, case .success = known {
            for shard in shards where try data.contains(shard.path) { data.discard(shard) }
            let missing = try shards.filter { try !data.contains($0.path) }
            if !missing.isEmpty { try removeTorrent(block) }
            try data.install(missing)
        } else {
            // The manifest comes when all that it lists is there for good.
            try removeTorrent(block)
            try data.remove(TreePath.manifest(block))
            try data.install(shards)
            try data.write(Array(manifest.text.utf8), at: TreePath.manifest(block))
        }
        return manifest
    }

    /// A torrent is of a shard's file as it is, and another one can have other bytes for the same coins.
    private func removeTorrent(_ block: BlockID) throws {
        try data.remove(TreePath.magnet(block))
        try data.remove(TreePath.torrent(block))
    }

    // MARK: a start at a height

    /// The position at an epoch height whose set is known otherwise: from the blocks before, folded, or from a dump.
    /// Its snapshot, staged, is installed; coins, amount and MuHash are counted from it, once, and the patch of its
    /// block is worked out like any other.
    public func begin(
        with built: (manifest: Manifest, shards: [Folder.Staged]), at block: BlockID
    ) throws -> (Position, Step) {
        let manifest = try install(built, of: block)
        let items = try batch.work(block.height..<block.height + 1)
        try data.install(items.compactMap(\.patch))
        let item = items[0]
        let totals = try SnapshotAudit(tree: Tree(data.root), parameters: parameters).totals(block, manifest)
        guard totals.amount <= Amount.most else {
            throw FileError(
                data.path(TreePath.manifest(block)),
                "holds more than 21 million bitcoin: what it is made of is damaged")
        }
        let muhash = totals.muhash.quotient()
        let statement = Statement(
            network: source.network, parameters: parameters, height: block.height, block: block.hash,
            parent: item.totals.header.parent, coins: totals.coins, amount: totals.amount,
            muhash: muhash.digest, patchRoot: item.totals.patchRoot, history: manifest.root,
            snapshotRoot: manifest.root)
        var epoch = Epoch(
            start: block.height, snapshot: SnapshotMerge.Before(block: block, manifest: manifest))
        epoch.headers = item.header
        return (
            Position(statement: statement, muhash: muhash, epoch: epoch),
            Step(statement: statement, time: item.totals.header.time)
        )
    }

    /// Removes patches and snapshots of epochs that neither the next snapshot nor a reorganisation across the epoch
    /// height needs.
    public func removeOld(below newest: BlockID) throws {
        _ = try TreePruning(keep: TreePruning.least)?.run(data, newest: newest, parameters)
    }
}
