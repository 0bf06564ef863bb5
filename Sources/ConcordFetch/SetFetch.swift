import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree
import Foundation

/// The way from agreement to an installed set: statements → manifest → shards and patches → pointer.
///
/// Everything is held to the agreed statement before it is installed: statements by the `history` chain, the manifest by the snapshot root, shards by the manifest, patches by the roots
/// in the statements. Files have the names of the blocks they belong to, so that what an earlier run fetched is kept
/// and what it began is gone on with; the pointer changes last.
public struct SetFetch {
    private let report: Survey.Report
    private let agreed: Statement
    private let blocks: [BlockID]
    private let transfers: Transfers
    private let folder: Folder
    private let memory: AttestationLog
    /// URLs of trees, those of authorities that agree in front.
    private let hosts: [String]
    private let preferred: Int
    private let agreeing: [Authority]
    /// What hosts served instead of the small files.
    private var faults: [VerifiedDownloads.Fault] = []

    /// No host had what was needed: what, and what each served instead.
    public struct NoValidBytes: Error, CustomStringConvertible {
        public let description: String
    }

    /// What came differs from what these authorities were seen to sign of a block before. The memory has both.
    public struct Contradicted: Error {
        public let block: BlockID
    }

    public struct Result: Sendable {
        public let files: Int
        public let bytes: Int
        /// What hosts did wrong although it was fetched from others, in words that name the URL.
        public let faults: [String]
        public let shards: Int
        public let patches: Int
    }

    /// What is told while it goes on: files done, files in all, bytes received.
    public typealias Progress = (_ done: Int, _ all: Int, _ bytes: Int) -> Void

    /// - Parameters:
    ///   - report: must have ended in agreement on `agreed`.
    ///   - blocks: the chain's, from the first height of the agreed one's epoch to the agreed one.
    ///   - folder: the network's.
    public init(
        _ report: Survey.Report, on agreed: Statement, blocks: [BlockID], memory: AttestationLog,
        transfers: Transfers, into folder: Folder
    ) {
        precondition(blocks.first?.height == agreed.epochStart && blocks.last == agreed.blockID)
        self.report = report
        self.agreed = agreed
        self.blocks = blocks
        self.transfers = transfers
        self.folder = folder
        self.memory = memory
        let verdicts = zip(report.heard, report.outcome.verdicts)
        agreeing = verdicts.filter { $0.1 == .agrees }.map(\.0.authority)
        // Those that did well just now, then all others.
        let broken = Set(report.heard.flatMap(\.problems).map(\.url))
        let good = agreeing.flatMap(\.urls).filter { !broken.contains($0) }
        let others = agreeing.flatMap(\.urls) + report.heard.flatMap(\.authority.urls)
        hosts = others.reduce(into: good) { if !$0.contains($1) { $0.append($1) } }
        preferred = good.count
    }

    /// Fetches what is missing and installs it. `shards` are the numbers wanted, all if nil.
    public mutating func run(shards: [Int]?, progress: Progress) throws -> Result {
        let statements = try fetchStatements()
        let manifest = try fetchManifest(statements[0])
        let wanted = try wantedFiles(statements, manifest, shards ?? Array(0..<agreed.parameters.shards))
        let downloads = VerifiedDownloads(transfers, into: folder, hosts: hosts, preferred: preferred)
        do {
            try downloads.run(wanted) { progress($0, wanted.count, $1) }
        } catch let error as VerifiedDownloads.NoHost {
            throw NoValidBytes(description: error.description)
        }
        try install(shards)
        try removeOthers(statements)
        return Result(
            files: wanted.count, bytes: transfers.received, faults: Self.summary(faults + downloads.faults),
            shards: wanted.count { $0.path.hasPrefix("snapshots/") },
            patches: wanted.count { $0.path.hasPrefix("patches/") })
    }

