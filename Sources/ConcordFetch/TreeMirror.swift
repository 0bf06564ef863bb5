import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree

/// Keeps a copy of an authority's tree, or of a part of it, ready to be served: what is in it was checked before it was
/// put there, and it grows in the order of publishing, data, attestations, headers, and the hint last. Who serves it
/// need not be trusted, and neither is the host it comes from.
public struct TreeMirror {
    /// How much data is kept.
    public enum Extent: Sendable {
        /// All that the host has.
        case everything
        /// That of the newest epochs; older data here is removed.
        case epochs(TreePruning)
        /// None.
        case attestations
    }

    public struct Report: Sendable {
        public let authority: AuthorityFile
        public let newest: BlockID
        public var attestations = 0
        /// Patches, manifests and shards.
        public var files = 0
        public var bytes = 0
        /// The first height of the lowest epoch with data; nil if there is none.
        public var dataFrom: Int?
        public var removedSnapshots = 0
        /// Epochs whose patches went.
        public var removedEpochs = 0
    }

    /// The host has not what it should have: what, and where.
    public struct Unusable: Error, CustomStringConvertible {
        public let description: String
    }

    public typealias Progress = (_ height: Int, _ of: Int, _ bytes: Int) -> Void

    private let url: String
    /// What was signed later than this was not: seconds since 1970.
    private let maxTime: Int64
    private let expected: PublicKey?
    private let transfers: Transfers
    private let folder: Folder

    /// - Parameters:
    ///   - key: the authority's, as it is known from elsewhere; nil for the one that the tree names.
    ///   - folder: the mirror, which must be locked; it is prepared once it is clear what it is of.
    ///   - now: seconds since 1970; nil to take what was signed at whatever time, as what is one's own.
    public init(
        _ url: String, key: PublicKey?, transfers: Transfers, into folder: Folder, now: Int64?
    ) {
        self.url = url
        maxTime = now.map { $0 + Survey.maxAhead } ?? .max
        expected = key
        self.transfers = transfers
        self.folder = folder
    }

    public func run(_ extent: Extent, progress: Progress) throws -> Report {
        var authority = try fetchAuthority()
        let latest = try parse(TreePath.latest, limit: 128, BlockID.init(parsingLatest:))
        let source = MirrorSource(url: url, authority: authority, transfers: transfers)
        guard authority.first <= latest.height else {
            throw Unusable(
                description:
                    "\(WebAddress.shown(url))/\(TreePath.authority): says that the tree begins at height \(authority.first), "
                    + "above its newest, \(latest.height)")
        }
        let newest = try source.attestations(of: [latest])[0]
        try checkIsNewer(newest, authority)
        try folder.prepare()
        // However it ends: what is not in its place by then never will be, and the folder is served as it is.
        defer { try? folder.removeTemporaries() }
        authority.name = newest.attestation.authority
        let headers = try fetchHeaders(to: latest, authority.parameters)
        // Whose it is, before there is anything else.
        if try !folder.contains(TreePath.authority) {
            try write(Array(authority.text.utf8), at: TreePath.authority)
        }
        var report = Report(authority: authority, newest: latest)
        let lowest = try mirror(
            headers.map(\.chain), extent, source, &report,
            progress: { progress($0, latest.height, transfers.received) })
        for (chain, bytes) in headers {
            let path = TreePath.headers(epochOf: chain.start, authority.parameters)
            try write(bytes, at: path)
        }
        try write(Array(authority.key.pem.utf8), at: TreePath.authorityPEM)
        try write(Array(authority.text.utf8), at: TreePath.authority)
        try write(Array("\(latest)\n".utf8), at: TreePath.latest)
        try removeData(below: lowest, &report)
        report.dataFrom = lowest
        report.bytes = transfers.received
        return report
    }

    /// Writes what is missing or has changed.
    private func write(_ bytes: [UInt8], at path: String) throws(FileError) {
        if (try? File.read(folder.path(path), atMost: bytes.count)) != bytes {
            try folder.write(bytes, at: path)
        }
    }

    // MARK: whose tree, and how new

    private func fetchAuthority() throws -> AuthorityFile {
        var authority = try parse(
            TreePath.authority, limit: AuthorityFile.maxBytes, AuthorityFile.init(parsing:))
        let shown = WebAddress.shown(url)
        if let expected, expected != authority.key {
            throw Unusable(
                description: "\(shown): is the tree of the key \(authority.key.hex), not of \(expected.hex)")
        }
        guard try folder.contains(TreePath.authority) else { return authority }
        let known = try Tree(folder.root).authority()
        guard known.key == authority.key, known.parameters == authority.parameters,
            known.network == authority.network
        else {
            throw FileError(
                folder.root,
                "is a mirror of the tree of \(known.key.hex), and \(shown) is the tree of \(authority.key.hex), or "
                    + "one that is cut otherwise: give another folder",
                kind: .conflict)
        }
        // Nobody signs where a tree begins. A mirror that was whole once has all from its own beginning on.
        if try folder.contains(TreePath.latest) { authority.first = min(authority.first, known.first) }
        return authority
    }

