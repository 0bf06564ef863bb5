import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordTransfers
import Foundation

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See whether the authorities agree, from their signatures alone.",
        discussion: """
            Fetches about two kilobytes from each authority. Once a fetch has followed the network's headers, or with \
            --headers, the block must also lie on the chain with most work among all of them, and may not be below the newest that was agreed \
            on before. Where authorities contradict each other, now or with what they said before, the signed files and \
            what is needed to find the first coin that differs are kept in «evidence». Exit status: 0 they agree, 2 some \
            contradict each other, 3 no agreement could be reached or another chain has more work, 4 no headers that lead \
            to the block could be had.
            """)

    @OptionGroup var home: HomeOptions
    @OptionGroup var hosts: HostOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var headers: HeaderOptions
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
            if !json { try Output.say(try Self.heading()) }
            do { try ask() } catch is ExitCode {
                // The table has said it.
            } catch let refusal as TrustList.Refusal {
                // The list does not mend itself.
                throw refusal
            } catch {
                guard let failure = error as? CommandFailure ?? CommandFailure(ofClient: error),
                    failure.status != .usage
                else { throw error }
                if json, !failure.isPrinted { try printJSON(FailureJSON(failure), onOneLine: true) }
                ProgressLine().say("error: \(failure.description)")
            }
            for _ in 0..<every * 10 where !StopSignal.isStopping { usleep(100_000) }
        }
    }

    /// The time; on a terminal on an empty screen.
    private static func heading() throws -> String {
        let time = Timestamp.text(try Clock.now())
        return isatty(STDOUT_FILENO) == 1 ? "\u{1b}[H\u{1b}[2J\(time)\n" : "\n\(time)"
    }

    private func ask() throws {
        let progress = ProgressLine(isQuiet: json)
        let client = try home.client(hosts, progress)
        let survey = try client.session(policy.policy(height: height, work, headers, follows: false))
        try client.close()
        progress.clear()
        if json {
            try printJSON(VerdictTable.JSON(survey), onOneLine: watch)
        } else {
            try Output.say(VerdictTable.text(survey))
        }
        try survey.end()
    }
}
