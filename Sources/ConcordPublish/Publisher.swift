import Concord
import ConcordBuild
import ConcordChain
import ConcordFiles
import ConcordTree

/// The way from chain data to a signed tree: statements and their data from a `SetBuilder`, a batch of blocks at a
/// time, then signatures. Every batch ends in one durable step; a run that is killed is continued by the next.
public struct Publisher {
    private let builder: SetBuilder
    private let folder: Folder
    private let state: Folder
    private let key: SigningKey
    private var attestor: Attestor
    private let rolling: RollingMuHash
    private let first: Int
    private let beginning: Beginning
    private let expected: Digest?
    private let torrents: SnapshotTorrents
    private let clock: SigningClock
    /// Of the newest attestation by this key, seconds since 1970.
    private var newestSigned: Int64?
    /// Where the last run ended, for the next one of this process to go on from without reading the epoch; nil where it
    /// failed.
    public private(set) var reached: SetBuilder.Position?
    private var source: any ChainSource { builder.source }
    private var parameters: TreeParameters { builder.parameters }

    /// Where the set at the first height of a tree comes from, if that is not the genesis block's.
    public enum Beginning: Sendable {
        /// From all blocks up to there, gone over in so many bytes of memory.
        case blocks(memory: Int)
        /// From the path of a `dumptxoutset` file of that block.
        case dump(String)
    }

    /// Who signs, and what stands in every attestation.
    public struct Signer {
        let key: SigningKey
        let name: AuthorityName
        let software: String
        let note: String?

        public init(key: SigningKey, name: AuthorityName, software: String, note: String?) {
            self.key = key
            self.name = name
            self.software = software
            self.note = note
        }
    }

    /// - Parameters:
    ///   - builder: its data folder is the tree, or a folder of the publisher's own where only attestations are
    ///     published.
    ///   - tree: the tree, opened for writing.
    ///   - state: the folder of this publisher's own, which must be locked.
    ///   - first: the epoch height that the tree begins with.
    ///   - expected: the MuHash that the set there must have, if that is known.
    ///   - webSeeds: URLs of the tree, for the torrents of its snapshots.
    ///   - clock: what the times of new attestations are held to.
    ///   - reached: of the publisher before, where this process has held the folders' locks since.
    public init(
        _ builder: SetBuilder, tree: Folder, state: Folder, first: Int = 0,
        beginning: Beginning = .blocks(memory: InitialReplay.defaultMemory), expected: Digest? = nil,
        webSeeds: [String] = [], clock: SigningClock = SigningClock(),
        reached: SetBuilder.Position? = nil, signer: Signer
    ) {
        self.builder = builder
        self.reached = reached
        folder = tree
        self.state = state
        self.first = first
        self.beginning = beginning
        self.clock = clock
        self.expected = expected
        torrents = SnapshotTorrents(folder: tree, parameters: builder.parameters, webSeeds: webSeeds)
        key = signer.key
        attestor = Attestor(
            folder: tree, key: key, name: signer.name, software: signer.software, note: signer.note,
            parameters: builder.parameters,
            journal: SigningJournal(state: state.root, key: key.publicKey, parameters: builder.parameters))
        rolling = RollingMuHash(state, parameters: builder.parameters)
    }

    private var wrongStatements: WrongStatements {
        WrongStatements(builder: builder, tree: folder, state: state, key: key.publicKey)
    }

    private var head: TreeTip { TreeTip(folder: folder, parameters: parameters, source: source) }

    private func isAttested(_ block: BlockID) throws(FileError) -> Bool {
        try folder.contains(TreePath.attestation(block, parameters))
    }

    /// Whether only attestations are published.
    private var isWitness: Bool { builder.data.root != folder.root }

    /// What a run did.
    public struct Report: Sendable {
        /// The newest statement of the chain, whether this run made it or an earlier one.
        public var statement: Statement
        public var blocks = 0
        public var signatures = 0
        public var snapshots = 0
        /// The block that the tree pointed to before this run, if the best chain has left it.
        public var leftBehind: BlockID?
    }

    /// What is told while it goes on.
    public enum Event: Sendable {
        /// Something that a published block needs to be gone on from is missing or damaged: an earlier one is.
        case goingBack(behind: BlockID, FileError)
        /// Before the first statement of a tree that begins at a height: the blocks below it are gone over.
        case replaying(InitialReplay.Event)
        /// Or a dump is partitioned into shards.
        case reading(coins: UInt64, of: UInt64)
        /// The coins of the first snapshot are counted.
        case counting
        /// A batch is checked.
        case building(SetBuilder.Event)
        case resuming(height: Int, to: Int)
        case published(height: Int, to: Int)
        case snapshot(height: Int, coins: UInt64)
        /// The torrent of a snapshot is made.
        case torrent(height: Int)
    }

