import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree
import Foundation

/// The way from agreement to an installed set: statements → manifest → shards and patches → pointer.
///
/// Everything is held to the agreed statement before it is installed: statements by the `history` chain, the manifest by the
/// snapshot root, shards by the manifest, patches by the roots in the statements. Files have the names of the blocks they
/// belong to, so that what an earlier run fetched is kept and what it began is gone on with; the pointer changes last.
public final class SetFetch {
    private let report: Survey.Report
    private let agreed: Statement
    private let blocks: [BlockID]
    private let reader: TreeReader
    private let folder: Folder
    private let log: AttestationLog
    /// Trees of authorities that agree and did well just now.
    private let places: [TreeReader.Place]
    /// All others.
    private let fallbacks: [TreeReader.Place]
    private let agreeing: [Authority]
    /// What hosts served instead of the small files.
    private var faults: [Fault] = []

    /// The statements on the way do not lead to the agreed one: which height breaks the chain, and whose attestation it is.
    public struct BrokenHistory: Error, Sendable {
        public let first: Int
        public let height: Int
        public let authority: AuthorityName?
    }

    /// What came differs from what these authorities were seen to sign of a block before. The log has both.
    public struct Contradicted: Error {
        public let block: BlockID
    }

    public struct Result: Sendable {
        public let bytes: Int
        /// What hosts did wrong although it was fetched from others.
        public let faults: [Fault]
        public let shards: Int
        public let patches: Int
        /// The shards that are wanted from now on; all if nil.
        public let wanted: [Int]?
    }

    /// What is told while it goes on.
    public enum Event: Sendable {
        /// Attestations from the epoch's first height on.
        case attestations(done: Int, of: Int, bytes: Int)
        /// Shards and patches.
        case files(done: Int, of: Int, bytes: Int)
    }

    /// - Parameters:
    ///   - report: must have ended in agreement on `agreed`.
    ///   - blocks: the chain's, from the first height of the agreed one's epoch to the agreed one.
    ///   - folder: the network's.
    public init(
        _ report: Survey.Report, on agreed: Statement, blocks: [BlockID], log: AttestationLog,
        reader: TreeReader, into folder: Folder
    ) {
        precondition(blocks.first?.height == agreed.epochStart && blocks.last == agreed.blockID)
        (self.report, self.agreed, self.blocks) = (report, agreed, blocks)
        (self.reader, self.folder, self.log) = (reader, folder, log)
        let verdicts = zip(report.heard, report.outcome.verdicts)
        agreeing = verdicts.filter { $0.1 == .agrees }.map(\.0.authority)
        // Those that did well just now, then all others.
        let broken = Set(report.heard.flatMap(\.problems).map(\.url))
        let all = (agreeing + report.heard.map(\.authority)).flatMap(\.places)
            .reduce(into: [TreeReader.Place]()) { if !$0.map(\.url).contains($1.url) { $0.append($1) } }
        let good = Set(agreeing.flatMap(\.urls).filter { !broken.contains(WebAddress.shown($0)) })
        let chosen = good.isEmpty ? Set(agreeing.flatMap(\.urls)) : good
        places = all.filter { chosen.contains($0.url) }
        fallbacks = all.filter { !chosen.contains($0.url) }
    }

    /// Fetches what is missing and installs it. `shards` are the numbers wanted, all if nil. Throws `NotThere`,
    /// `BrokenHistory`, `Contradicted`, `CancellationError`, and what this machine is to blame for.
    public func run(shards: [Int]?, progress: @escaping (Event) -> Void) throws -> Result {
        let statements = try fetchStatements(progress)
        let manifest = try fetchManifest(statements[0])
        let wanted = try wantedFiles(statements, manifest, shards ?? Array(0..<agreed.parameters.shards))
        let downloads = Downloads(reader, into: folder, from: places, fallbacks: fallbacks)
        try downloads.run(wanted) { [reader] done in
            progress(.files(done: done, of: wanted.count, bytes: reader.received))
        }
        try install(shards)
        try removeOthers(statements)
        try folder.removeParts()
        let isShard = { (asked: TreeFile) in if case .shard = asked { true } else { false } }
        return Result(
            bytes: reader.received, faults: faults + downloads.hostFaults,
            shards: wanted.count { isShard($0.asked) }, patches: wanted.count { !isShard($0.asked) },
            wanted: shards)
    }

    // MARK: statements

