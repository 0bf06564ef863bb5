import ArgumentParser
import Concord
import ConcordConsole
import ConcordFetch
import ConcordTransfers

/// A survey of all authorities of a home, and what it means for how a command ends.
struct AgreementSession {
    let report: Survey.Report
    let evidence: Evidence?
    /// What could not be had on the way down to the first difference.
    let evidenceProblems: [String]
    let transfers: Transfers
    let memory: AttestationLog
    /// Seconds since 1970.
    let now: Int64
    /// Nil if they do not agree, or headers were not to be followed.
    let headers: HeaderSurvey.Report?
    /// The newest block that was agreed on in earlier runs; nil if none was, or another height was asked for.
    let before: AttestationLog.Agreed?
    let allowsLowWork: Bool
    /// How many blocks deep branches may differ.
    let depth: Int

    enum Headers {
        case follow
        /// Only if an earlier run stored some.
        case followIfStored
    }

    init(
        _ home: borrowing Home, height: Int?, _ policy: PolicyOptions, transfers: Transfers,
        headers wanted: Headers,
        allowsLowWork: Bool,
        _ progress: ProgressLine
    ) throws {
        if let height, !(0...TreePath.maxHeight).contains(height) {
            throw CommandFailure(.usage, "--height is a height from 0 to \(TreePath.maxHeight)")
        }
        self.transfers = transfers
        self.allowsLowWork = allowsLowWork
        depth = policy.depth
        now = try Clock.now()
        let roster = try home.currentRoster(transfers, now: now)
        let minimum: Int
        do throws(RosterError) { minimum = try roster.minimum(policy.minimum, at: height) } catch {
            throw CommandFailure(policy.minimum == nil ? .noAgreement : .usage, error.description)
        }
        memory = try AttestationLog(in: home.folder)
        var survey = Survey(
            roster, rule: Agreement(minimum: minimum, requested: height, depth: policy.depth), memory: memory,
            transfers: transfers, now: now, maxAgeInSeconds: policy.maxAgeInSeconds)
        do {
            report = try survey.run()
        } catch let mixed as Survey.Mixed {
            throw CommandFailure(.noAgreement, mixed.description)
        }
        if case .contradiction(let block) = report.outcome.end {
            progress.update("looking for what differs first")
            var search = try EvidenceSearch(
                of: block, heard: report.heard, transfers: transfers, in: home.folder)
            let found = try search.run()
            try found.write(account: EvidenceDescription.file(found, search.problems))
            (evidence, evidenceProblems) = (found, search.problems)
        } else {
            (evidence, evidenceProblems) = (nil, [])
        }
        guard case .agreed(let statement) = report.outcome.end else {
            (headers, before) = (nil, nil)
            return
        }
        let known = try memory.agreed(on: statement.network)
        before = height == nil ? known : nil
        let store = try home.headers(statement.network)
        guard wanted == .follow || store.count > 0 else {
            headers = nil
            return
        }
        var follower = HeaderSurvey(
            report, on: statement, store: store, transfers: transfers, now: now, after: known
        ) {
            height, all in
            progress.update("followed the headers to height \(height) of \(all)")
        }
        headers = try follower.run()
        // An older one only where the newest is not on the chain with most work any more.
        guard failure == nil, let headers, !headers.isRolledBack else { return }
        try memory.remember(
            AttestationLog.Agreed(block: statement.blockID, time: now, work: headers.best?.work ?? 0),
            on: statement.network)
    }

    /// The block in question: the agreed one, or the one that has two statements; nil if
    /// there is no agreement.
    var chosen: BlockID? {
        switch report.outcome.end {
        case .agreed(let statement): statement.blockID
        case .contradiction(let block): block
        case .none: nil
        }
    }

    /// The statement they agree on; nil if they do not.
    var agreed: Statement? {
        if case .agreed(let statement) = report.outcome.end { statement } else { nil }
    }

    /// What the list calls those who were asked.
    var names: EvidenceDescription.Names {
        Dictionary(
            report.heard.map { ($0.authority.key, $0.authority.name) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The network that they attest; nil where nothing of any could be had.
    var network: Network? { report.heard.lazy.compactMap { $0.view.newest?.network }.first }

    private var clockWarning: String? {
        // A host that made up a header speaks for itself alone, as long as others lead to the block.
        let header = if case .noHeaders = headers?.end { headers?.ahead } else { nil as Int64? }
        return Clock.warning(report.heard, header: header, now: now)
    }

    /// Whether one authority alone attests what is agreed on.
    var isAlone: Bool { agreed != nil && report.outcome.verdicts.count { $0 == .agrees } == 1 }

    /// What to know before the verdict is believed, most important first.
    var warnings: [String] {
        let alone =
            "one authority alone attests this: nobody else says the same, so it is nobody's agreement. Add authorities "
            + "with «concord trust add», or use a trustnet"
        return [clockWarning ?? Clock.doubt(report.heard, now: now), isAlone ? alone : nil].compactMap(\.self)
    }

    /// Throws unless they agree, and the headers that were followed say nothing against it. The table is printed already.
    func end() throws {
        guard let failure else { return }
        // What there is to say of the authorities stands in the table, and of the headers not.
        if agreed == nil { throw ExitCode(failure.status.rawValue) }
        throw failure.printed
    }

    /// Nil if they agree, and the headers that were followed say nothing against it.
    var failure: CommandFailure? {
        guard let failure = failureByItself else { return nil }
        // A contradiction is one whatever the time is.
        guard let clock = clockWarning, failure.status != .dissent else { return failure }
        return CommandFailure(failure.status, "\(clock)\n\(failure.description)")
    }

    /// The same, without what is to be said of this machine's clock.
    var failureByItself: CommandFailure? {
        switch report.outcome.end {
        case .agreed(let statement):
            headers.flatMap {
                $0.failure(statement, allowsLowWork: allowsLowWork, depth: depth)
                    ?? rollback(to: statement, $0)
            }
        case .contradiction(let block):
            CommandFailure(
                .dissent,
                "authorities contradict each other about block \(block.hash.reversedHex) at height \(block.height). "
                    + "Nothing was installed. The signed files are in \(evidence?.path ?? "")")
        case .none(let reason): CommandFailure(.noAgreement, "no agreement: \(reason)")
        }
    }

    private func rollback(to statement: Statement, _ headers: HeaderSurvey.Report) -> CommandFailure? {
        guard let before, headers.isRolledBack else { return nil }
        return CommandFailure(
            .noAgreement,
            "only height \(statement.height) can be agreed on now, but height \(before.block.height), block "
                + "\(before.block.hash.reversedHex), was agreed on at \(Timestamp.text(before.time)), and no chain with "
                + "more work has left it. What is installed stays. Ask again when more authorities can be reached, or "
                + "take the older set with --height \(statement.height)")
    }
}
