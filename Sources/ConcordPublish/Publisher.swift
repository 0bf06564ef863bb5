import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// The way from chain data to a signed tree: block changes → patches → statements → snapshots → signatures, a batch
/// of blocks at a time. Every batch ends in one durable step; a run that is killed is continued by the next.
public struct Publisher {
    /// Blocks of a batch: one flush of the disk and one inverse of the MuHash for all of them.
    private static let batch = 128

    private let source: BlockFolder
    private let chain: BestChain
    private let folder: Folder
    private let parameters: TreeParameters
    private let level: Int
    private let key: SigningKey
    private var attestor: Attestor
    private let rolling: RollingMuHash

    /// - Parameters:
    ///   - tree: the tree, opened for writing.
    ///   - state: the folder of this publisher's own, which must be locked.
    ///   - level: of zstd, 1 to 22.
    public init(
        source: BlockFolder, chain: BestChain, tree: Folder, state: Folder, parameters: TreeParameters,
        level: Int,
        key: SigningKey, name: AuthorityName, software: String, note: String?
    ) {
        self.source = source
        self.chain = chain
        folder = tree
        self.parameters = parameters
        self.level = level
        self.key = key
        attestor = Attestor(
            folder: tree, key: key, name: name, software: software, note: note, parameters: parameters,
            journal: SigningJournal(state: state.root, key: key.publicKey, parameters: parameters))
        rolling = RollingMuHash(state, parameters: parameters)
    }

    /// What a run did.
    public struct Report: Sendable {
        /// The newest statement of the chain, whether this run made it or an earlier one.
        public var statement: Statement
        public var blocks = 0
        public var signatures = 0
        public var snapshots = 0
        /// The highest block that was published before and that the best chain has left.
        public var leftBehind: BlockID?
    }

    /// What is told while it goes on.
    public enum Event: Sendable {
        /// Something that a published block needs to be gone on from is missing or damaged: an earlier one is.
        case goingBack(behind: BlockID, FileError)
        case resuming(height: Int, to: Int)
        case published(height: Int, to: Int)
        case snapshot(height: Int, coins: UInt64)
    }

    /// Where the next batch begins.
    private struct Position {
        var statement: Statement?
        var muhash = Num3072.one
        var epoch = Epoch(start: 0)

        var next: Int { (statement?.height ?? -1) + 1 }
    }

    /// Publishes every block that is not yet, up to `target`. `now` is the time of new attestations, seconds since
    /// 1970.
    public mutating func run(to target: Int, now: () -> Int64, tell: (Event) -> Void) throws -> Report? {
        // However it ends: what is not in its place by then never will be, and a tree is copied to hosts as it is.
        defer { try? folder.removeTemporaries() }
        var (position, leftBehind) = try resume(tell)
        var report = position.statement.map { Report(statement: $0) }
        if let newest = position.statement { try point(to: newest.blockID, position.epoch.headers) }
        if position.next <= target { tell(.resuming(height: position.next, to: target)) }
        while position.next <= target {
            let (statement, signatures) = try publish(
                nextBatch(position, to: target), from: &position, now: now())
            var next = report ?? Report(statement: statement)
            next.blocks += statement.height + 1 - (report.map { $0.statement.height + 1 } ?? 0)
            next.statement = statement
            next.signatures += signatures
            if statement.isEpochStart {
                next.snapshots += 1
                tell(.snapshot(height: statement.height, coins: statement.coins))
            }
            report = next
            tell(.published(height: statement.height, to: target))
        }
        report?.leftBehind = leftBehind
        if let statement = report?.statement, leftBehind != nil { try removeHeaders(above: statement) }
        return report
    }

    /// A reorganisation can end in an earlier epoch than the chain before.
    private func removeHeaders(above statement: Statement) throws {
        for name in try Folder.names(in: folder.path("headers")) {
            guard let start = TreePath.height(digits: name.prefix(7)), start > statement.height else {
                continue
            }
            try folder.remove("headers/\(name)")
        }
    }

    /// An epoch height is a batch of its own; no other batch crosses one.
    private func nextBatch(_ position: Position, to target: Int) -> Range<Int> {
        let next = position.next
        let start = parameters.epochStart(of: next)
        return
            next..<(next == start ? next + 1 : min(next + Self.batch, target + 1, start + parameters.epoch))
    }

    /// The highest published block of the chain that can be gone on from: it has a running value, an attestation to
    /// hold it to, and its epoch is in the tree. Where anything of that is missing or damaged, an earlier block does,
    /// and what follows it is worked out once more: what the tree has must turn out the same, the rest comes back.
    private func resume(_ tell: (Event) -> Void) throws -> (Position, leftBehind: BlockID?) {
        var leftBehind: BlockID?
        var isTold = false
        for block in try rolling.blocks() {
            guard block.height <= chain.tip, chain.blockID(at: block.height) == block else {
                // In a reorganisation the node keeps the block it leaves.
                guard chain.knows(block.hash) || !folder.contains(TreePath.attestation(block, parameters))
                else {
                    throw FileError(
                        source.path,
                        "does not hold block \(block.hash.reversedHex), which was published at height \(block.height): "
                            + "the node is behind the tree, or it is another node's. Let it finish its work, or give "
                            + "another --datadir")
                }
                // A chain that is shorter has not left the block: a node that is being reindexed has yet to come to it.
                if block.height > chain.tip { continue }
                leftBehind = leftBehind ?? block
                continue
            }
            do {
                return (try position(at: block), leftBehind)
            } catch let error as FileError where error.isMissing || error.isContent {
                if !isTold { tell(.goingBack(behind: block, error)) }
                isTold = true
            }
        }
        return (Position(), leftBehind)
    }