    /// The statements from the epoch's first height to the agreed one, each signed by an authority that agrees.
    private func fetchStatements(_ progress: @escaping (Event) -> Void) throws -> [Statement] {
        let chain = StatementChain(folder: folder, parameters: agreed.parameters)
        let keys = agreeing.map(\.key)
        var found: [BlockID: SignedAttestation] = [:]
        for block in blocks { found[block] = chain.kept(block, keys: keys) }
        let isKept = Set(found.keys)
        for one in report.heard where keys.contains(one.authority.key) {
            for signed in one.attestations where signed.statement == agreed { found[agreed.blockID] = signed }
        }
        // What came is kept and remembered, however it ends.
        var fresh = found.filter { !isKept.contains($0.key) }.map(\.value)
        func keep() throws {
            try log.remember(fresh)
            try folder.install(try fresh.flatMap { try chain.stage($0) })
            fresh = []
        }
        var (problems, missing): ([Fault], [Fault]) = ([], [])
        let wanted = blocks.filter { found[$0] == nil }
        var asking = TreeReader.Asking()
        asking.fallbacks = agreeing.flatMap(\.places).filter { !places.contains($0) }
        let question = { [agreed] (block: BlockID) in
            TreeQuestion.attestation(of: block, agreed.parameters, keys: Set(keys))
        }
        for block in wanted {
            try reader.ask(question(block), at: places, asking) { [agreed] reply in
                problems += reply.faults
                guard let signed = reply.answer else {
                    missing.append(contentsOf: reply.faults)
                    return
                }
                let statement = signed.statement
                guard statement.blockID == block, TreeKind(statement) == TreeKind(agreed) else {
                    let kind: Fault.Kind =
                        statement.blockID == block
                        ? .otherTree(TreeKind(statement), expected: TreeKind(agreed))
                        : .otherBlock(statement.blockID)
                    missing.append(
                        Fault(
                            authority: reply.place?.authority, url: reply.place?.url ?? "",
                            asked: .attestation(block), path: question(block).path, kind))
                    return
                }
                found[block] = signed
                fresh.append(signed)
                if fresh.count >= 256 { try keep() }
            }
        }
        do {
            try reader.run { [reader] in
                progress(
                    .attestations(
                        done: found.count, of: self.blocks.count, bytes: reader.received))
            }
        } catch {
            try? keep()
            throw error
        }
        try keep()
        try checkLog()
        if let first = missing.first { throw NotThere(path: first.path, faults: missing) }
        let statements = blocks.compactMap { found[$0]?.statement }
        if let place = StatementChain.firstBroken(in: statements) {
            // What others say of that height is a question of its own.
            throw BrokenHistory(
                first: agreed.epochStart, height: blocks[place].height,
                authority: agreeing.first { $0.key == found[blocks[place]]?.attestation.key }?.name)
        }
        faults += problems.filter { !$0.isAbsence }
        return statements
    }

    /// A statement on the way that differs from what was seen before of the same block stops everything.
    private func checkLog() throws {
        let heights = agreed.epochStart...agreed.height
        for block in try log.contradicted().reversed() where heights.contains(block.height) {
            var said: [SignedAttestation] = []
            for one in report.heard where one.view.counts(at: block.height) {
                said += try log.recall(block, of: one.authority.key)
            }
            let own = said.map(\.statement).filter { TreeKind($0) == TreeKind(agreed) }
            if Set(own).count > 1 { throw Contradicted(block: block) }
        }
    }

    // MARK: data

    private func fetchManifest(_ first: Statement) throws -> Manifest {
        guard let root = first.snapshotRoot else { preconditionFailure("the chain begins with a snapshot") }
        let parameters = agreed.parameters
        if let kept = try? Tree(folder.root).manifest(of: first.blockID, parameters: parameters, root: root) {
            return kept
        }
        var asking = TreeReader.Asking()
        asking.fallbacks = fallbacks
        let question = TreeQuestion.manifest(of: first.blockID, parameters, root: root)
        let reply = try reader.answer(question, at: places, asking)
        guard let manifest = reply.answer else {
            throw NotThere(path: question.path, faults: reply.faults)
        }
        // Not to have a file is no fault while another host has it: an authority may attest only.
        faults += reply.faults.filter { !$0.isAbsence }
        try folder.write(Array(manifest.text.utf8), at: question.path)
        return manifest
    }

    /// The shards and patches that are not here yet. A file is only given its name when it was checked.
    private func wantedFiles(
        _ statements: [Statement], _ manifest: Manifest, _ shards: [Int]
    ) throws -> [TreeQuestion<Folder.Staged>] {
        let files =
            shards.map { TreeQuestion.shard($0, of: statements[0].blockID, manifest) }
            + statements.dropFirst().map { TreeQuestion.patch($0) }
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
