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

    @Option(
        help: ArgumentHelp(
            "A wallet of this home, as `concord wallet list` names it; more than once for several.",
            valueName: "name"))
    var wallet: [String] = []
    @Option(
        help: ArgumentHelp(
            "Refuse to answer from a block that was attested longer ago. (default: warn after 24)",
            valueName: "hours"))
    var maxAge: Int?

    func validate() throws {
        guard !asked.isEmpty || !wallet.isEmpty else {
            throw ValidationError(
                "give an address, a script or a descriptor, - or --file for a list of them, or --wallet.")
        }
        guard maxAge.map({ (1...1_000_000).contains($0) }) ?? true else {
            throw ValidationError("--max-age is 1 to 1000000 hours.")
        }
    }

    /// What is asked, and what it is asked of.
    struct Resolved {
        let set: InstalledSet
        let contradiction: Home.Contradiction?
        let queries: [ScriptQuery]
        /// Of each query.
        let scripts: [[ScriptQuery.Script]]
    }

    /// Looks up what is asked; what is wrong with the question is said first, whatever was fetched.
    func resolved(_ opened: borrowing Home, _ progress: ProgressLine) throws -> Resolved {
        let typed = asked.isEmpty ? [] : try asked.read()
        let wallets = try wallet.map { try opened.wallets.wallet($0) }
        let set: InstalledSet
        do {
            set = try opened.installed(network ?? wallets.first?.network)
        } catch {
            for line in typed { try line.check(on: network.map { [$0] } ?? Network.allCases) }
            throw error
        }
        let contradiction = try opened.contradiction(on: set.statement.network)
        try despite.pass(contradiction)
        try refuseOld(set)
        let queries = try typed.map { try ScriptQuery($0, on: set.statement.network) }
        let scripts = try ScriptQuery.scripts(of: queries, asked.range, progress)
        let (own, ownScripts) = try Self.queries(of: wallets, on: set.statement.network)
        try Self.refuseMissing(queries, scripts, set)
        try Self.refuseUnknown(wallets, ownScripts, set)
        return Resolved(
            set: set, contradiction: contradiction, queries: queries + own, scripts: scripts + ownScripts)
    }

    /// Looks for the coins. Block hashes cost the time to follow all headers that are here.
    ///
    /// - Parameter height: of one of the statements that lead to the installed one, which is meant by nil.
    func answer(
        at height: Int? = nil, isQuiet: Bool, withBlockHashes: Bool = false
    ) throws -> CoinAnswer {
        let opened = try home.openForReading()
        let progress = ProgressLine(isQuiet: isQuiet)
        let resolved = try resolved(opened, progress)
        let set = resolved.set
        guard
            let statement = height.map({ height in set.statements.first { $0.height == height } })
                ?? set.statement
        else {
            throw CommandFailure(
                .usage,
                "what was fetched says nothing of height \(height ?? 0), but of "
                    + "\(set.heights.map(String.init).joined(separator: ", ")); or run `concord fetch --height \(height ?? 0)`"
            )
        }
        let coins = try CoinLookup(set, height: statement.height)
            .coins(of: resolved.scripts.joined().map(\.bytes)) { done, all in
                progress.update("searched \(done) of \(all) shards")
            }
        progress.clear()
        let heights = withBlockHashes ? Set(coins.joined().map(\.height)) : []
        let hashes = try Self.hashes(of: heights, set, opened)
        return CoinAnswer(resolved, at: statement, coins, hashes: hashes, now: try Clock.now())
    }

    private func refuseOld(_ set: InstalledSet) throws {
        let age = try Clock.now() - set.time
        guard let maxAge, age > Int64(maxAge) * 3600 else { return }
        throw CommandFailure(
            .localFailure,
            "what was fetched was attested \(CoinAnswer.words(age)) ago, which is longer than --max-age allows: run `concord fetch`"
        )
    }

    /// A query for each account of the wallets.
    private static func queries(
        of wallets: [Wallet], on network: Network
    ) throws -> ([ScriptQuery], [[ScriptQuery.Script]]) {
        var (queries, scripts): ([ScriptQuery], [[ScriptQuery.Script]]) = ([], [])
        for wallet in wallets {
            guard wallet.network == network else {
                throw CommandFailure(
                    .usage,
                    "the wallet `\(wallet.name)` is of \(wallet.network.rawValue), not of \(network.rawValue)"
                )
            }
            let all = try wallet.scripts()
            for (number, account) in wallet.accounts.enumerated() {
                queries.append(ScriptQuery(account.descriptor, of: wallet.name))
                scripts.append(
                    all.filter { $0.account == number }.map {
                        ScriptQuery.Script(
                            bytes: $0.script, branch: $0.branch, index: UInt32($0.index), place: $0.place)
                    })
            }
        }
        return (queries, scripts)
    }

    private static func refuseUnknown(
        _ wallets: [Wallet], _ scripts: [[ScriptQuery.Script]], _ set: InstalledSet
    ) throws {
        guard let first = wallets.first, !scripts.joined().allSatisfy({ set.knows($0.bytes) }) else { return }
        throw CommandFailure(
            .localFailure,
            "not all of `\(first.name)`\(wallets.count == 1 ? "" : " and the other wallets") was fetched: run `concord fetch`"
        )
    }

    /// The hashes of blocks of the followed chain, if the installed one is among them, as Bitcoin Core prints them.
    private static func hashes(
        of heights: Set<Int>, _ set: InstalledSet, _ home: borrowing Home
    ) throws -> [Int: String] {
        guard !heights.isEmpty, let headers = try home.headers(of: set) else { return [:] }
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
            let lacking = scripts.filter { !set.knows($0.bytes) }.map(parameters.shard(of:))
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
