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

            Where the home has wallets (`concord wallet add`), only what these need comes, unless --shards asks for more: \
            of each shard that their scripts fall into a filter, the shards where there may be coins, and what has changed \
            since. Hosts are not told any script. Each shard is asked of one host, over connections of its own.
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
            "Only these shards, besides what wallets need: numbers from 0, with commas, `all` or `none`. "
                + "(default: as the last time; at first none if there are wallets, else all)",
            valueName: "3,17,…"))
    var shards: String?
    @Option(
        help: ArgumentHelp(
            "Take so many more shards, chosen at random and kept, so that hosts cannot tell which ones are needed. "
                + "(default: as the last time, at first 0)", valueName: "number"))
    var cover: Int?
    @Option(
        help: ArgumentHelp(
            "`all`: take the filters of all shards, some 196 MB on the main network, so that nobody sees which "
                + "ones are looked at. (default: needed)", valueName: "needed|all"))
    var filters = Filters.needed
    @Flag(help: "Keep running, and fetch again whenever there is something new, until SIGINT or SIGTERM.")
    var follow = false
    @Option(
        help: ArgumentHelp("With --follow: look for something new so often.", valueName: "seconds"))
    var every = 30
    @Flag(help: "Print JSON.")
    var json = false

    enum Filters: String, ExpressibleByArgument, CaseIterable { case needed, all }

    func validate() throws {
        guard cover.map({ (0...TreeParameters.maxShards).contains($0) }) ?? true else {
            throw ValidationError("--cover is a number of shards, from 0 to \(TreeParameters.maxShards).")
        }
        guard (1...86_400).contains(every) else { throw ValidationError("--every is 1 to 86400 seconds.") }
        guard !follow || height == nil else {
            throw ValidationError("--follow goes on to what is new: --height does not go with it.")
        }
    }

    func run() throws {
        let progress = ProgressLine(isQuiet: json)
        let client = try home.client(hosts, progress)
        if follow {
            StopSignal.catchSignals()
            try FetchFollowing(client: client, every: .seconds(every), isJSON: json, progress: progress).run {
                try fetch(client, progress)
            }
        } else {
            let fetched = try fetch(client, progress)
            try client.close()
            try say(fetched, progress)
        }
    }

    /// What a fetch came to.
    struct Fetched {
        let survey: AgreementSession
        let agreed: Statement
        let result: SetFetch.Result
        let folder: Folder
        let sums: WalletSums
    }

    /// Fetches once. Where nothing may be installed, that is shown, and thrown.
    private func fetch(_ client: Client, _ progress: ProgressLine) throws -> Fetched {
        let policy = try policy.policy(height: height, work, headers, follows: true)
        let survey = try client.session(policy)
        if follow, let failure = survey.failure { throw failure }
        guard survey.failure == nil, let agreed = survey.agreed else {
            try end(survey, progress)
            throw CommandFailure(.noAgreement, "nothing was agreed on")
        }
        let wanted = try chosenShards(of: agreed.parameters.shards)
        let result: SetFetch.Result
        do {
            result = try client.install(
                survey, wanted, Client.Privacy(cover: cover, takesAllFilters: filters == .all))
        } catch is SetFetch.Contradicted {
            // It is in the log now: asked again, all are heard on that block.
            let again = try client.session(policy)
            if again.failure != nil { try end(again, progress) }
            throw CommandFailure(
                .dissent,
                "what came contradicts what was seen before, and is withdrawn now. Nothing was installed; run it again"
            )
        }
        let sums = try WalletSums(client.wallets, client.installed(agreed.network))
        return Fetched(
            survey: survey, agreed: agreed, result: result, folder: try client.set(agreed.network),
            sums: sums)
    }

    private func say(_ fetched: Fetched, _ progress: ProgressLine) throws {
        let (survey, result) = (fetched.survey, fetched.result)
        progress.clear()
        let faults = (survey.headers?.authorities.flatMap(\.problems) ?? []) + result.faults
        let lines = Fault.byHost(faults)
        for line in lines { progress.say("warning: \(line); fetched from another host") }
        if json {
            return try printJSON(JSON(survey: survey, Installed(result, lines, fetched.folder), fetched.sums))
        }
        var text = [VerdictTable.text(survey)]
        text.append(
            Self.isNew(result)
                ? (result.base.map { "went on from height \($0): " } ?? "")
                    + "fetched \(Self.words(result)), "
                    + "\(result.bytes) bytes in all, to \(fetched.folder.root)"
                : "nothing new: what this set needs was in \(fetched.folder.root) already")
        if let held = result.held {
            text.append(
                (held.isEmpty
                    ? "no shard is held" : "only shards \(held.map(String.init).joined(separator: ", "))")
                    + (result.followed.isEmpty
                        ? ""
                        : "; \(result.followed.count) more \(result.followed.count == 1 ? "is" : "are") followed by what changes")
                    + "; `--shards all` for the rest")
        }
        try Output.say((text + fetched.sums.lines()).joined(separator: "\n"))
    }

    static func isNew(_ result: SetFetch.Result) -> Bool {
        result.shards + result.filters + result.patches + result.deltas + result.sections > 0
    }

    /// What came, without what did not.
    static func words(_ result: SetFetch.Result) -> String {
        let whole = [
            (result.filters, "filter"), (result.shards, "shard"), (result.deltas, "delta"),
            (result.patches, "patch"),
        ]
        .filter { $0.0 > 0 }
        .map { count, word in
            "\(count) \(word)" + (count == 1 ? "" : word == "patch" ? "es" : "s")
        }
        let parts =
            result.sections > 0
            ? ["sections of \(result.sections) \(result.sections == 1 ? "file" : "files") of changes"] : []
        return (whole + parts).joined(separator: ", ")
    }

    /// Shows why nothing is installed.
    private func end(_ survey: AgreementSession, _ progress: ProgressLine) throws {
        progress.clear()
        if json {
            try printJSON(JSON(survey: survey, nil, nil))
        } else {
            try Output.say(VerdictTable.text(survey))
        }
        try survey.end()
    }

    /// The shards to fetch.
    private func chosenShards(of count: Int) throws -> Client.Shards {
        guard let shards else { return .asBefore }
        if shards == "all" { return .all }
        if shards == "none" { return .some([]) }
        let numbers = shards.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.allSatisfy({ $0.map { (0..<count).contains($0) } ?? false }) else {
            throw CommandFailure(
                .usage, "--shards is numbers from 0 to \(count - 1) with commas between them, `all` or `none`"
            )
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
        let shards, filters, patches, deltas, sections, bytes: Int?
        /// The shards that are held, all if nil, and how many more are followed.
        let held: [Int]?
        let followed: Int?
        let wallets: [WalletSums.Sum]?
        let faults: [String]?
        let error: FailureJSON.Description?

        init(survey: AgreementSession, _ installed: Installed?, _ sums: WalletSums?) {
            var agreement = VerdictTable.JSON(survey)
            // It stands above.
            agreement.error = nil
            self.agreement = agreement
            network = agreement.network
            folder = installed?.folder
            shards = installed?.result.shards
            patches = installed?.result.patches
            deltas = installed?.result.deltas
            sections = installed?.result.sections
            filters = installed?.result.filters
            held = installed?.result.held
            followed = installed?.result.followed.count
            wallets = sums?.sums
            base = installed?.result.base
            bytes = installed?.result.bytes
            faults = installed?.faults
            error = survey.failure.map { .init($0) }
        }
    }
}
