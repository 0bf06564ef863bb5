import Concord
import ConcordFiles

/// What all authorities of a list say, whether they agree, and what the chain with most work says to that.
public struct AgreementSession: Sendable {
    public let report: Survey.Report
    /// The proof where authorities contradict each other.
    public let evidence: Evidence?
    /// What could not be had on the way down to the first difference.
    public let evidenceProblems: [EvidenceSearch.Problem]
    /// The folders with what authorities signed of other trees than the list's, by name.
    public let foreign: [AuthorityName: String]
    /// Seconds since 1970.
    public let now: Int64
    /// Nil if they do not agree, or headers were not to be followed.
    public let headers: HeaderSurvey.Report?
    /// The newest block that was agreed on in earlier runs; nil if none was, or another height was asked for.
    public let before: AttestationLog.Agreed?
    public let policy: AgreementPolicy

    /// Why nothing may be taken for agreed.
    public enum Obstacle: Sendable {
        /// Too few agree.
        case noAgreement(Agreement.Shortfall)
        /// Two statements of this block are signed.
        case contradiction(BlockID)
        /// No host had headers that lead to the agreed block.
        case noHeaders
        /// It is not on the chain with most work.
        case lessWork(HeaderSurvey.Branch, rivals: [HeaderSurvey.Rival])
        /// Its chain has less work than the network's is known to have.
        case lowWork(UInt128)
        /// A higher block was agreed on before, and no chain with more work has left it.
        case rolledBack(from: AttestationLog.Agreed)
    }

    /// Asks all authorities, follows their headers where they agree, and keeps evidence where they do not.
    ///
    /// - Parameters:
    ///   - minimum: as the roster gives it.
    ///   - home: the client's folder.
    ///   - pinnedStart: `Network.pinnedStart`.
    init(
        _ roster: Roster, minimum: Int, _ policy: AgreementPolicy, reader: TreeReader, log: AttestationLog,
        in home: Folder, now: Int64, pinnedStart: (Network, TreeParameters) -> PinnedStart?,
        tell: @escaping (ClientEvent) -> Void
    ) throws {
        self.policy = policy
        self.now = now
        let rule = Agreement(minimum: minimum, requested: policy.height, depth: policy.depth)
        report = try Survey(
            roster, rule: rule, log: log, reader: reader, now: now, maxAgeInSeconds: policy.maxAgeInSeconds
        ) { tell(.walking($0, height: $1)) }.run()
        foreign = try Self.keepForeign(report.heard, in: home)
        if case .contradiction(let block) = report.outcome.end {
            tell(.searching(block))
            let search = try EvidenceSearch(of: block, heard: report.heard, reader: reader, in: home)
            (evidence, evidenceProblems) = try search.run()
        } else {
            (evidence, evidenceProblems) = (nil, [])
        }
        guard case .agreed(let statement) = report.outcome.end else {
            (headers, before) = (nil, nil)
            return
        }
        var known = try log.agreed(on: statement.network)
        if let block = known?.block, try !Self.isSigned(block, by: report.heard, log) { known = nil }
        before = policy.height == nil ? known : nil
        let base = Self.base(of: statement, in: home)
        let start = pinnedStart(statement.network, statement.parameters)
        guard let store = try Self.store(policy, of: statement, blocksFrom: base, start, in: home) else {
            headers = nil
            return
        }
        var follower = HeaderSurvey(
            report, on: statement, store: store, reader: reader, log: log, now: now, after: known,
            blocksFrom: base
        ) { tell(.headers(height: $0, of: $1)) }
        headers = try follower.run()
        // An older one only where the newest is not on the chain with most work any more.
        guard obstacle == nil, let headers, !headers.isRolledBack else { return }
        try log.remember(
            AttestationLog.Agreed(block: statement.blockID, time: now, work: headers.best?.work ?? 0),
            on: statement.network)
    }

