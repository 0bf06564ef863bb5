import ArgumentParser
import Concord
import ConcordClient
import ConcordConsole

/// What commands take that look for coins in what was fetched.
struct CoinQuestion: ParsableArguments {
    @OptionGroup var home: HomeOptions
    @Option(help: "The network, if sets of several were fetched.", transform: NetworkName.parse)
    var network: Network?
    @OptionGroup var despite: DespiteOptions
    @OptionGroup var asked: ScriptArguments

    /// Looks for the coins; what is wrong with the question is said first, whatever was fetched. Block hashes cost the time to
    /// follow all headers that are here.
    func answer(isQuiet: Bool, withBlockHashes: Bool = false) throws -> CoinAnswer {
        let typed = try asked.read()
        let opened = try home.openForReading()
        let set: InstalledSet
        do {
            set = try opened.installed(network)
        } catch {
            for line in typed { try line.check(on: network.map { [$0] } ?? Network.allCases) }
            throw error
        }
        let contradiction = try opened.contradiction(on: set.statement.network)
        try despite.pass(contradiction)
        let queries = try typed.map { try ScriptQuery($0, on: set.statement.network) }
        let progress = ProgressLine(isQuiet: isQuiet)
        let scripts = try ScriptQuery.scripts(of: queries, asked.range, progress)
        try Self.refuseMissing(queries, scripts, set)
        let coins = try CoinLookup(set).coins(of: scripts.joined().map(\.bytes)) { done, all in
            progress.update("searched \(done) of \(all) shards")
        }
        progress.clear()
        let heights = withBlockHashes ? Set(coins.joined().map(\.height)) : []
        let hashes = try Self.hashes(of: heights, set, opened)
        return CoinAnswer(set, contradiction, queries, scripts, coins, hashes: hashes)
    }

    /// The hashes of blocks of the followed chain, if the installed one is among them, as Bitcoin Core prints them.
    private static func hashes(
        of heights: Set<Int>, _ set: InstalledSet, _ home: borrowing Home
    ) throws -> [Int: String] {
        guard !heights.isEmpty else { return [:] }
        let headers = try home.headers(set.statement.network)
        guard try headers.block(at: set.block.height) == set.block else { return [:] }
        var hashes: [Int: String] = [:]
        for height in heights { hashes[height] = try headers.block(at: height)?.hash.reversedHex }
        return hashes
    }

    /// Nothing is said of coins that are not here.
    private static func refuseMissing(
        _ queries: [ScriptQuery], _ scripts: [[ScriptQuery.Script]], _ set: InstalledSet
    ) throws {
        guard let held = set.shards else { return }
        let parameters = set.statement.parameters
        var asked: [String] = []
        var missing: Set<Int> = []
        for (query, scripts) in zip(queries, scripts) {
            let lacking = scripts.map(parameters.shard(of:)).filter { !set.has(shard: $0) }
            if !lacking.isEmpty { asked.append(query.text) }
            missing.formUnion(lacking)
        }
        guard let first = asked.first else { return }
        let numbers = missing.sorted().map(String.init)
        let all = missing.union(held)
        let wanted =
            all.count == parameters.shards
            ? "all" : all.sorted().map(String.init).joined(separator: ",")
        throw CommandFailure(
            .localFailure,
            "the coins of \(first)\(asked.count == 1 ? "" : " and \(asked.count - 1) more") are in "
                + (numbers.count == 1
                    ? "shard \(numbers[0]), which was not fetched"
                    : "shards \(numbers.joined(separator: ", ")), which were not fetched")
                + ": «concord fetch --shards \(wanted)»")
    }
}
