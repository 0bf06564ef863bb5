import Concord
import ConcordConsole
import ConcordClient
import ConcordTransfers
import Foundation

/// What a person and a script are shown of the headers that were followed.
extension HeaderSurvey.Report {
    static let notFollowed = "not followed: «concord fetch» does, and «check --headers»"

    /// What they say against the agreed statement; nil for an obstacle that is not of headers.
    func failure(
        _ agreed: Statement, _ obstacle: AgreementSession.Obstacle, depth: Int
    ) -> CommandFailure? {
        switch obstacle {
        case .noHeaders:
            let faults = authorities.flatMap(\.problems).map { "\n  \($0)" }.joined()
            return CommandFailure(
                .noValidBytes,
                "no host had headers that lead to the agreed block \(agreed.blockID):\(faults)")
        case .lessWork(let branch, let rivals): return lessWork(branch, rivals, agreed, depth)
        case .lowWork(let work):
            return CommandFailure(
                .noAgreement,
                "the chain of the agreed block has the work \(Self.shown(work)), and the \(agreed.network.rawValue) "
                    + "network's is known to have at least \(Self.shown(agreed.network.knownWork)): a trustnet whose every "
                    + "key is stolen must still out-mine the network to invent a block. Nothing was installed. For a "
                    + "chain made to test with: --allow-low-work")
        case .noAgreement, .contradiction, .rolledBack: return nil
        }
    }

    private func lessWork(
        _ branch: HeaderSurvey.Branch, _ rivals: [HeaderSurvey.Rival],
        _ agreed: Statement, _ depth: Int
    ) -> CommandFailure {
        let whose = rivals.map { rival in
            "«\(rival.name)» (\(rival.urls.map(WebAddress.shown).joined(separator: ", ")))"
        }
        let work = best?.work ?? 0
        var text =
            "the agreed block \(agreed.blockID) is not on the chain with most work: "
            + (whose.isEmpty
                ? "the chain that was followed in an earlier run"
                : "the chain of " + whose.joined(separator: " and "))
            + " has \(Self.shown(work - branch.work)) hashes more, \(Self.shown(work)) in all. It branches off above height "
            + "\(branch.fork), \(branch.depth) blocks below the end of the agreed block's chain"
        text +=
            branch.depth > depth
            ? ", deeper than the \(depth) blocks that branches may differ: ask both sides why"
            : ": ask again after the next blocks"
        if whose.isEmpty {
            text +=
                ". If that was another chain, made to test with, remove "
                + HeaderStore.path(agreed.network, from: start)
        }
        return CommandFailure(.noAgreement, text + ". Nothing was installed")
    }

    /// One line under the agreed statement.
    func conclusion(_ agreed: Statement) -> String {
        guard let best else { return "none that lead to the block" }
        guard case .mostWork = end else { return "another chain has more work: do not use this set" }
        let count = authorities.count(where: \.leads)
        let low =
            best.work < agreed.network.knownWork ? ", less than the network's chain is known to have" : ""
        let begin =
            start.map { "from block \($0.block.height) on, which Bitcoin Core's source knows, " } ?? ""
        return
            "of \(count) authorities followed \(begin)to height \(best.tip.height): the block lies on the chain with most "
            + "work, \(Self.shown(best.work)) hashes\(low)\(whyAll(agreed))"
    }

    /// Why no pinned start would do.
    private func whyAll(_ agreed: Statement) -> String {
        guard let pinned = agreed.network.pinnedStart(agreed.parameters)?.block.height,
            agreed.height < pinned
        else { return "" }
        return
            ". All headers were followed, for the block is below height \(pinned), which they begin with otherwise"
    }

    /// A number of hashes: one that nobody reads digit by digit as a power of two, `2^94.3`.
    private static func shown(_ work: UInt128) -> String {
        work < 1_000_000 ? "\(work)" : "2^\(log2(of: work) ?? 0)"
    }

    /// One decimal; nil for no work.
    fileprivate static func log2(of work: UInt128) -> Double? {
        work == 0 ? nil : (Foundation.log2(Double(work)) * 10).rounded() / 10
    }

    /// What --json prints: work as Bitcoin Core's `chainwork`, 64 digits, and as its binary logarithm.
    struct JSON: Encodable {
        struct Row: Encodable {
            /// Whether they lead to the newest block that the authority attests.
            let follow: Bool
            /// Where that block is not on the chain with most work.
            let fork, depth: Int?
            let work: String?
            let workLog2: Double?
            let bytes: Int
            let problems: [String]

            init(_ followed: HeaderSurvey.Followed) {
                follow = followed.leads
                fork = followed.branch?.fork
                depth = followed.branch?.depth
                work = followed.branch.map { JSON.chainwork($0.work) }
                workLog2 = followed.branch.flatMap { log2(of: $0.work) }
                bytes = followed.bytes
                problems = followed.problems.map(\.description)
            }
        }

        /// `most work`, `less work` or `none`: where the agreed block lies.
        let result: String
        /// The height of the block from which they were followed.
        let from: Int
        /// The end of the chain with most work.
        let height: Int?
        let block, work: String?
        let workLog2: Double?
        /// Where the agreed block's chain leaves it.
        let fork, depth: Int?

        init(_ report: HeaderSurvey.Report) {
            from = report.start?.block.height ?? 0
            height = report.best?.tip.height
            block = report.best?.tip.hash.reversedHex
            work = report.best.map { Self.chainwork($0.work) }
            workLog2 = report.best.flatMap { log2(of: $0.work) }
            switch report.end {
            case .mostWork: (result, fork, depth) = ("most work", nil, nil)
            case .lessWork(let branch, _): (result, fork, depth) = ("less work", branch.fork, branch.depth)
            case .noHeaders: (result, fork, depth) = ("none", nil, nil)
            }
        }

        fileprivate static func chainwork(_ work: UInt128) -> String {
            let digits = String(work, radix: 16)
            return String(repeating: "0", count: 64 - digits.count) + digits
        }
    }
}

extension HeaderSurvey.Followed {
    /// What a person should know, in words.
    var lines: [String] {
        let problems = problems.map(\.description)
        guard let branch else { return problems }
        return [
            "its chain has less work than another: it branches off above height \(branch.fork), "
                + "\(branch.depth) blocks below its end"
        ] + problems
    }
}