    /// The stored headers that are gone on with; nil where none are to be followed.
    private static func store(
        _ policy: AgreementPolicy, of agreed: Statement, blocksFrom lowest: Int, _ start: PinnedStart?,
        in home: Folder
    ) throws(FileError) -> HeaderStore? {
        let all = try HeaderStore(home, agreed.network)
        let isWanted = policy.headers == .follow || all.count > 0
        guard let start, policy.headerStart == .pinned, agreed.height >= start.block.height,
            lowest >= start.base, all.end <= start.block.height
        else { return isWanted ? consume all : nil }
        let pinned = try HeaderStore(home, agreed.network, from: start)
        return isWanted || pinned.count > 0 ? consume pinned : nil
    }

    /// The height that is installed, if it can be gone on from; else that of the epoch's first block.
    private static func base(of agreed: Statement, in home: Folder) -> Int {
        let folder = Folder(reading: home.path("sets/\(agreed.network.rawValue)"))
        let height = (try? InstalledSet.pointer(in: folder))?.height ?? .max
        let most = agreed.epochStart - EpochCrossing.maxEpochs * agreed.parameters.epoch
        return height >= max(0, most) ? min(height, agreed.epochStart) : agreed.epochStart
    }

    /// Whether anybody in the list has signed a block: what was agreed on by those alone who were removed binds nobody.
    private static func isSigned(
        _ block: BlockID, by heard: [AuthorityObservation], _ log: AttestationLog
    ) throws(FileError) -> Bool {
        for one in heard where one.view.counts(at: block.height) {
            if try !log.recall(block, of: one.authority.key).isEmpty { return true }
        }
        return false
    }

    /// Keeps one file of each authority that signs another kind of tree, as the proof.
    private static func keepForeign(
        _ heard: [AuthorityObservation], in home: Folder
    ) throws(FileError) -> [AuthorityName: String] {
        var folders: [AuthorityName: String] = [:]
        for one in heard {
            guard let signed = one.foreign else { continue }
            let name = one.authority.name
            let folder = try home.inner("evidence/other-tree-\(name)-\(one.authority.key.hex.prefix(8))")
            folders[name] = folder.root
            if try !Folder.names(in: folder.root).contains(where: { $0.hasSuffix(".txt") }) {
                try folder.install(try Evidence.stage(signed, of: name, in: folder))
            }
        }
        return folders
    }

    /// Nil if they agree, and the headers that were followed say nothing against it.
    public var obstacle: Obstacle? {
        switch report.outcome.end {
        case .contradiction(let block): return .contradiction(block)
        case .none(let reason): return .noAgreement(reason)
        case .agreed(let statement):
            guard let headers else { return nil }
            switch headers.end {
            case .noHeaders: return .noHeaders
            case .lessWork(let branch, let rivals): return .lessWork(branch, rivals: rivals)
            case .mostWork: break
            }
            if let best = headers.best, best.work < statement.network.knownWork, !policy.allowsLowWork {
                return .lowWork(best.work)
            }
            if let before, headers.isRolledBack { return .rolledBack(from: before) }
            return nil
        }
    }

    /// The statement they agree on; nil if they do not. What the headers say to it is `obstacle`.
    public var agreed: Statement? {
        if case .agreed(let statement) = report.outcome.end { statement } else { nil }
    }

    /// The block in question: the agreed one, or the one that has two statements; nil if there is no agreement.
    public var chosen: BlockID? {
        switch report.outcome.end {
        case .agreed(let statement): statement.blockID
        case .contradiction(let block): block
        case .none: nil
        }
    }

    /// What the list calls those who were asked.
    public var names: [PublicKey: AuthorityName] {
        Dictionary(
            report.heard.map { ($0.authority.key, $0.authority.name) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The network that they attest; nil where nothing of any could be had.
    public var network: Network? { report.heard.lazy.compactMap { $0.view.newest?.network }.first }

    /// Whether one authority alone attests what is agreed on.
    public var isAlone: Bool { agreed != nil && report.outcome.verdicts.count { $0 == .agrees } == 1 }
}
