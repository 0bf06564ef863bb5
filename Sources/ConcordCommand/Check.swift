import ArgumentParser
import Concord
import ConcordConsole
import ConcordFetch
import ConcordTransfers
import Foundation

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See whether the authorities agree, from their signatures alone.",
        discussion: """
            Fetches about two kilobytes from each authority. Once a fetch has followed the network's headers, the block \
            must also lie on the chain with most work among all of them, and may not be below the newest that was agreed \
            on before. Where authorities contradict each other, now or with what they said before, the signed files and \
            what is needed to find the first coin that differs are kept in «evidence». Exit status: 0 they agree, 2 some \
            contradict each other, 3 no agreement could be reached or another chain has more work, 4 no headers that lead \
            to the block could be had.
            """)

    @OptionGroup var home: HomeOptions
    @OptionGroup var hosts: HostOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var work: WorkOptions
    @Flag(
        help:
            "Follow the headers even if no fetch has done so: all of them the first time, 72 MB on the main network."
    )
    var headers = false
    @Option(
        help: ArgumentHelp(
            "Ask about this height. (default: the highest that can be agreed on)", valueName: "height"))
    var height: Int?
    @Flag(help: "Ask again and again, until SIGINT or SIGTERM; with --json an object a line.")
    var watch = false
    @Option(help: ArgumentHelp("How long --watch waits between two times.", valueName: "seconds"))
    var every = 60
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...86_400).contains(every) else { throw ValidationError("--every is 1 to 86400 seconds.") }
    }

    func run() throws {
        if !watch { return try ask() }
        StopSignal.catchSignals()
        while !StopSignal.isStopping {
            if !json { print(try Self.heading()) }
            do { try ask() } catch let failure as CommandFailure where failure.status != .usage {
                ProgressLine().say("error: \(failure.description.printable)")
            } catch is ExitCode {
                // The table has said it.
            }
            fflush(nil)
            for _ in 0..<every * 10 where !StopSignal.isStopping { usleep(100_000) }
        }
    }

    /// The time; on a terminal on an empty screen.
    private static func heading() throws -> String {
        let time = Timestamp.text(try Clock.now())
        return isatty(STDOUT_FILENO) == 1 ? "\u{1b}[H\u{1b}[2J\(time)\n" : "\n\(time)"
    }

    private func ask() throws {
        let opened = try home.open()
        let progress = ProgressLine(isQuiet: json)
        let survey = try Surveyed(
            opened, height: height, policy, transfers: hosts.transfers(),
            headers: headers ? .follow : .followIfStored,
            allowsLowWork: work.allowsLowWork, progress)
        try opened.close()
        progress.clear()
        if json {
            try printJSON(VerdictTable.JSON(survey), onOneLine: watch)
        } else {
            print(VerdictTable.text(survey))
        }
        try survey.end()
    }
}

/// A survey of all authorities of a home, and what it means for how a command ends.
struct Surveyed {
    let report: Survey.Report
    let evidence: Evidence?
    /// What could not be had on the way down to the first difference.
    let evidenceProblems: [String]
    let transfers: Transfers
    let memory: Memory
    /// Seconds since 1970.
    let now: Int64
    /// Nil if they do not agree, or headers were not to be followed.
    let headers: HeaderSurvey.Report?
    /// The newest block that was agreed on in earlier runs; nil if none was, or another height was asked for.
    let before: Memory.Agreed?
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
        if let height, !(0...TreePath.mostHeight).contains(height) {
            throw CommandFailure(.usage, "--height is a height from 0 to \(TreePath.mostHeight)")
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
        memory = try Memory(in: home.folder)
        var survey = Survey(
            roster, rule: Agreement(minimum: minimum, requested: height, depth: policy.depth), memory: memory,
            transfers: transfers, now: now, mostAge: policy.mostAge)
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
            try found.write(account: EvidenceWords.file(found, search.problems))
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
            progress.update("followed the headers to height \(grouped(height)) of \(grouped(all))")
        }
        headers = try follower.run()
        // An older one only where the newest is not on the chain with most work any more.
        guard failure == nil, let headers, !headers.isRolledBack else { return }
        try memory.remember(
            Memory.Agreed(block: statement.blockID, time: now, work: headers.best?.work ?? 0),
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

    /// Throws unless they agree, and the headers that were followed say nothing against it.
    func end() throws {
        guard let failure else { return }
        // What there is to say of the authorities stands in the table, and of the headers not.
        if agreed == nil { throw ExitCode(failure.status.rawValue) }
        throw failure
    }

    /// Nil if they agree, and the headers that were followed say nothing against it.
    var failure: CommandFailure? {
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
