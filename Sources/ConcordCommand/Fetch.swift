import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordFiles
import ConcordTransfers
import ConcordTree

struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetch the set that the authorities agree on.",
        discussion: """
            First they must agree, as in «check», and the block must lie on the chain with most work among all of \
            them: the first time a network's headers come from the genesis block on, on the main network from one that \
            this program knows, 3 MB, and later what is new. Then the snapshot of the epoch and the changes since come from \
            whichever tree serves them, and the next time only what has changed. Every byte is held to the agreed \
            statement before it is installed, and at the end the MuHash of every shard, of all shards the one that \
            Bitcoin Core prints. A fetch that is interrupted goes on where it was.
            """)

    @OptionGroup var home: HomeOptions
    @OptionGroup var hosts: HostOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var headers: HeaderOptions
    @Option(
        help: ArgumentHelp(
            "The set after this block. (default: the highest that can be agreed on)", valueName: "height"))
    var height: Int?
    @Option(
        help: ArgumentHelp(
            "Only these shards: numbers from 0, with commas, or «all». (default: as the last time, at first all)",
            valueName: "3,17,…"))
    var shards: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let progress = ProgressLine(isQuiet: json)
        let client = try home.client(hosts, progress)
        let policy = try policy.policy(height: height, work, headers, follows: true)
        let survey = try client.session(policy)
        guard survey.failure == nil, let agreed = survey.agreed else { return try end(survey, progress) }
        let wanted = try chosenShards(of: agreed.parameters.shards)
        let result: SetFetch.Result
        do {
            result = try client.install(survey, wanted)
        } catch is SetFetch.Contradicted {
            // It is in the log now: asked again, all are heard on that block.
            let again = try client.session(policy)
            if again.failure != nil { try end(again, progress) }
            throw CommandFailure(
                .dissent,
                "what came contradicts what was seen before, and is withdrawn now. Nothing was installed; run it again"
            )
        }
        let folder = try client.set(agreed.network)
        try client.close()
        progress.clear()
        let faults = (survey.headers?.authorities.flatMap(\.problems) ?? []) + result.faults
        let lines = Fault.byHost(faults)
        for line in lines { progress.say("warning: \(line); fetched from another host") }
        if json {
            try printJSON(JSON(survey: survey, Installed(result, lines, folder)))
        } else {
            var lines = [VerdictTable.text(survey)]
            lines.append(
                result.shards + result.patches + result.deltas == 0
                    ? "nothing new: what this set needs was in \(folder.root) already"
                    : (result.base.map { "went on from height \($0): " } ?? "")
                        + "fetched \(Self.words(result)), "
                        + "\(result.bytes) bytes in all, to \(folder.root)")
            if let shards = result.wanted {
                lines.append(
                    "only shards \(shards.map(String.init).joined(separator: ", ")); `--shards all` for the rest"
                )
            }
            try Output.say(lines.joined(separator: "\n"))
        }
    }

    /// What came, without what did not.
    private static func words(_ result: SetFetch.Result) -> String {
        [(result.shards, "shard"), (result.deltas, "delta"), (result.patches, "patch")]
            .filter { $0.0 > 0 }
            .map { count, word in
                "\(count) \(word)" + (count == 1 ? "" : word == "patch" ? "es" : "s")
            }
            .joined(separator: ", ")
    }

    /// Shows why nothing is installed.
    private func end(_ survey: AgreementSession, _ progress: ProgressLine) throws {
        progress.clear()
        if json {
            try printJSON(JSON(survey: survey, nil))
        } else {
            try Output.say(VerdictTable.text(survey))
        }
        try survey.end()
    }

    /// The shards to fetch.
    private func chosenShards(of count: Int) throws -> Client.Shards {
        guard let shards else { return .asBefore }
        if shards == "all" { return .all }
        let numbers = shards.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.allSatisfy({ $0.map { (0..<count).contains($0) } ?? false }) else {
            throw CommandFailure(
                .usage, "--shards is numbers from 0 to \(count - 1) with commas between them, or «all»")
        }
        return .some(numbers.compactMap(\.self))
    }

    /// What was installed, and where.
    private struct Installed {
        let result: SetFetch.Result
        let faults: [String]
        let folder: String

        init(_ result: SetFetch.Result, _ faults: [String], _ folder: Folder) {
            self.result = result
            self.faults = faults
            self.folder = folder.root
        }
    }

    private struct JSON: Encodable {
        let network: String?
        let agreement: VerdictTable.JSON
        /// Nil where nothing was installed.
        let folder: String?
        /// The height that was gone on from.
        let base: Int?
        let shards, patches, deltas, bytes: Int?
        let faults: [String]?
        let error: FailureJSON.Description?

        init(survey: AgreementSession, _ installed: Installed?) {
            var agreement = VerdictTable.JSON(survey)
            // It stands above.
            agreement.error = nil
            self.agreement = agreement
            network = agreement.network
            folder = installed?.folder
            shards = installed?.result.shards
            patches = installed?.result.patches
            deltas = installed?.result.deltas
            base = installed?.result.base
            bytes = installed?.result.bytes
            faults = installed?.faults
            error = survey.failure.map { .init($0) }
        }
    }
}