    /// A mirror is not taken back to an older state.
    private func checkIsNewer(_ newest: SignedAttestation, _ authority: AuthorityFile) throws {
        guard newest.attestation.time <= maxTime else {
            throw Unusable(
                description:
                    "\(WebAddress.shown(url)): its newest attestation was signed at "
                    + "\(Timestamp.text(newest.attestation.time)), more than two hours ahead of this machine's clock. Is "
                    + "that clock right?")
        }
        let tree = Tree(folder.root)
        guard let latest = try? tree.latest(),
            let held = try? tree.attestation(
                of: latest, parameters: authority.parameters, key: authority.key
            ).attestation, held.time <= maxTime
        else { return }
        guard (newest.attestation.time, newest.statement.height) >= (held.time, held.statement.height) else {
            throw Unusable(
                description:
                    "\(WebAddress.shown(url)): shows height \(newest.statement.height), signed at "
                    + "\(Timestamp.text(newest.attestation.time)), but \(folder.root) has height \(latest.height), signed "
                    + "later: the host is behind. The mirror stays as it is")
        }
    }

    // MARK: headers

    /// The headers of all epochs up to a block, lowest first, each the child of the one before.
    private func fetchHeaders(
        to latest: BlockID, _ parameters: TreeParameters
    ) throws -> [(chain: HeaderChain, bytes: [UInt8])] {
        var files: [(chain: HeaderChain, bytes: [UInt8])] = []
        var tip = latest
        while true {
            let start = parameters.epochStart(of: tip.height)
            let size = (tip.height + 1 - start) * BlockHeader.size
            let path = TreePath.headers(epochOf: tip.height, parameters)
            // A host that is being added to may have more of them than its hint names.
            let most = parameters.epoch * BlockHeader.size
            let here = (try? File.read(folder.path(path), atMost: most))
                .flatMap { chain(Array($0.prefix(size)), from: start, to: tip) }
            let file =
                try here
                ?? {
                    let bytes = try get(path, limit: most)
                    guard let chain = chain(Array(bytes.prefix(size)), from: start, to: tip) else {
                        throw Unusable(
                            description:
                                "\(WebAddress.shown(url))/\(path): is not the headers that lead to block \(tip)"
                        )
                    }
                    return chain
                }()
            files.append(file)
            if start == 0 { return files.reversed() }
            tip = BlockID(height: start - 1, hash: file.chain.parent)
        }
    }

    private func chain(
        _ bytes: [UInt8], from start: Int, to tip: BlockID
    ) -> (chain: HeaderChain, bytes: [UInt8])? {
        guard let chain = try? HeaderChain(parsing: bytes, from: start), chain.block(at: tip.height) == tip,
            start > 0 || chain.parent == .zero
        else { return nil }
        return (chain, bytes)
    }

    // MARK: epochs

    /// Brings all epochs up to date. From the lowest manifest on a tree has the data of every block that it attests
    /// (FORMAT.md, «Layout»), and so has the mirror after each step.
    ///
    /// - Returns: the first height of the lowest epoch with data; nil if there is none.
    private func mirror(
        _ chains: [HeaderChain], _ extent: Extent, _ source: MirrorSource, _ report: inout Report,
        progress: (Int) -> Void
    ) throws -> Int? {
        let (first, parameters) = (report.authority.first, report.authority.parameters)
        let epochs = try chains.filter { $0.start + parameters.epoch > first }.map {
            try MirrorEpoch($0, first: first, in: folder, parameters)
        }
        let lowest = try firstEpochWithData(extent, epochs, source)
        // Between the data here and that at the host is a gap that nobody fills.
        if epochs.contains(where: { $0.start < lowest ?? .max && !$0.unattested.isEmpty }) {
            try removeData(below: lowest, &report)
        }
        var bare = -1
        if let lowest {
            try removeBareBranches(from: lowest, epochs, parameters)
            bare = epochs.last { $0.start >= lowest && $0.isBare }?.start ?? -1
            // Data under attestations that have none begins there once what is above it is complete.
            for epoch in epochs where epoch.start <= bare {
                if let block = epoch.blocks.first { try folder.remove(TreePath.manifest(block)) }
            }
        }
        var before: Statement?
        for epoch in epochs {
            let hasData = lowest.map { epoch.start >= $0 } ?? false && epoch.start > bare
            if epoch.unattested.isEmpty, !hasData || epoch.isComplete {
                before = nil
            } else {
                before = try mirror(epoch, hasData: hasData, after: before, source, &report)
            }
            progress(epoch.blocks.last?.height ?? 0)
        }
        for epoch in epochs.reversed() where epoch.start >= lowest ?? .max && epoch.start <= bare {
            report.files += try source.data(
                of: try statements(of: epoch, [:], source), isAttested: true, into: folder)
            progress(epoch.blocks.last?.height ?? 0)
        }
        return lowest
    }

