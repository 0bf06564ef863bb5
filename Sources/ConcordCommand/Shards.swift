import ArgumentParser
import Concord
import ConcordClient
import ConcordConsole

struct Shards: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show which shards the scripts of addresses or descriptors fall into.",
        discussion: """
            With those shards alone, `concord fetch --shards`, the coins can be looked up. It takes what `concord utxos` \
            takes, and asks nobody.

            With --within and --count it looks for the first indexes of a descriptor with /* whose scripts all fall into \
            shards that you want, so that few shards will do. Know what that costs: such scripts show on the chain, for \
            whoever knows the shards recognises them as belonging together; and they leave gaps, which wallets with a \
            gap limit do not look beyond.
            """)

    @OptionGroup var home: HomeOptions
    @Option(
        help: "The network. (default: the one that was fetched, else main if that is meant)",
        transform: NetworkName.parse)
    var network: Network?
    @Option(
        help: ArgumentHelp(
            "How many shards there are, a power of two up to 4096. (default: as fetched, else 1024)",
            valueName: "count"))
    var shards: Int?
    @Option(
        help: ArgumentHelp("The shards that are wanted.", valueName: "3,17,…"), transform: WantedShards.parse)
    var within: [Int]?
    @Option(help: ArgumentHelp("How many indexes to look for in them. (default: 1)", valueName: "number"))
    var count: Int?
    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var asked: ScriptArguments

    func validate() throws {
        if let shards {
            guard TreeParameters(checking: shards, epoch: 1) != nil else {
                throw ValidationError("--shards is a power of two from 1 to \(TreeParameters.maxShards).")
            }
        }
        guard count == nil || within != nil else { throw ValidationError("--count goes with --within.") }
        guard (1...ScriptArguments.maxScripts).contains(count ?? 1) else {
            throw ValidationError("--count is a number from 1 to \(ScriptArguments.maxScripts).")
        }
    }

    func run() throws {
        let typed = try asked.read()
        let installed = try installedParameters()
        let network = try network ?? installed?.network ?? Self.network(of: typed)
        guard let parameters = TreeParameters(checking: shards ?? installed?.shards ?? 1024, epoch: 1) else {
            return
        }
        let queries = try typed.map { try ScriptQuery($0, on: network) }
        let progress = ProgressLine(isQuiet: json)
        let rows: [Row]
        if let within {
            rows = try search(queries, parameters, within, network, progress)
        } else {
            rows = zip(queries, try ScriptQuery.scripts(of: queries, asked.range, progress)).flatMap {
                query, scripts in
                scripts.map { Row(query, $0, parameters, network) }
            }
        }
        progress.clear()
        if json {
            try printJSON(JSON(network: network.rawValue, shards: parameters.shards, scripts: rows))
        } else {
            try Output.say(rows.map(\.line).joined(separator: "\n"))
        }
    }

    /// Of the set that is here, if there is one for the network, and not several.
    private func installedParameters() throws -> (network: Network, shards: Int)? {
        do {
            let set = try home.openForReading().installed(network)
            return (set.statement.network, set.statement.parameters.shards)
        } catch ClientError.nothingInstalled {
            return nil
        }
    }

    /// The first network on which all of it means something.
    private static func network(of typed: [TypedLine]) throws -> Network {
        var refusal: (any Error)?
        for network in Network.allCases {
            do {
                for line in typed { _ = try ScriptQuery(line, on: network) }
                return network
            } catch {
                refusal = refusal ?? error
            }
        }
        if let refusal { throw refusal }
        return .main
    }

    private func search(
        _ queries: [ScriptQuery], _ parameters: TreeParameters, _ within: [Int], _ network: Network,
        _ progress: ProgressLine
    ) throws -> [Row] {
        guard queries.count == 1, queries[0].descriptor.isRanged else {
            throw CommandFailure(.usage, "--within looks along one descriptor with /*, like wpkh(KEY/0/*)")
        }
        guard within.allSatisfy({ $0 < parameters.shards }) else {
            throw CommandFailure(.usage, "--within is numbers from 0 to \(parameters.shards - 1)")
        }
        progress.say(
            "warning: scripts that were chosen by their shards show on the chain: whoever knows the shards recognises them. And "
                + "wallets with a gap limit, to which they look unused in between, do not find them")
        let search = ShardSearch(query: queries[0], wanted: Set(within), parameters: parameters)
        let found = try search.first(count ?? 1, from: asked.range.lowerBound, progress)
        return found.map { Row(queries[0], $0, parameters, network) }
    }

    private struct Row: Encodable {
        let query, scriptPubKey: String
        let address: String?
        /// Nil where the descriptor has no range.
        let index: UInt32?
        /// Nil where the descriptor has one.
        let branch: Int?
        let shard: Int
        /// As in the names of files.
        let digits: String

        init(
            _ query: ScriptQuery, _ script: ScriptQuery.Script, _ parameters: TreeParameters,
            _ network: Network
        ) {
            self.query = query.query
            scriptPubKey = script.bytes.hex
            address = Address.text(for: script.bytes, on: network)
            index = query.descriptor.isRanged ? script.index : nil
            branch = query.branches.count > 1 ? script.branch : nil
            shard = parameters.shard(of: script)
            digits = TreePath.shardDigits(shard)
        }

        var line: String {
            let place = [branch.map { "branch \($0)" }, index.map { "index \($0)" }].compactMap(\.self)
            return
                ([address ?? "raw(\(scriptPubKey))"] + (place.isEmpty ? [] : [place.joined(separator: ", ")])
                + [
                    "shard \(shard)", digits,
                ]).joined(separator: "  ")
        }
    }

    private struct JSON: Encodable {
        let network: String
        /// How many there are.
        let shards: Int
        let scripts: [Row]
    }
}

/// `--within`.
enum WantedShards {
    @Sendable static func parse(_ text: String) throws -> [Int] {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.allSatisfy({ $0.map { (0..<TreeParameters.maxShards).contains($0) } ?? false }) else {
            throw ValidationError("--within is numbers of shards with commas between them.")
        }
        return numbers.compactMap(\.self)
    }
}