    /// Publishes every block that is not yet, up to `target`.
    ///
    /// - Parameters:
    ///   - now: the time of new attestations, seconds since 1970.
    ///   - isStopping: asked between durable steps; once it says so, the run ends as if it had reached its target.
    public mutating func run(
        to target: Int, now: () -> Int64, isStopping: () -> Bool = { false }, tell: (Event) -> Void
    ) throws -> Report? {
        // However it ends: what is not in its place by then never will be, and a tree is copied to hosts as it is.
        defer {
            try? folder.removeTemporaries()
            if isWitness { try? builder.data.removeTemporaries() }
        }
        let leftBehind = try head.left()
        let known = reached
        reached = nil
        var position = try resume(known, tell)
        var report = position.statement.map { Report(statement: $0) }
        if position.statement != nil { try checkBeginning() }
        if let newest = position.statement {
            try state.removeTree("replay")
            try head.writeHeaders(below: position.epoch.start)
            try head.point(to: newest.blockID, position.epoch.headers)
        }
        newestSigned = try attestor.journal.newestTime()
        if position.next <= target {
            // Before work that may take days.
            if try !isAttested(source.blockID(at: target)) {
                try checkClock(now(), through: target)
            }
            tell(.resuming(height: max(position.next, first), to: target))
        }
        while position.next <= target, !isStopping() {
            let statements: [Statement]
            do {
                statements = try next(&position, to: target, isStopping: isStopping, tell)
            } catch let error as SetContradiction {
                throw try wrongStatements.explain(error, position)
            }
            guard let statement = statements.last else { break }
            if statement.isEpochStart, !isWitness { try makeTorrent(of: statement.blockID, tell) }
            let signatures = try sign(statements, at: position, now: now())
            var next = report ?? Report(statement: statement)
            next.blocks += statements.count
            next.statement = statement
            next.signatures += signatures
            if statement.isEpochStart {
                next.snapshots += 1
                tell(.snapshot(height: statement.height, coins: statement.coins))
            }
            report = next
            tell(.published(height: statement.height, to: target))
        }
        // Of snapshots that have none, or one that names other web seeds.
        for block in try torrents.missing() where !isStopping() { try makeTorrent(of: block, tell) }
        report?.leftBehind = leftBehind
        reached = position
        return report
    }

    /// A tree that has begun must have begun as it is expected.
    private func checkBeginning() throws {
        guard let expected else { return }
        let block = source.blockID(at: first)
        let said = try Tree(folder.root)
            .attestation(of: block, parameters: parameters, key: key.publicKey).statement.muhash
        guard said == expected else {
            throw FileError(
                folder.path(TreePath.attestation(block, parameters)),
                "says the MuHash \(said.reversedHex), not the expected \(expected.reversedHex)",
                kind: .conflict)
        }
    }

    private func makeTorrent(of block: BlockID, _ tell: (Event) -> Void) throws {
        tell(.torrent(height: block.height))
        try torrents.write(block)
    }

    /// The highest published block of the chain that can be gone on from: it has a running value, an attestation to
    /// hold it to, and its epoch is in the tree. Where anything of that is missing or damaged, an earlier block does,
    /// and what follows it is worked out once more: what the tree has must turn out the same, the rest comes back.
    ///
    /// - Parameter known: where this process was before; believed where that is still the highest.
    private func resume(
        _ known: SetBuilder.Position?, _ tell: (Event) -> Void
    ) throws -> SetBuilder.Position {
        // What the state has then is of another tree of the same key.
        guard try folder.contains("attestations") else { return SetBuilder.Position(parameters) }
        var leftBehind: BlockID?
        var isTold = false
        for block in try rolling.blocks() {
            guard block.height <= source.tip, source.blockID(at: block.height) == block else {
                // In a reorganisation the node keeps the block it leaves. One that was synced since never had it.
                guard
                    try source.knows(block) || source.tip >= block.height + Self.maxReorganised
                        || !isAttested(block)
                else {
                    throw FileError(
                        source.name,
                        "does not hold block \(block.hash.reversedHex), which was published at height \(block.height): "
                            + "the node is behind the tree, or it is another node's. Let it finish its work, or give "
                            + "another one")
                }
                // A chain that is shorter has not left the block: a node that is being reindexed has yet to come to it.
                if block.height > source.tip { continue }
                leftBehind = leftBehind ?? block
                continue
            }
            if let known, known.statement?.blockID == block, try isAttested(block) { return known }
            do {
                return try position(at: block)
            } catch let error as FileError where error.isMissing || error.isContent {
                if !isTold { tell(.goingBack(behind: block, error)) }
                isTold = true
            }
        }
        if first > 0, let leftBehind, try first > source.tip || !isAttested(source.blockID(at: first)) {
            throw FileError(
                folder.root,
                "begins at height \(first), and the best chain has left all of it: block \(leftBehind.hash.reversedHex) "
                    + "of height \(leftBehind.height) was published. Begin another tree, with another key",
                kind: .conflict)
        }
        return SetBuilder.Position(parameters)
    }