    /// From which epoch on data is wanted and the host has it; nil for none. A host may have removed what is old.
    private func firstEpochWithData(
        _ extent: Extent, _ epochs: [MirrorEpoch], _ source: MirrorSource
    ) throws -> Int? {
        var count = epochs.count
        switch extent {
        case .attestations: return nil
        case .everything: break
        case .epochs(let pruning): count = min(count, pruning.keep)
        }
        var lowest: Int?
        for epoch in epochs.suffix(count).reversed() {
            guard epoch.start >= source.authority.first, let block = epoch.blocks.first else { break }
            if !epoch.isComplete {
                do throws(Failure) {
                    _ = try get(
                        TreePath.manifest(block),
                        limit: Manifest.maxBytes(shards: source.authority.parameters.shards))
                } catch {
                    guard error.kind == .notFound else { throw error }
                    break
                }
            }
            lowest = epoch.start
        }
        // Whoever removes data keeps the newest.
        if lowest == nil, try Tree(folder.root).hasData() {
            throw Unusable(
                description:
                    "\(WebAddress.shown(url)): has no snapshot of its newest epoch, but \(folder.root) has data. The "
                    + "mirror stays as it is; --attestations-only removes the data")
        }
        return lowest
    }

    /// Attestations of blocks that the chain has left, seen when no data was wanted: the tree is without them, as if it
    /// had been asked after that.
    private func removeBareBranches(
        from lowest: Int, _ epochs: [MirrorEpoch], _ parameters: TreeParameters
    ) throws(FileError) {
        for name in try Folder.names(in: folder.path("attestations")) {
            guard let start = TreePath.height(digits: name), start >= lowest else { continue }
            let chain = Set(epochs.first { $0.start == start }?.blocks ?? [])
            for file in try Folder.names(in: folder.path("attestations/\(name)")) where file.hasSuffix(".txt")
            {
                guard let block = TreePath.block(named: file.dropLast(4)), !chain.contains(block),
                    try !MirrorEpoch.hasData(of: block, in: folder, parameters)
                else { continue }
                let path = TreePath.attestation(block, parameters)
                try folder.remove(path)
                try folder.remove(TreePath.signature(path))
            }
        }
    }

    /// All of it, if `lowest` is nil.
    private func removeData(below lowest: Int?, _ report: inout Report) throws(FileError) {
        let removed = try TreePruning.remove(below: lowest ?? .max, from: folder)
        report.removedSnapshots += removed.snapshots
        report.removedEpochs += removed.epochs
    }

    /// What is missing of an epoch: data, then attestations. Gives its last statement.
    private func mirror(
        _ epoch: MirrorEpoch, hasData: Bool, after before: Statement?, _ source: MirrorSource,
        _ report: inout Report
    ) throws -> Statement? {
        let fetched = try source.attestations(of: epoch.unattested)
        let new = Dictionary(zip(epoch.unattested, fetched)) { $1 }
        let statements = try statements(of: epoch, new, source)
        try check(statements, after: before)
        if hasData { report.files += try source.data(of: statements, isAttested: false, into: folder) }
        for signed in fetched {
            let path = TreePath.attestation(signed.statement.blockID, source.authority.parameters)
            // An attestation that can be seen is complete.
            try folder.install([
                try folder.stage(signed.signature, at: TreePath.signature(path)),
                try folder.stage(signed.bytes, at: path),
            ])
        }
        report.attestations += fetched.count
        return statements.last
    }

    private func statements(
        of epoch: MirrorEpoch, _ new: [BlockID: SignedAttestation], _ source: MirrorSource
    ) throws -> [Statement] {
        try epoch.blocks.map { block in
            try new[block]?.statement
                ?? Tree(folder.root).attestation(
                    of: block, parameters: source.authority.parameters, key: source.authority.key
                ).statement
        }
    }

    /// Each follows from the one before.
    private func check(_ statements: [Statement], after before: Statement?) throws(Unusable) {
        var before = before
        for statement in statements {
            if let known = before, !statement.isEpochStart {
                let history = Statement.history(
                    after: known.history, block: statement.block, patchRoot: statement.patchRoot)
                guard history == statement.history else {
                    throw Unusable(
                        description:
                            "\(WebAddress.shown(url)): its attestation of height \(statement.height) does not follow from "
                            + "the one before. Tell whoever runs it; «concord check» compares it with others")
                }
            }
            before = statement
        }
    }

    // MARK: transfers

    private func get(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        try transfers.fetch(Request("\(url)/\(path)", limit: limit)).bytes
    }

    private func parse<Value>(
        _ path: String, limit: Int, _ parse: ([UInt8]) throws(ParseError) -> Value
    ) throws -> Value {
        let bytes = try get(path, limit: limit)
        do throws(ParseError) { return try parse(bytes) } catch {
            throw Unusable(description: "\(WebAddress.shown(url))/\(path): \(error)")
        }
    }
}
