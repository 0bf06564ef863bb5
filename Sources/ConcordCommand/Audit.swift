import ArgumentParser
import Concord
import ConcordAudit
import ConcordBuild
import ConcordChain
import ConcordConsole
import ConcordClient
import ConcordFiles
import ConcordTransfers

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hold what the authorities attest to the chain data of a node of your own.",
        discussion: """
            Works out the statement of every block from the blocks themselves, and compares it with what each \
            authority attests of that block. Where one differs it says at which height and in which field, and for a \
            patch, a delta or a snapshot which shard and coin differ first. Exit status: 0 all that was compared agrees, 2 \
            something differs, 3 nothing could be compared.
            """)

    @OptionGroup var home: HomeOptions
    @OptionGroup var hosts: HostOptions

    @OptionGroup var chain: ChainOptions

    @Option(
        help: "The network: main, testnet4, signet or regtest. (default: main)", transform: NetworkName.parse)
    var network: Network = .main

    @Option(
        help: ArgumentHelp(
            "Compare from this height on. (default: the first of the last height's epoch)",
            valueName: "height"))
    var from: Int?

    @Option(
        help: ArgumentHelp(
            "Compare up to this height. (default: the highest that is both attested and in your chain)",
            valueName: "height"))
    var to: Int?

    @Option(
        name: .customLong("authority"),
        help: ArgumentHelp(
            "Only this authority of your list; may be given several times. (default: all)", valueName: "name")
    )
    var names: [String] = []

    @Option(
        help: ArgumentHelp(
            "Memory for the changes of the blocks before, like 500M or 8G: more of it, less reading and writing.",
            valueName: "size"))
    var memory = ByteCount(InitialReplay.defaultMemory)

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        let heights = 0...TreePath.maxHeight
        guard heights.contains(from ?? 0), heights.contains(to ?? 0), from ?? 0 <= to ?? .max else {
            throw ValidationError(
                "--from and --to are heights from 0 to \(TreePath.maxHeight), --from not above --to.")
        }
        guard memory.bytes >= 1 << 20 else { throw ValidationError("--memory is 1M or more.") }
    }

    func run() throws {
        let progress = ProgressLine(isQuiet: json)
        let opened = try home.client(hosts, progress)
        let now = opened.clock()
        let heard = try hear(try chosen(from: try opened.roster()), opened)
        let clock = Clock.warning(heard, now: now)
        let parameters = try commonParameters(of: heard, clock)
        if let clock { progress.say("warning: \(clock)") }
        let own = try chain.input(
            network: network, cache: try opened.folder.inner("chain/\(network.rawValue)"), progress)
        let chain = try own.chain()
        for reason in try own.readiness(now: now).reasons {
            progress.say("note: your node is behind: \(reason)")
        }
        let range = try heights(heard, parameters, tip: chain.tip)
        var audit = try ChainAudit(
            chain, parameters, of: heard, reader: opened.reader, folder: try opened.folder.inner("audit"),
            memory: memory.bytes)
        let audits = try audit.run(range) { tell($0, progress) }
        try opened.folder.removeTree("audit")
        try opened.close()
        progress.clear()
        let table = AuditTable(audits: audits, heights: range, network: network, chain: chain)
        if json { try printJSON(table.json) } else { try Output.say(table.text) }
        if table.status != .done { throw ExitCode(table.status.rawValue) }
    }

    private func chosen(from roster: Roster) throws -> Roster {
        let all = roster.members.map(\.authority)
        for name in names where !all.contains(where: { $0.name.description == name }) {
            throw CommandFailure(
                .usage,
                "there is no «\(name.printable)» in the list, only \(all.map(\.name.description).joined(separator: ", "))"
            )
        }
        return names.isEmpty ? roster : roster.only { names.contains($0.name.description) }
    }

    private func hear(_ roster: Roster, _ client: Client) throws -> [AuthorityObservation] {
        do { return try client.hear(roster) } catch let mixed as IncompatibleTrees {
            throw CommandFailure(.noAgreement, "\(mixed); or choose with --authority")
        }
    }

    /// The parameters that all attest, on the network of one's own chain.
    private func commonParameters(of heard: [AuthorityObservation], _ clock: String?) throws -> TreeParameters
    {
        guard let newest = heard.lazy.compactMap({ $0.newest()?.statement }).first else {
            let problems = heard.flatMap(\.problems)
            throw CommandFailure(
                problems.contains(where: \.isInvalid) ? .noValidBytes : .noAgreement,
                (clock.map { "\($0)\n" } ?? "")
                    + "nothing can be compared: no authority's newest attestation could be had"
                    + problems.map { "\n  \($0)" }.joined())
        }
        guard newest.network == network else {
            throw CommandFailure(
                .noAgreement,
                "nothing can be compared: the authorities attest \(newest.network.rawValue), not \(network.rawValue); "
                    + "see --network")
        }
        return newest.parameters
    }

    private func heights(
        _ heard: [AuthorityObservation], _ parameters: TreeParameters, tip: Int
    ) throws -> ClosedRange<Int> {
        let attested = heard.flatMap(\.attestations).map(\.statement.height).max() ?? 0
        let last = min(to ?? attested, tip)
        let first = from ?? parameters.epochStart(of: last)
        guard first <= last else {
            throw CommandFailure(
                .noAgreement,
                "nothing can be compared from height \(first) on: your node's chain ends at \(tip), and the highest "
                    + "attested block is of height \(attested)")
        }
        return first...last
    }

    private func tell(_ event: ChainAudit.Event, _ progress: ProgressLine) {
        switch event {
        case .replaying(.replayed(let height, let to)):
            progress.update("going over the blocks before: height \(height) of \(to)")
        case .replaying(.merging(let height, let coins)):
            progress.update("merging the changes up to height \(height) with \(coins) coins")
        case .replaying(.tracing(let height, let to)), .building(.tracing(let height, let to)):
            progress.update("looking for what is wrong: height \(height) of \(to)")
        case .building(.recounting(let height, let coins)):
            progress.update("recounting the set of height \(height): \(coins) coins")
        case .counting:
            progress.update("counting the coins")
        case .compared(let height, let to):
            progress.update("compared height \(height) of \(to)")
        }
    }
}