    /// One line a host: what went wrong first, and how often.
    private static func summary(_ faults: [VerifiedDownloads.Fault]) -> [String] {
        let byHost = Dictionary(grouping: faults, by: \.url)
        return byHost.keys.sorted().compactMap { host in
            guard let all = byHost[host], let first = all.first else { return nil }
            return all.count == 1
                ? first.text : "\(first.text) (and \(all.count - 1) more files of this host)"
        }
    }

    // MARK: statements

    /// The statements from the epoch's first height to the agreed one, each signed by an authority that agrees.
    private mutating func fetchStatements() throws -> [Statement] {
        let chain = StatementChain(folder: folder, parameters: agreed.parameters)
        let keys = agreeing.map(\.key)
        var found: [BlockID: SignedAttestation] = [:]
        for block in blocks { found[block] = chain.kept(block, keys: keys) }
        let isKept = Set(found.keys)
        for one in report.heard where keys.contains(one.authority.key) {
            for signed in one.attestations where signed.statement == agreed { found[agreed.blockID] = signed }
        }
        var problems: [VerifiedDownloads.Fault] = []
        for authority in agreeing {
            for url in authority.urls {
                let missing = blocks.filter { found[$0] == nil }
                if missing.isEmpty { break }
                for (block, result) in zip(missing, fetchAttestations(missing, from: url, key: authority.key))
                {
                    switch result {
                    case .success(let signed): found[block] = signed
                    case .failure(let error):
                        problems.append(.init(url, TreePath.attestation(block, agreed.parameters), error))
                    }
                }
            }
        }
        try memory.remember(found.filter { !isKept.contains($0.key) }.map(\.value))
        try checkMemory()
        let statements = blocks.compactMap { found[$0]?.statement }
        guard statements.count == blocks.count else {
            throw NoValidBytes(
                description: "no host had valid attestations of every height from \(agreed.epochStart) on:"
                    + Self.summary(problems).map { "\n  \($0)" }.joined())
        }
        if let fault = StatementChain.fault(in: statements) {
            // It is the first one that breaks it; what others say of that height is a question for «check».
            let place =
                statements.indices.first { StatementChain.fault(in: Array(statements[...$0])) != nil } ?? 0
            let signer =
                agreeing.first { $0.key == found[blocks[place]]?.attestation.key }?.name.description ?? ""
            throw NoValidBytes(
                description:
                    "the attestations from height \(agreed.epochStart) on do not lead to the agreed one: "
                    + "\(fault), as «\(signer)» attests it. See what the others say of it: «concord check --height "
                    + "\(blocks[place].height)»")
        }
        faults += problems
        try folder.install(
            try found.filter { !isKept.contains($0.key) }.values.flatMap { try chain.stage($0) })
        return statements
    }

    /// A statement on the way that differs from what was seen before of the same block stops everything.
    private func checkMemory() throws {
        let heights = agreed.epochStart...agreed.height
        for block in try memory.contradicted().reversed() where heights.contains(block.height) {
            var said: [SignedAttestation] = []
            for one in report.heard where one.view.counts(at: block.height) {
                said += try memory.recall(block, of: one.authority.key)
            }
            if Set(said.map(\.statement)).count > 1 { throw Contradicted(block: block) }
        }
    }

    private func fetchAttestations(
        _ blocks: [BlockID], from url: String, key: PublicKey
    ) -> [Swift.Result<SignedAttestation, any Error>] {
        let bodies = transfers.fetch(
            blocks.flatMap { block in
                let path = "\(url)/\(TreePath.attestation(block, agreed.parameters))"
                return [
                    Request(path, limit: Attestation.maxBytes),
                    Request(TreePath.signature(path), limit: SignedAttestation.maxSignatureBytes),
                ]
            })
        return blocks.indices.map { i in
            Swift.Result {
                let signed = try SignedAttestation(
                    checking: try bodies[2 * i].get().bytes, signature: try bodies[2 * i + 1].get().bytes,
                    key: key)
                guard signed.statement.blockID == blocks[i] else {
                    throw ParseError(
                        .malformed("is the attestation of another block, \(signed.statement.blockID)"), at: 0)
                }
                return signed
            }
        }
    }

