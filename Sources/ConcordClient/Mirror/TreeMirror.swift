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
        /// Patches, deltas, MuHashes of shards, manifests, shards and filters.
        public var files = 0
        public var bytes = 0
        /// The first height of the lowest epoch with data; nil if there is none.
        public var dataFrom: Int?
        public var removedSnapshots = 0
        /// Epochs whose patches, deltas and MuHashes of shards went.
        public var removedEpochs = 0
    }

    /// Why a tree is not mirrored, though the host serves what its key signed.
    public struct Refusal: Error, Sendable {
        public let url: String
        public let reason: Reason

        public enum Reason: Sendable {
            /// It begins above its newest block.
            case beginsAbove(first: Int, latest: Int)
            /// What the folder has was signed later: heights, and the time of what the host shows.
            case isBehind(shown: Int, time: Int64, held: Int, folder: String)
            /// The host has no snapshot of its newest epoch, and the folder has data.
            case hasNoData(folder: String)
        }
    }

    private func refusal(_ reason: Refusal.Reason) -> Refusal { Refusal(url: place.url, reason: reason) }

    public typealias Progress = (_ height: Int, _ of: Int, _ bytes: Int) -> Void

    private let place: TreeReader.Place
    /// What was signed later than this was not: seconds since 1970.
    private let maxTime: Int64
    private let expected: PublicKey?
    private let reader: TreeReader
    private let folder: Folder

    /// - Parameters:
    ///   - key: the authority's, as it is known from elsewhere; nil for the one that the tree names.
    ///   - folder: the mirror, which must be locked; it is prepared once it is clear what it is of.
    ///   - now: seconds since 1970; nil to take what was signed at whatever time, as what is one's own.
    public init(
        _ url: String, key: PublicKey?, reader: TreeReader, into folder: Folder, now: Int64?
    ) {
        place = TreeReader.Place(url)
        maxTime = now.map { $0 + Survey.maxAhead } ?? .max
        expected = key
        self.reader = reader
        self.folder = folder
    }

    /// Throws `Fault`, `NotThere`, `Refusal`, and what this machine is to blame for.
    public func run(_ extent: Extent, progress: @escaping Progress) throws -> Report {
        let said = try RemoteTree(place.url, reader: reader).hint(of: expected)
        let latest = said.latest
        var authority = try held(said.authority)
        let source = MirrorSource(place: place, authority: authority, reader: reader)
        guard authority.first <= latest.height else {
            throw refusal(.beginsAbove(first: authority.first, latest: latest.height))
        }
        let newest = try source.attestations(of: [latest])[0]
        try checkIsNewer(newest, authority)
        try folder.prepare()
        // However it ends: what is not in its place by then never will be, and the folder is served as it is.
        defer { try? folder.removeTemporaries() }
        authority.name = newest.attestation.authority
        let headers = try MirrorHeaders(source, folder).fetch(to: latest) { [reader] in
            progress($0, latest.height, reader.received)
        }
        // Whose it is, before there is anything else.
        if try !folder.contains(TreePath.authority) {
            try write(Array(authority.text.utf8), at: TreePath.authority)
        }
        var report = Report(authority: authority, newest: latest)
        let lowest = try mirror(
            headers.map(\.chain), extent, source, &report,
            progress: { [reader] in progress($0, latest.height, reader.received) })
        for (chain, bytes) in headers {
            let path = TreePath.headers(epochOf: chain.start, authority.parameters)
            try write(bytes, at: path)
        }
        try write(Array(authority.key.pem.utf8), at: TreePath.authorityPEM)
        try write(Array(authority.text.utf8), at: TreePath.authority)
        try write(Array("\(latest)\n".utf8), at: TreePath.latest)
        try removeData(below: lowest, &report)
        try folder.removeParts()
        report.dataFrom = lowest
        report.bytes = reader.received
        return report
    }

    /// Writes what is missing or has changed.
    private func write(_ bytes: [UInt8], at path: String) throws(FileError) {
        if (try? File.read(folder.path(path), atMost: bytes.count)) != bytes {
            try folder.write(bytes, at: path)
        }
    }

    // MARK: whose tree, and how new

    private func fault(_ asked: TreeFile, _ path: String, _ kind: Fault.Kind) -> Fault {
        Fault(url: place.url, asked: asked, path: path, kind)
    }

    /// Holds what the host says of the tree to what is here of it.
    private func held(_ said: AuthorityFile) throws -> AuthorityFile {
        var authority = said
        guard try folder.contains(TreePath.authority) else { return authority }
        let known = try Tree(folder.root).authority()
        guard known.key == authority.key, known.parameters == authority.parameters,
            known.network == authority.network
        else {
            throw FileError(
                folder.root,
                "is a mirror of the tree of \(known.key.hex), and \(WebAddress.shown(place.url)) is the tree of \(authority.key.hex), or "
                    + "one that is partitioned otherwise: give another folder",
                kind: .conflict)
        }
        // Nobody signs where a tree begins. A mirror that was whole once has all from its own beginning on.
        if try folder.contains(TreePath.latest) { authority.first = min(authority.first, known.first) }
        return authority
    }

    /// A mirror is not taken back to an older state.
    private func checkIsNewer(_ newest: SignedAttestation, _ authority: AuthorityFile) throws {
        guard newest.attestation.time <= maxTime else {
            let block = newest.statement.blockID
            throw fault(
                .attestation(block), TreePath.attestation(block, authority.parameters),
                .ahead(newest.attestation.time))
        }
        let tree = Tree(folder.root)
        guard let latest = try? tree.latest(),
            let held = try? tree.attestation(
                of: latest, parameters: authority.parameters, key: authority.key
            ).attestation, held.time <= maxTime
        else { return }
        guard (newest.attestation.time, newest.statement.height) >= (held.time, held.statement.height) else {
            throw refusal(
                .isBehind(
                    shown: newest.statement.height, time: newest.attestation.time, held: latest.height,
                    folder: folder.root))
        }
    }

    // MARK: epochs

    /// Brings all epochs up to date. From the lowest manifest on a tree has the data of every block that it attests
    /// (FORMAT.md, «Layout»), and so has the mirror after each step.
    ///
    /// - Returns: the first height of the lowest epoch with data; nil if there is none.
    private func mirror(
        _ chains: [HeaderChain], _ extent: Extent, _ source: MirrorSource, _ report: inout Report,
        progress: @escaping (Int) -> Void
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
        for epoch in epochs {
            let hasData = lowest.map { epoch.start >= $0 } ?? false && epoch.start > bare
            if !epoch.unattested.isEmpty || hasData && !epoch.isComplete {
                try mirror(epoch, hasData: hasData, source, &report, progress)
            }
            progress(epoch.blocks.last?.height ?? 0)
        }
        for epoch in epochs.reversed() where epoch.start >= lowest ?? .max && epoch.start <= bare {
            let top = epoch.blocks.last?.height ?? 0
            report.files += try source.data(
                of: try statements(of: epoch.blocks[...], [:], source), isAttested: true, into: folder
            ) { progress(top) }
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
                guard
                    try RemoteTree(place.url, reader: reader)
                        .hasManifest(of: block, parameters: source.authority.parameters)
                else {
                    break
                }
            }
            lowest = epoch.start
        }
        // Whoever removes data keeps the newest.
        if lowest == nil, try Tree(folder.root).hasData() {
            throw refusal(.hasNoData(folder: folder.root))
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

    /// Blocks that are brought up to date at a time.
    private static let group = 256

    /// What is missing of an epoch: data, then attestations, a group of blocks after the other.
    private func mirror(
        _ epoch: MirrorEpoch, hasData: Bool, _ source: MirrorSource, _ report: inout Report,
        _ progress: @escaping (Int) -> Void
    ) throws {
        let unattested = Set(epoch.unattested)
        var known: [Int: Digest] = [:]
        for start in stride(from: 0, to: epoch.blocks.count, by: Self.group) {
            let blocks = epoch.blocks[start..<min(start + Self.group, epoch.blocks.count)]
            let wanted = blocks.filter(unattested.contains)
            let height = blocks.first?.height ?? 0
            let fetched = try source.attestations(of: wanted) { progress(height) }
            let new = Dictionary(zip(wanted, fetched)) { $1 }
            let statements = try statements(of: blocks, new, source)
            try check(statements, &known, source)
            if hasData {
                report.files += try source.data(of: statements, isAttested: false, into: folder) {
                    progress(height)
                }
            }
            // An attestation that can be seen is complete.
            try folder.install(
                try fetched.flatMap { signed in
                    let path = TreePath.attestation(signed.statement.blockID, source.authority.parameters)
                    return [
                        try folder.stage(signed.signature, at: TreePath.signature(path)),
                        try folder.stage(signed.bytes, at: path),
                    ]
                })
            report.attestations += fetched.count
        }
    }

    private func statements(
        of blocks: ArraySlice<BlockID>, _ new: [BlockID: SignedAttestation], _ source: MirrorSource
    ) throws -> [Statement] {
        try blocks.map { block in
            try new[block]?.statement
                ?? Tree(folder.root).attestation(
                    of: block, parameters: source.authority.parameters, key: source.authority.key
                ).statement
        }
    }

    /// Each names those before it, as far as they are known. Adds their digests to what is known.
    private func check(
        _ statements: [Statement], _ known: inout [Int: Digest], _ source: MirrorSource
    ) throws(Fault) {
        for statement in statements {
            for span in statement.parameters.historySpans(at: statement.height) {
                guard let digest = known[statement.height - span], digest != statement.ancestor(span) else {
                    continue
                }
                throw fault(
                    .attestation(statement.blockID),
                    TreePath.attestation(statement.blockID, statement.parameters),
                    .breaksHistory(height: statement.height))
            }
            known[statement.height] = statement.digest
        }
    }
}
