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
        public var removed: TreePruning.Report?
    }

    /// The host has not what it should have: what, and where.
    public struct Unusable: Error, CustomStringConvertible {
        public let description: String
    }

    public typealias Progress = (_ height: Int, _ of: Int, _ bytes: Int) -> Void

    private let url: String
    /// What was signed later than this was not: seconds since 1970.
    private let mostTime: Int64
    private let expected: PublicKey?
    private let transfers: Transfers
    private let folder: Folder

    /// - Parameters:
    ///   - key: the authority's, as it is known from elsewhere; nil for the one that the tree names.
    ///   - folder: the mirror, which must be locked.
    ///   - now: seconds since 1970.
    public init(
        _ url: String, key: PublicKey?, transfers: Transfers, into folder: Folder, now: Int64
    ) {
        self.url = url
        mostTime = now + Survey.mostAhead
        expected = key
        self.transfers = transfers
        self.folder = folder
    }

    public func run(_ extent: Extent, progress: Progress) throws -> Report {
        let authority = try fetchAuthority()
        let latest = try parse(TreePath.latest, limit: 128, BlockID.init(parsingLatest:))
        let source = Source(url: url, authority: authority, transfers: transfers)
        guard authority.first <= latest.height else {
            throw Unusable(
                description:
                    "\(WebAddress.shown(url))/\(TreePath.authority): says that the tree begins at height \(authority.first), "
                    + "above its newest, \(latest.height)")
        }
        let newest = try source.attestations(of: [latest])[0]
        try checkIsNewer(newest, authority)
        let headers = try fetchHeaders(to: latest, authority.parameters)
        var report = Report(authority: authority, newest: latest)
        let lowest = try firstEpochWithData(extent, headers, source)
        var before: Statement?
        for chain in headers.map(\.chain) where chain.start + authority.parameters.epoch > authority.first {
            let blocks = (max(chain.start, authority.first)..<chain.start + chain.hashes.count)
                .compactMap(chain.block(at:))
            let hasData = lowest.map { chain.start >= $0 } ?? false
            try mirror(blocks, hasData: hasData, after: &before, source, &report)
            progress(blocks.last?.height ?? 0, latest.height, transfers.received)
        }
        report.dataFrom = lowest.map { max($0, authority.first) }
        for (chain, bytes) in headers {
            let path = TreePath.headers(epochOf: chain.start, authority.parameters)
            try write(bytes, at: path)
        }
        try write(Array(authority.key.pem.utf8), at: TreePath.authorityPEM)
        try write(Array(authority.text.utf8), at: TreePath.authority)
        try write(Array("\(latest)\n".utf8), at: TreePath.latest)
        if case .epochs(let pruning) = extent {
            report.removed = try pruning.run(folder, newest: latest, authority.parameters)
        }
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
        let authority = try parse(
            TreePath.authority, limit: AuthorityFile.mostBytes, AuthorityFile.init(parsing:))
        let shown = WebAddress.shown(url)
        if let expected, expected != authority.key {
            throw Unusable(
                description: "\(shown): is the tree of the key \(authority.key.hex), not of \(expected.hex)")
        }
        if folder.contains(TreePath.authority) {
            let known = try Tree(folder.root).authority()
            guard known.key == authority.key, known.parameters == authority.parameters,
                known.network == authority.network, known.first == authority.first
            else {
                throw FileError(
                    folder.root,
                    "is a mirror of the tree of \(known.key.hex), and \(shown) is the tree of \(authority.key.hex), or "
                        + "one that is cut otherwise or begins elsewhere: give another folder",
                    kind: .conflict)
            }
        }
        return authority
    }

    /// A mirror is not taken back to an older state.
    private func checkIsNewer(_ newest: SignedAttestation, _ authority: AuthorityFile) throws {
        guard newest.attestation.time <= mostTime else {
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
            ).attestation, held.time <= mostTime
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

    /// From which epoch on data is wanted and the host has it; nil for none. A host may have removed what is old.
    private func firstEpochWithData(
        _ extent: Extent, _ headers: [(chain: HeaderChain, bytes: [UInt8])], _ source: Source
    ) throws -> Int? {
        var count = headers.count
        switch extent {
        case .attestations: return nil
        case .everything: break
        case .epochs(let pruning): count = min(count, pruning.keep)
        }
        var lowest: Int?
        for chain in headers.map(\.chain).suffix(count).reversed() {
            guard chain.start >= source.authority.first, let block = chain.block(at: chain.start) else {
                break
            }
            if !folder.contains(TreePath.manifest(block)) {
                do throws(Failure) {
                    _ = try get(
                        TreePath.manifest(block),
                        limit: Manifest.mostBytes(shards: source.authority.parameters.shards))
                } catch {
                    guard error.kind == .notFound else { throw error }
                    break
                }
            }
            lowest = chain.start
        }
        return lowest
    }

    /// The blocks of an epoch: data, then attestations.
    private func mirror(
        _ blocks: [BlockID], hasData: Bool, after before: inout Statement?, _ source: Source,
        _ report: inout Report
    ) throws {
        let parameters = source.authority.parameters
        let missing = blocks.filter {
            !folder.contains(TreePath.signature(TreePath.attestation($0, parameters)))
        }
        let lacksData = hasData && !blocks.allSatisfy { hasAllData(of: $0, parameters) }
        if missing.isEmpty, !lacksData {
            before = nil
            return
        }
        let fetched = try source.attestations(of: missing)
        let new = Dictionary(zip(missing, fetched)) { $1 }
        let statements = try blocks.map { block in
            try new[block]?.statement
                ?? Tree(folder.root).attestation(
                    of: block, parameters: parameters, key: source.authority.key
                ).statement
        }
        try check(statements, after: before)
        before = statements.last
        if hasData { report.files += try source.data(of: statements, into: folder) }
        for signed in fetched {
            let path = TreePath.attestation(signed.statement.blockID, parameters)
            try folder.install([
                try folder.stage(signed.bytes, at: path),
                try folder.stage(signed.signature, at: TreePath.signature(path)),
            ])
        }
        report.attestations += fetched.count
    }

    private func hasAllData(of block: BlockID, _ parameters: TreeParameters) -> Bool {
        // The manifest is written when all shards are there.
        folder.contains(TreePath.patch(block, parameters))
            && (block.height != parameters.epochStart(of: block.height)
                || folder.contains(TreePath.manifest(block)))
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

extension TreeMirror {
    /// The tree that is mirrored.
    fileprivate struct Source {
        let url: String
        let authority: AuthorityFile
        let transfers: Transfers

        /// The attestations of blocks, checked.
        func attestations(of blocks: [BlockID]) throws -> [SignedAttestation] {
            let own = Authority(name: authority.name, key: authority.key, urls: [url])
            let fetch = AttestationFetch([own], transfers: transfers)
            let answers = try fetch.fetch(blocks, authority.parameters)[0]
            return try zip(blocks, answers).map { block, answer in
                guard case .attested(let signed) = answer, signed.statement.blockID == block,
                    signed.statement.parameters == authority.parameters,
                    signed.statement.network == authority.network
                else {
                    let why = fetch.faults[0].first?.text ?? "the host does not have it"
                    throw Unusable(
                        description:
                            "\(WebAddress.shown(url))/\(TreePath.attestation(block, authority.parameters)): is no "
                            + "attestation of this tree: \(why)")
                }
                return signed
            }
        }

        /// Brings what statements name, the manifest when all it lists is there. Gives how many files came.
        func data(of statements: [Statement], into folder: Folder) throws -> Int {
            var wanted = statements.map(VerifiedDownloads.Wanted.patch)
            var manifest: (path: String, bytes: [UInt8])?
            if let first = statements.first, let root = first.snapshotRoot {
                let path = TreePath.manifest(first.blockID)
                let list = try fetchManifest(path, root)
                wanted += list.shards.indices.map { .shard($0, of: first.blockID, list) }
                manifest = (path, Array(list.text.utf8))
            }
            wanted = wanted.filter { !folder.contains($0.path) }
            let downloads = VerifiedDownloads(transfers, into: folder, hosts: [url], preferred: 1)
            do {
                try downloads.run(wanted) { _, _ in }
            } catch let error as VerifiedDownloads.NoHost {
                throw Unusable(description: error.description)
            }
            guard let manifest, !folder.contains(manifest.path) else { return wanted.count }
            try folder.write(manifest.bytes, at: manifest.path)
            return wanted.count + 1
        }

        private func fetchManifest(_ path: String, _ root: Digest) throws -> Manifest {
            let shards = authority.parameters.shards
            let bytes = try transfers.fetch(
                Request("\(url)/\(path)", limit: Manifest.mostBytes(shards: shards))
            ).bytes
            guard let manifest = try? Manifest(parsing: bytes, shards: shards), manifest.root == root else {
                throw Unusable(
                    description:
                        "\(WebAddress.shown(url))/\(path): is not the manifest that the statement names")
            }
            return manifest
        }
    }
}