    /// What the first host has that has a file as it must be; what the ones before had is noted.
    private mutating func firstValid<Value>(
        _ path: String, limit: Int, _ parse: ([UInt8]) throws(ParseError) -> Value
    ) throws -> Value {
        var problems: [VerifiedDownloads.Fault] = []
        var missing = problems
        for host in hosts {
            do {
                let value = try parse(try transfers.fetch(Request("\(host)/\(path)", limit: limit)).bytes)
                faults += problems
                return value
            } catch {
                if let failure = error as? Failure, failure.isLocal { throw failure }
                let problem = VerifiedDownloads.Fault(host, path, error)
                // Not to have a file is no fault while another host has it: an authority may attest only.
                if (error as? Failure)?.kind == .notFound {
                    missing.append(problem)
                } else {
                    problems.append(problem)
                }
            }
        }
        problems += missing
        throw NoValidBytes(
            description: "no host had a valid \(path):" + Self.summary(problems).map { "\n  \($0)" }.joined())
    }

    // MARK: data

    private mutating func fetchManifest(_ first: Statement) throws -> Manifest {
        guard let root = first.snapshotRoot else { preconditionFailure("the chain begins with a snapshot") }
        let parameters = agreed.parameters
        let path = TreePath.manifest(first.blockID)
        if let kept = try? Tree(folder.root).manifest(of: first.blockID, parameters: parameters, root: root) {
            return kept
        }
        let manifest = try firstValid(path, limit: Manifest.maxBytes(shards: parameters.shards)) {
            bytes throws(ParseError) in
            let manifest = try Manifest(parsing: bytes, shards: parameters.shards)
            guard manifest.root == root else {
                throw ParseError(.malformed("is not the manifest that the statement names"), at: 0)
            }
            return manifest
        }
        try folder.write(Array(manifest.text.utf8), at: path)
        return manifest
    }

    /// The shards and patches that are not here yet. A file is only given its name when it was checked.
    private func wantedFiles(
        _ statements: [Statement], _ manifest: Manifest, _ shards: [Int]
    ) throws -> [VerifiedDownloads.Wanted] {
        let files =
            shards.map { .shard($0, of: statements[0].blockID, manifest) }
            + statements.dropFirst().map { VerifiedDownloads.Wanted.patch($0) }
        return try files.filter { try !folder.contains($0.path) }
    }

    private func install(_ shards: [Int]?) throws {
        let pointer = InstalledSet.Pointer(
            height: agreed.height, block: agreed.block.reversedHex, shards: shards?.sorted(),
            epochShards: agreed.parameters.shards, epochBlocks: agreed.parameters.epoch,
            authorities: agreeing.map(\.name.description), witnesses: agreeing.map(\.key.hex))
        for one in report.heard where agreeing.contains(one.authority) {
            for signed in one.attestations where signed.statement == agreed {
                try folder.install(
                    try StatementChain(folder: folder, parameters: agreed.parameters).stage(signed))
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try folder.write([UInt8](try encoder.encode(pointer)), at: InstalledSet.pointer)
    }

    /// Removes what belongs to other epochs or branches: what is installed does not need it.
    private func removeOthers(_ statements: [Statement]) throws {
        let snapshot = TreePath.name(statements[0].blockID)
        for name in try Folder.names(in: folder.path("snapshots")) where name != snapshot {
            try folder.removeTree("snapshots/\(name)")
        }
        let keep = Set(statements.map { TreePath.name($0.blockID) + ".zst" })
        for epoch in try Folder.names(in: folder.path("patches")) {
            for name in try Folder.names(in: folder.path("patches/\(epoch)")) where !keep.contains(name) {
                try folder.remove("patches/\(epoch)/\(name)")
            }
        }
    }
}
