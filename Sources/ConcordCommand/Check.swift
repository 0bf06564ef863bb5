import ArgumentParser
import Concord
import ConcordConsole
import ConcordFetch
import ConcordTransfers

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See whether the authorities agree, from their signatures alone.",
        discussion: """
            Fetches a few hundred bytes from each authority. Exit status: 0 they agree, 2 some contradict each other, \
            3 no agreement could be reached.
            """)

    @OptionGroup var home: HomeOptions
    @OptionGroup var hosts: HostOptions
    @OptionGroup var policy: PolicyOptions
    @Option(
        help: ArgumentHelp(
            "Ask about this height. (default: the highest that can be agreed on)", valueName: "height"))
    var height: Int?
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let opened = try home.open()
        let survey = try Surveyed(opened, height: height, policy, transfers: hosts.transfers())
        try opened.close()
        if json {
            try printJSON(VerdictTable.JSON(survey))
        } else {
            print(VerdictTable.text(survey))
        }
        if let failure = survey.failure { throw ExitCode(failure.status.rawValue) }
    }
}

/// A survey of all authorities of a home, and what it means for how a command ends.
struct Surveyed {
    let report: Survey.Report
    let evidence: Evidence?
    let transfers: Transfers
    /// Seconds since 1970.
    let now: Int64

    init(
        _ home: borrowing Home, height: Int?, _ policy: PolicyOptions, transfers: Transfers
    ) throws {
        if let height, !(0...TreePath.mostHeight).contains(height) {
            throw CommandFailure(.usage, "--height is a height from 0 to \(TreePath.mostHeight)")
        }
        self.transfers = transfers
        now = try Clock.now()
        let roster = try home.currentRoster(transfers, now: now)
        let minimum: Int
        do throws(RosterError) { minimum = try roster.minimum(policy.minimum, at: height) } catch {
            throw CommandFailure(policy.minimum == nil ? .noAgreement : .usage, error.description)
        }
        var survey = Survey(
            roster, rule: Agreement(minimum: minimum, requested: height), transfers: transfers, now: now,
            mostAge: policy.mostAge)
        do {
            report = try survey.run()
        } catch let mixed as Survey.Mixed {
            throw CommandFailure(.noAgreement, mixed.description)
        }
        if case .contradiction(let block) = report.outcome.end {
            evidence = try Evidence(of: block, heard: report.heard, in: home.folder)
        } else {
            evidence = nil
        }
    }

    /// The statement they agree on; nil if they do not.
    var agreed: Statement? {
        if case .agreed(let statement) = report.outcome.end { statement } else { nil }
    }

    /// Nil if they agree.
    var failure: CommandFailure? {
        switch report.outcome.end {
        case .agreed: nil
        case .contradiction(let block):
            CommandFailure(
                .dissent,
                "authorities contradict each other about block \(block.hash.reversedHex) at height \(block.height). "
                    + "Nothing was installed. The signed files are in \(evidence?.path ?? "")")
        case .none(let reason): CommandFailure(.noAgreement, "no agreement: \(reason)")
        }
    }
}
