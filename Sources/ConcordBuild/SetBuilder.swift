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
    let recent: RecentCoins

    /// What is told while it goes on.
    public enum Event: Sendable {
        /// The coins of a snapshot that is not in its place yet are counted.
        case recounting(height: Int, coins: UInt64)
        /// Something is wrong; the blocks since the snapshot before are read again to find where.
        case tracing(height: Int, to: Int)
    }

    /// - Parameters:
    ///   - level: of zstd, 1 to 22.
    ///   - recent: kept by the caller where builders follow each other on one chain.
    public init(
        source: any ChainSource, data: Folder, parameters: TreeParameters, level: Int,
        recent: RecentCoins = RecentCoins(),
        isFixed: @escaping @Sendable (BlockID) throws(FileError) -> Bool
    ) {
        self.recent = recent
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
        public var epoch: EpochContents

        /// Before the genesis block.
        public init() {
            self.init(statement: nil, muhash: .one, epoch: EpochContents(start: 0))
        }

        public init(statement: Statement?, muhash: Num3072, epoch: EpochContents) {
            self.statement = statement
            self.muhash = muhash
            self.epoch = epoch
        }

        public var next: Int { (statement?.height ?? -1) + 1 }
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
    ///
    /// - Throws: `SetContradiction` where the blocks claim to spend other coins than the set has; then nothing of this
    ///   batch is in its place.
    public func advance(
        _ position: inout Position, over heights: Range<Int>, tell: (Event) -> Void = { _ in }
    ) throws -> [Statement] {
        let items = try batch.process(heights)
        try checkRecent(items, since: position, tell)
        try data.install(items.compactMap(\.patch))
        var inverses = items.map(\.totals.muhash.denominator)
        Num3072.invert(&inverses)
        var statements: [Statement] = []
        // Where a batch ends early, none of it is said.
        var next = position
        for (item, inverse) in zip(items, inverses) {
            next.muhash.multiply(by: item.totals.muhash.numerator)
            next.muhash.multiply(by: inverse)
            let statement: Statement
            do {
                statement = try self.statement(item, at: &next, tell)
            } catch let error as SetContradiction {
                for item in items where item.patch != nil {
                    try data.remove(TreePath.patch(item.block, parameters))
                }
                throw error
            }
            next.statement = statement
            next.epoch.headers += item.header
            statements.append(statement)
        }
        position = next
        return statements
    }

    private var batch: BlockBatch {
        BlockBatch(source: source, folder: data, parameters: parameters, level: level, isFixed: isFixed)
    }

    /// What is to be said of a block; at an epoch height its snapshot is built and installed first.
    private func statement(
        _ item: BlockBatch.Item, at position: inout Position, _ tell: (Event) -> Void
    ) throws -> Statement {
        let before = position.statement
        let patch = SnapshotMerge.Patch(block: item.block, root: item.totals.patchRoot)
        position.epoch.patches.append(patch)
        let coins = Int64(before?.coins ?? 0) + item.totals.coins
        let amount = Int64(before?.amount ?? 0) + item.totals.amount
        guard coins >= 0, (0...Int64(Amount.most)).contains(amount) else {
            throw try trace(position.epoch.snapshot, through: item.block.height, tell)
                ?? FileError(
                    source.name,
                    "the block of height \(item.block.height) spends more than there is: its undo data is damaged"
                )
        }
        let history: Digest
        var snapshotRoot: Digest?
        if let before, item.block.height != parameters.epochStart(of: item.block.height) {
            history = Statement.history(after: before.history, block: item.block.hash, patchRoot: patch.root)
        } else {
            let running = Values(
                coins: UInt64(coins), amount: UInt64(amount), muhash: position.muhash.digest)
            let manifest = try install(
                snapshot(of: item.block, position.epoch, expecting: running, tell), of: item.block)
            position.epoch = EpochContents(
                start: item.block.height,
                snapshot: SnapshotMerge.Before(block: item.block, manifest: manifest))
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

    /// A snapshot that is not in its place yet: its manifest, and its shards in order.
    public typealias Built = (manifest: Manifest, shards: [Folder.Staged])

    /// Puts the snapshot of an epoch height in its place; one that is there must be the same.
    func install(_ built: Built, of block: BlockID) throws -> Manifest {
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
    /// Coins, amount and MuHash are counted from its snapshot, staged, which is then installed, and the patch of its
    /// block is worked out like any other.
    ///
    /// - Parameter expected: the MuHash that the set must have, if that is known.
    public func begin(with built: Built, at block: BlockID, expecting expected: Digest? = nil) throws -> (
        Position, Statement
    ) {
        let totals = try count(built)
        guard totals.amount <= Amount.most else {
            throw FileError(
                source.name,
                "the set of height \(block.height) holds more than 21 million bitcoin: what it is made of is damaged"
            )
        }
        let muhash = totals.muhash.quotient()
        guard expected == nil || muhash.digest == expected else {
            for shard in built.shards { data.discard(shard) }
            throw FileError(
                source.name,
                "the set of height \(block.height), block \(block.hash.reversedHex), has the MuHash "
                    + "\(muhash.digest.reversedHex), not \(expected?.reversedHex ?? ""): what it is made of, or where "
                    + "that MuHash comes from, is wrong. Nothing was signed", kind: .conflict)
        }
        let manifest = try install(built, of: block)
        let items = try batch.process(block.height..<block.height + 1)
        try data.install(items.compactMap(\.patch))
        let item = items[0]
        let statement = Statement(
            network: source.network, parameters: parameters, height: block.height, block: block.hash,
            parent: item.totals.header.parent, coins: totals.coins, amount: totals.amount,
            muhash: muhash.digest, patchRoot: item.totals.patchRoot, history: manifest.root,
            snapshotRoot: manifest.root)
        var epoch = EpochContents(
            start: block.height, snapshot: SnapshotMerge.Before(block: block, manifest: manifest))
        epoch.headers = item.header
        return (Position(statement: statement, muhash: muhash, epoch: epoch), statement)
    }

    /// Removes patches and snapshots of epochs that neither the next snapshot nor a reorganisation across the epoch
    /// height needs.
    public func removeOld(below newest: BlockID) throws {
        _ = try TreePruning(keep: TreePruning.least)?.run(data, newest: newest, parameters)
    }
}
