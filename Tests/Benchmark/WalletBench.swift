import Concord
import ConcordClient
import ConcordFiles
import ConcordTransfers
import TestSupport

/// What wallets cost in bytes and requests: a chain in memory is published into a folder, and clients fetch from there what
/// their wallets need, at the heights and over the gaps that are asked for. Each answer is held to what the chain paid.
struct WalletBench {
    struct Settings: Sendable {
        var shape = BenchChain.Shape()
        var parameters = TreeParameters(shards: 1024, epoch: 1000)
        /// Numbers of blocks that a client was away, up to the tip.
        var gaps = [1, 144, 1000, 2000]
        /// Where the tree is kept; in a folder that goes if nil.
        var tree: String?
        /// A dump of the set at the first epoch height, with more coins than the chain's own, that the tree begins with.
        var dump: String?
    }

    /// The cost of one fetch.
    struct Row: Sendable {
        let wallet: String
        /// What was installed before; nil for a first start.
        let from: Int?
        let to: Int
        /// Shards whose coins are held, and those of which only the changes are.
        let held, followed: Int
        let traffic: Traffic
        /// What the BIP158 filters of the same blocks come to, from the first block on where nothing was there.
        let filterBytes: Int
        let seconds: Double

        /// Of all bodies but headers.
        var bytes: Int { traffic.total.bytes - traffic[.headers].bytes }
    }

    /// The client's answer is not what the chain paid.
    struct WrongAnswer: Error, CustomStringConvertible {
        let description: String
    }

    private let settings: Settings
    private let wallets: [BenchWallet]
    private let chain: BenchChain
    /// The height that the tree begins at.
    private let first: Int
    /// For the tree, unless it is kept, and for homes.
    private let scratch: Scratch
    private let tell: (String) -> Void

    /// - Parameter tell: told how far the work is.
    init(_ settings: Settings, tell: @escaping (String) -> Void = { _ in }) throws {
        (self.settings, self.tell) = (settings, tell)
        // A tree takes some 500 bytes an output.
        scratch = try Scratch(onDisk: settings.shape.outputs > 1_000_000)
        wallets = try BenchWallet.all()
        let (shape, parameters) = (settings.shape, settings.parameters)
        let known = try settings.tree.flatMap { try BenchTree.first(in: $0) }
        first = known ?? (settings.dump == nil ? 0 : parameters.epoch)
        chain = BenchChain(
            shape, paying: BenchWallet.payments(wallets, tip: shape.blocks, parameters),
            // What the deltas of the first block are made of is read.
            from: first - (parameters.spans.last ?? 1)
        ) { tell("made block \($0) of \(shape.blocks)") }
    }

    // MARK: rows

    /// The costs of all wallets, wallet by wallet: first starts, and then gaps.
    func rows() throws -> [Row] {
        let tree = try BenchTree(
            chain, in: settings.tree ?? scratch.path("tree"), settings.parameters, to: chain.tip,
            first: first,
            dump: settings.dump, tell: tell)
        let start = settings.parameters.epochStart(of: chain.tip)
        var rows: [Row] = []
        for wallet in wallets {
            for height in [start, start - 1] where height > first {
                try rows.append(fetch(wallet, tree, from: nil, to: height, home: home(wallet, tree)))
            }
            for gap in settings.gaps where chain.tip - gap > first {
                let home = try home(wallet, tree)
                let before = try fetch(wallet, tree, from: nil, to: chain.tip - gap, home: home)
                try rows.append(fetch(wallet, tree, from: before.to, to: chain.tip, home: home))
            }
        }
        return rows
    }

    /// A new client's folder, with one authority and one wallet.
    private func home(_ wallet: BenchWallet, _ tree: BenchTree) throws -> String {
        try Folder(reading: scratch.folder).removeTree("home")
        let home = try Home(scratch.path("home"))
        var list = TrustList()
        try list.add(tree.authority)
        try home.write(list)
        try home.wallets.add(wallet.wallet)
        try home.close()
        return home.root
    }

    private func fetch(
        _ wallet: BenchWallet, _ tree: BenchTree, from: Int?, to height: Int, home: String
    ) throws -> Row {
        tell("\(wallet.name): from \(from.map(String.init) ?? "nothing") to \(height)")
        let transport = TreeTransport(tree, showing: chain.blockID(at: height))
        let client = try Client(
            home: home, transport: transport, alone: nil, clock: { BenchTree.time + 1000 })
        var result: SetFetch.Result?
        let time = try ContinuousClock().measure { result = try client.install(agree(client)) }
        try check(client, wallet, at: height)
        try client.close()
        return Row(
            wallet: wallet.name, from: from, to: height, held: result?.held?.count ?? 0,
            followed: result?.followed.count ?? 0, traffic: transport.traffic,
            filterBytes: chain.filterBytes(of: (from.map { $0 + 1 } ?? 0)..<height + 1),
            seconds: time / .seconds(1))
    }

    private func agree(_ client: Client) throws -> AgreementSession {
        var policy = AgreementPolicy()
        policy.minimum = 1
        return try client.agree(policy)
    }

    private func check(_ client: Client, _ wallet: BenchWallet, at height: Int) throws {
        let scripts = try client.wallets.wallet(wallet.wallet.name).scripts().map(\.script)
        let found = Set(
            zip(scripts, try client.coins(of: scripts)).flatMap { script, coins in
                coins.map { BenchChain.Paid(script: script, height: $0.height, amount: $0.amount) }
            })
        let paid = chain.coins(of: Set(wallet.used), at: height)
        guard found == paid else {
            throw WrongAnswer(
                description:
                    "\(wallet.name) at height \(height): the client finds \(found.count) coins where the chain has "
                    + "\(paid.count), or other ones")
        }
    }

    // MARK: the set as a dump

    /// Writes the set at the first epoch height as Bitcoin Core's `dumptxoutset` does. Gives its coins.
    func export(to path: String) throws -> UInt64 {
        let height = settings.parameters.epoch
        // Of the blocks before nothing is needed but what they come to.
        let tree = try BenchTree(
            chain, in: scratch.path("tree"), settings.parameters, to: height, first: height, tell: tell)
        let client = try Client(
            home: home(wallets[0], tree), transport: TreeTransport(tree, showing: chain.blockID(at: height)),
            alone: nil, clock: { BenchTree.time + 1000 })
        _ = try client.install(agree(client), .all)
        guard let export = SetExport(try client.installed(), height: height) else {
            preconditionFailure("all shards are installed")
        }
        _ = try export.write(.dump, to: path, replacing: false) { _ in }
        try client.close()
        return export.statement.coins
    }
}