    private func position(at block: BlockID) throws -> Position {
        let tree = Tree(folder.root)
        let statement = try tree.attestation(of: block, parameters: parameters, key: key.publicKey).statement
        return Position(
            statement: statement, muhash: try rolling.read(block, expecting: statement.muhash),
            epoch: try .resuming(at: statement, tree: tree, key: key.publicKey, chain: chain, source: source))
    }

    /// One durable step: data, then attestations, then headers, then the hint, then the state.
    private mutating func publish(
        _ heights: Range<Int>, from position: inout Position, now: Int64
    ) throws -> (newest: Statement, signatures: Int) {
        let items = try BlockBatch(
            source: source, chain: chain, folder: folder, parameters: parameters, level: level
        ).work(heights)
        try folder.install(items.compactMap(\.patch))

        var inverses = items.map(\.totals.muhash.denominator)
        Num3072.invert(&inverses)
        var statements: [Statement] = []
        for (item, inverse) in zip(items, inverses) {
            position.muhash.multiply(by: item.totals.muhash.numerator)
            position.muhash.multiply(by: inverse)
            try checkClock(now, item)
            let statement = try self.statement(item, at: &position)
            position.statement = statement
            position.epoch.headers += item.header
            statements.append(statement)
        }
        guard let newest = statements.last else { preconditionFailure("a batch has blocks") }
        let signatures = try attestor.attest(statements, now: now)
        try point(to: newest.blockID, position.epoch.headers)
        try rolling.write(position.muhash, for: newest.blockID)
        return (newest, signatures)
    }

    /// A time of attestation is signed for ever; miners' clocks are at most two hours ahead.
    private func checkClock(_ now: Int64, _ item: BlockBatch.Item) throws(FileError) {
        guard now >= Int64(item.totals.header.time) - 7200 else {
            throw FileError(
                source.path,
                "the block of height \(item.block.height) is of \(Timestamp.text(Int64(item.totals.header.time))), but "
                    + "this machine's clock says \(Timestamp.text(now)): set the clock")
        }
    }

    /// Writes the two files that change, headers and hint, unless they are right. Where the tree is further already,
    /// on this chain or on one that the node has yet to come to, they stay: work that is done once more takes nothing
    /// back.
    private func point(to block: BlockID, _ headers: [UInt8]) throws {
        let path = TreePath.headers(epochOf: block.height, parameters)
        if isFurther(than: block) {
            let bytes = try? File.read(folder.path(path), atMost: BlockHeader.size * parameters.epoch)
            if bytes?.starts(with: headers) != true { try folder.write(headers, at: path) }
        } else {
            try folder.write(headers, at: path)
            try folder.write(Array("\(block)\n".utf8), at: TreePath.latest)
        }
    }

    /// Whether the hint names this block or a later one: of this chain, or above it, attested by this key.
    private func isFurther(than block: BlockID) -> Bool {
        let tree = Tree(folder.root)
        guard let latest = try? tree.latest(), latest.height >= block.height else { return false }
        if latest.height <= chain.tip { return chain.blockID(at: latest.height) == latest }
        return (try? tree.attestation(of: latest, parameters: parameters, key: key.publicKey)) != nil
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
                source.path,
                "the block of height \(item.block.height) spends more than there is: its undo data is damaged"
            )
        }
        let history: Digest
        var snapshotRoot: Digest?
        if let before, item.block.height != parameters.epochStart(of: item.block.height) {
            history = Statement.history(after: before.history, block: item.block.hash, patchRoot: patch.root)
        } else {
            let manifest = try snapshot(item.block, position.epoch)
            position.epoch = Epoch(
                start: item.block.height,
                snapshot: SnapshotMerge.Before(block: item.block, manifest: manifest))
            guard manifest.coins == UInt64(coins) else {
                throw FileError(
                    folder.path(TreePath.manifest(item.block)),
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

    /// Builds the snapshot of an epoch height; one that the tree has must be the same.
    private func snapshot(_ block: BlockID, _ epoch: Epoch) throws -> Manifest {
        let builder = SnapshotBuilder(folder: folder, parameters: parameters, level: level)
        let (manifest, shards) = try builder.build(block, before: epoch.snapshot, patches: epoch.patches)
        if folder.contains(TreePath.manifest(block)) {
            _ = try Tree(folder.root).manifest(of: block, parameters: parameters, root: manifest.root)
            for shard in shards where folder.contains(shard.path) { folder.discard(shard) }
            try folder.install(shards.filter { !folder.contains($0.path) })
        } else {
            // The manifest comes when all that it lists is there for good.
            try folder.install(shards)
            try folder.write(Array(manifest.text.utf8), at: TreePath.manifest(block))
        }
        return manifest
    }
}