    /// A chain that is so many blocks above a published one that it lacks has left it: the depth down to which coinbases
    /// cannot be spent (`COINBASE_MATURITY`).
    private static let maxReorganised = 100

    private func position(at block: BlockID) throws -> SetBuilder.Position {
        let tree = Tree(folder.root)
        let statement = try tree.attestation(of: block, parameters: parameters, key: key.publicKey).statement
        return SetBuilder.Position(
            statement: statement, running: try rolling.read(statement),
            epoch: try .resuming(
                at: statement, tree: tree, data: Tree(builder.data.root), key: key.publicKey, source: source))
    }

    /// The statements of the next batch, their data in its place.
    private func next(
        _ position: inout SetBuilder.Position, to target: Int, isStopping: () -> Bool,
        _ tell: (Event) -> Void
    ) throws -> [Statement] {
        guard position.statement == nil, first > 0 else {
            return try builder.advance(&position, over: builder.nextBatch(position, to: target)) {
                tell(.building($0))
            }
        }
        let block = source.blockID(at: first)
        guard let snapshot = try firstSnapshot(block, isStopping: isStopping, tell) else { return [] }
        tell(.counting)
        let statement: Statement
        do {
            (position, statement) = try builder.begin(with: snapshot, at: block, expecting: expected)
        } catch let error as FileError where error.isConflict {
            guard try state.contains("replay") else { throw error }
            throw FileError(
                error.path,
                "\(error.message). If it is the set that is wrong, remove \(state.path("replay")), and the next run gathers it anew",
                kind: .conflict)
        }
        return [statement]
    }

    /// The snapshot that the tree begins with, staged; nil if it was stopped.
    private func firstSnapshot(
        _ block: BlockID, isStopping: () -> Bool, _ tell: (Event) -> Void
    ) throws -> BuiltShards? {
        switch beginning {
        case .blocks(let memory):
            return try InitialReplay(builder, work: try state.inner("replay"), memory: memory)
                .run(to: block.height, isStopping: isStopping) { tell(.replaying($0)) }
        case .dump(let path):
            let splitter = try DumpSplitter(path, network: source.network)
            guard splitter.header.block == block.hash else {
                throw FileError(
                    path,
                    "is the set after block \(splitter.header.block.reversedHex), but the tree begins with "
                        + "\(block.hash.reversedHex), height \(block.height)")
            }
            struct Stop: Error {}
            do {
                return try splitter.split(
                    into: builder.data, height: block.height, parameters: parameters, level: builder.level
                ) {
                    if isStopping() { throw Stop() }
                    tell(.reading(coins: $0, of: $1))
                }
            } catch is Stop {
                return nil
            }
        }
    }

    /// Signs what is to be said: attestations, then headers, then the hint, then the state. The data is there.
    private mutating func sign(
        _ statements: [Statement], at position: SetBuilder.Position, now: Int64
    ) throws -> Int {
        if let last = statements.last?.height,
            try statements.contains(where: { try !isAttested($0.blockID) })
        {
            try checkClock(now, through: last)
        }
        do {
            try source.confirm(statements)
        } catch {
            // What it began with may be what is wrong.
            if statements.first?.height == first { try state.removeTree("replay") }
            throw error
        }
        let signatures = try attestor.attest(statements, now: now)
        if signatures > 0 { newestSigned = max(newestSigned ?? now, now) }
        guard let newest = statements.last else { return signatures }
        if newest.isEpochStart { try head.writeHeaders(below: newest.height) }
        try head.point(to: newest.blockID, position.epoch.headers)
        try rolling.write(position.running, for: newest.blockID)
        if newest.height == first { try state.removeTree("replay") }
        if isWitness, newest.isEpochStart { try builder.removeOld(below: newest.blockID) }
        return signatures
    }

    /// Before blocks up to a height are signed.
    private func checkClock(_ now: Int64, through height: Int) throws {
        try clock.check(
            now, network: source.network, newest: try newestTime(through: height),
            newestBlock: try newestTime(through: source.tip), newestSigned: newestSigned)
    }

    /// The latest time of the last eleven blocks: the newest may bear an earlier one than those before it.
    private func newestTime(through height: Int) throws -> Int64 {
        try (max(0, height - 10)...height).map { height in
            try source.header(at: height)[68..<72].reversed().reduce(0) { $0 << 8 | Int64($1) }
        }.max() ?? 0
    }
}
