import Concord
import TestSupport

@testable import ConcordClient

/// How a run of a client ended, as data.
struct ClientRun {
    var session: AgreementSession?
    var result: SetFetch.Result?
    var mirrored: TreeMirror.Report?
    var error: (any Error)?
    var requests: [ScriptedTransport.Asked] = []
    var bytes = 0
    /// In the made-up time of the transport.
    var time: Duration = .zero

    enum End: Equatable {
        /// They agree on this height, and what was asked for was done.
        case done(Int)
        case contradiction(Int)
        case noAgreement
        case noHeaders
        /// So many blocks of the agreed block's chain are not on that with more work.
        case lessWork(depth: Int)
        case lowWork
        case rolledBack
        /// No host had a file, of this kind.
        case notThere(String)
        /// A host alone was asked, and this was wrong.
        case fault(Fault.Kind)
        case refused
        case incompatible
        case contradictsItself
        case cancelled
        case other(String)
    }

    var end: End {
        switch error {
        case nil: break
        case let error as NotThere: return .notThere(String(error.path.prefix { $0 != "/" }))
        case let error as Fault: return .fault(error.kind)
        case is TreeMirror.Refusal: return .refused
        case is IncompatibleTrees: return .incompatible
        case is StateContradiction: return .contradictsItself
        case is CancellationError: return .cancelled
        case let error?: return .other("\(error)")
        }
        if let mirrored { return .done(mirrored.newest.height) }
        guard let session else { return .other("nothing was done") }
        switch session.obstacle {
        case nil: return .done(session.agreed?.height ?? -1)
        case .contradiction(let block): return .contradiction(block.height)
        case .noAgreement: return .noAgreement
        case .noHeaders: return .noHeaders
        case .lessWork(let branch, _): return .lessWork(depth: branch.depth)
        case .lowWork: return .lowWork
        case .rolledBack: return .rolledBack
        }
    }

    /// What hosts did wrong, as far as anybody is told.
    var faults: [Fault] {
        var faults: [Fault] = []
        if let session {
            faults += session.report.heard.flatMap(\.problems)
            faults += session.headers?.authorities.flatMap(\.problems) ?? []
        }
        faults += result?.faults ?? []
        if let error = error as? NotThere { faults += error.faults }
        if let error = error as? Fault { faults.append(error) }
        return faults
    }

    /// The faults of an authority's hosts.
    func faults(of name: String) -> [Fault] { faults.filter { $0.authority?.description == name } }

    func verdict(of name: String) -> Verdict? {
        guard let session else { return nil }
        return zip(session.report.heard, session.report.outcome.verdicts)
            .first { $0.0.authority.name.description == name }?.1
    }

    func observation(of name: String) -> AuthorityObservation? {
        session?.report.heard.first { $0.authority.name.description == name }
    }

    /// Whose chain has more work.
    var rivals: [String] {
        guard case .lessWork(_, let rivals) = session?.obstacle else { return [] }
        return rivals.map(\.name.description)
    }
}
