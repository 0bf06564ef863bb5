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
        /// The set after it, in numbers.
        public var running: RunningSet
        public var epoch: EpochContents

        /// Before the genesis block.
        public init(_ parameters: TreeParameters) {
            self.init(statement: nil, running: RunningSet(parameters), epoch: EpochContents(start: 0))
        }

        public init(statement: Statement?, running: RunningSet, epoch: EpochContents) {
            self.statement = statement
            self.running = running
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

    /// Goes over the next blocks of the chain: what belongs to each, and at an epoch height its snapshot, is in its place
    /// when it returns.
    ///
    /// - Throws: `SetContradiction` where the blocks claim to spend other coins than the set has; then nothing of this
    ///   batch is in its place.
    public func advance(
        _ position: inout Position, over heights: Range<Int>, tell: (Event) -> Void = { _ in }
    ) throws -> [Statement] {
        let items = try batch.process(heights)
        try checkRecent(items, since: position, tell)
        // Where a batch ends early, none of it is said.
        var next = position
        let states = try next.running.apply(items.map(\.elements))
        let files =
            try zip(items, states).compactMap { try dataFiles.stage($1.muhashes, of: $0.block) }
            + items.compactMap(\.patch)
        try data.install(files)
        var written = files.map(\.path)
        var statements: [Statement] = []
        do {
            for (item, state) in zip(items, states) {
                let statement = try statement(item, state, at: &next, &written, tell)
                next.statement = statement
                next.epoch.add(statement)
                next.epoch.headers += item.header
                statements.append(statement)
            }
        } catch let error as SetContradiction {
            for path in written { try data.remove(path) }
            throw error
        }
        position = next
        return statements
    }

    private var dataFiles: DataFiles {
        DataFiles(folder: data, parameters: parameters, isFixed: isFixed)
    }

    private var batch: BlockBatch { BlockBatch(source: source, parameters: parameters, data: dataFiles) }

    /// What is to be said of a block: its deltas are made, and at an epoch height its snapshot, and installed first.
    ///
    /// - Parameter written: the paths of deltas are added that were not there.
    private func statement(
        _ item: BlockBatch.Item, _ state: (muhash: Digest, muhashes: ShardMuHashes),
        at position: inout Position, _ written: inout [String], _ tell: (Event) -> Void
    ) throws -> Statement {
        let (before, height) = (position.statement, item.block.height)
        let coins = Int64(before?.coins ?? 0) + item.totals.coins
        let amount = Int64(before?.amount ?? 0) + item.totals.amount
        guard coins >= 0, (0...Int64(Amount.most)).contains(amount) else {
            throw try trace(position.epoch.snapshot, through: height, tell)
                ?? FileError(
                    source.name,
                    "the block of height \(height) spends more than there is: its undo data is damaged")
        }
        position.epoch.add(ChangeFile(block: item.block, span: 1, root: item.totals.patchRoot))
        let deltas = try makeDeltas(item.block, &position.epoch, &written, tell)
        var snapshotRoot: Digest?
        if height == parameters.epochStart(of: height) {
            let running = Values(coins: UInt64(coins), amount: UInt64(amount), muhash: state.muhash)
            let manifest = try install(
                snapshot(of: item.block, position.epoch, expecting: running, state.muhashes, tell),
                of: item.block)
            position.epoch = EpochContents(
                start: height,
                snapshot: SnapshotMerge.Before(block: item.block, contents: manifest.contents))
            snapshotRoot = manifest.root
        }
        return Statement(
            network: source.network, parameters: parameters, height: height, block: item.block.hash,
            parent: item.totals.header.parent, coins: UInt64(coins), amount: UInt64(amount),
            muhash: state.muhash, muhashes: state.muhashes.root, patchRoot: item.totals.patchRoot,
            deltas: deltas, history: position.epoch.history(at: height, parameters),
            snapshotRoot: snapshotRoot)
    }

    /// The deltas that end with a block, the shorter first, for the longer ones are made of them. Gives their roots.
    private func makeDeltas(
        _ block: BlockID, _ epoch: inout EpochContents, _ written: inout [String], _ tell: (Event) -> Void
    ) throws -> [Digest] {
        var roots: [Digest] = []
        for span in parameters.deltaSpans(at: block.height) {
            do {
                let parts = PatchSections(
                    root: data.root, parameters: parameters,
                    files: epoch.parts(of: span, to: block.height, parameters))
                let (delta, isNew) = try dataFiles.makeDelta(span, endingWith: block, of: .files(parts))
                if isNew { written.append(delta.path(parameters)) }
                epoch.add(delta)
                roots.append(delta.root)
            } catch let error as ChangeError {
                throw try contradiction(error, epoch.snapshot, through: block.height, tell)
            }
        }
        return roots
    }

    /// Puts the snapshot of an epoch height in its place; one that is there must be the same.
    func install(_ built: Built, of block: BlockID) throws -> Manifest {
        let manifest = built.manifest
        let isThere = try data.contains(TreePath.manifest(block))
        let known = Result {
            try Tree(data.root).manifest(of: block, parameters: parameters, root: manifest.root)
        }
        if isThere, try isFixed(block) { _ = try known.get() }
        if isThere, case .success = known {
            for file in built.files where try data.contains(file.path) { data.discard(file) }
            let missing = try built.files.filter { try !data.contains($0.path) }
            if !missing.isEmpty { try removeTorrent(block) }
            try data.install(missing)
        } else {
            // The manifest comes when all that it lists is there for good.
            try removeTorrent(block)
            try data.remove(TreePath.manifest(block))
            try data.install(built.files)
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

    /// The position at an epoch height whose set is known otherwise: from the blocks before, folded, or from a dump. What
    /// is to be said of the set is counted from its shards, staged, which are then installed; patch and deltas are worked
    /// out from the block and those before it.
    ///
    /// - Parameter expected: the MuHash that the set must have, if that is known.
    public func begin(
        with shards: BuiltShards, at block: BlockID, expecting expected: Digest? = nil
    ) throws -> (Position, Statement) {
        let built = try count(shards, of: block)
        guard built.totals.amount <= Amount.most else {
            throw FileError(
                source.name,
                "the set of height \(block.height) holds more than 21 million bitcoin: what it is made of is damaged"
            )
        }
        let running = RunningSet(built.totals, parameters)
        guard expected == nil || running.muhash == expected else {
            discard(built)
            throw FileError(
                source.name,
                "the set of height \(block.height), block \(block.hash.reversedHex), has the MuHash "
                    + "\(running.muhash.reversedHex), not \(expected?.reversedHex ?? ""): what it is made of, or where "
                    + "that MuHash comes from, is wrong. Nothing was signed", kind: .conflict)
        }
        let item = try batch.process(block.height..<block.height + 1)[0]
        let muhashes = running.muhashes
        try data.install([try dataFiles.stage(muhashes, of: block), item.patch].compactMap(\.self))
        let deltas = try deltas(before: block)
        let manifest = try install(built, of: block)
        let statement = Statement(
            network: source.network, parameters: parameters, height: block.height, block: block.hash,
            parent: item.totals.header.parent, coins: built.totals.coins, amount: built.totals.amount,
            muhash: running.muhash, muhashes: muhashes.root, patchRoot: item.totals.patchRoot,
            deltas: deltas, history: [], snapshotRoot: manifest.root)
        var epoch = EpochContents(
            start: block.height, snapshot: SnapshotMerge.Before(block: block, contents: manifest.contents))
        epoch.add(statement)
        epoch.headers = item.header
        return (Position(statement: statement, running: running, epoch: epoch), statement)
    }

    /// The deltas that end with a block whose ancestors are not published, from the blocks themselves: no set is needed for
    /// what they do. Gives their roots.
    private func deltas(before block: BlockID) throws -> [Digest] {
        let spans = parameters.deltaSpans(at: block.height)
        guard let longest = spans.last else { return [] }
        let pieces = try changes(of: block.height - longest + 1..<block.height + 1)
        return try spans.map { span in
            let parts = PatchSections.Loaded(pieces: Array(pieces.suffix(span)))
            return try dataFiles.makeDelta(span, endingWith: block, of: .loaded(parts)).file.root
        }
    }

    /// What each of these blocks does, as canonical patches.
    func changes(of heights: Range<Int>) throws -> [PatchSections.Piece] {
        let blocks = try source.blocks(heights)
        return try Parallel.map(heights.count, tools: { BlockProcessor(hasElements: false) }) { i, work in
            let height = heights.lowerBound + i
            _ = try work.run(source.blockID(at: height), blocks, source, parameters)
            return try PatchSections.Piece(
                height: height, patch: work.changes.patch.bytes, shards: parameters.shards)
        }
    }

    /// Removes patches and snapshots of epochs that neither the next snapshot nor a reorganisation across the epoch
    /// height needs.
    public func removeOld(below newest: BlockID) throws {
        _ = try TreePruning(keep: TreePruning.least)?.run(data, newest: newest, parameters)
    }
}
