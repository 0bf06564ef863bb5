import Concord
import ConcordFiles
import TestSupport

@testable import ConcordClient

/// Trees of a chain that pays to a wallet, and what the wallet has at each height by the rules of that chain.
enum WalletTree {
    static let key =
        "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"
    static let parameters = TreeParameters(shards: 64, epoch: 20)

    /// Of the wallet's two branches: payments by height. The second of a block is spent three blocks later.
    static let payments: [Int: [(branch: Int, index: Int)]] = [
        // Before the epoch that a first start begins with.
        5: [(0, 0)], 33: [(0, 3), (0, 4)], 38: [(1, 1)],
        // After it: two of the scripts have no coins before.
        44: [(0, 6), (0, 7)], 52: [(1, 2)],
        // Behind the first gap.
        55: [(0, 25)], 56: [(0, 44)],
        // In the next epoch.
        61: [(0, 9)], 63: [(1, 3), (0, 5)], 64: [(0, 0)],
    ]

    static func wallet(_ gap: Int = 20, birth: Wallet.Birth? = nil) throws -> Wallet {
        try Wallet(
            "mine", on: .regtest, [Wallet.Account(Descriptor("wpkh(\(key)/<0;1>/*)"), gap: gap)],
            birth: birth)
    }

    static func script(_ branch: Int, _ index: Int) throws -> [UInt8] {
        try Descriptor("wpkh(\(key)/\(branch)/*)").scripts(at: UInt32(index))[0]
    }

    private static let made = Result {
        let paying = try payments.mapValues { try $0.map { try script($0.branch, $0.index) } }
        let chain = MadeChain(tip: 65, outputs: 20, paying: paying)
        let alice = try MadeTree(chain, name: "alice", parameters: parameters)
        return try [alice, alice.signed(as: "bob"), alice.signed(as: "carol")]
    }

    /// Of three authorities.
    static func all() throws -> [MadeTree] { try made.get() }

    /// The coins of the wallet at a height: height, script, amount.
    static func expected(at height: Int) throws -> Set<String> {
        var coins: Set<String> = []
        for (paid, scripts) in payments where paid <= height {
            for (place, one) in scripts.enumerated() where place != 1 || paid + 3 > height {
                coins.insert("\(paid) \(try script(one.branch, one.index).hex) \(1000 + place)")
            }
        }
        return coins
    }

    /// What is found of a wallet in what is installed.
    static func found(_ scenario: ClientScenario, _ name: String = "mine") throws -> Set<String> {
        Set(try coins(scenario, name).map { "\($1.height) \($0.hex) \($1.amount)" })
    }

    static func outpoints(_ scenario: ClientScenario) throws -> Set<Outpoint> {
        Set(try coins(scenario, "mine").map(\.1.outpoint))
    }

    private static func coins(
        _ scenario: ClientScenario, _ name: String
    ) throws -> [([UInt8], CoinLookup.Coin)] {
        let home = try Home(reading: scenario.home)
        let set = try home.installed(.regtest)
        // A run that ended early may have looked at fewer.
        let scripts = try home.wallets.wallet(name).scripts().map(\.script).filter(set.knows)
        let coins = try CoinLookup(set).coins(of: scripts)
        return zip(scripts, coins).flatMap { script, coins in coins.map { (script, $0) } }
    }

    /// A client with wallets, and all three hosts at a height.
    static func scenario(at height: Int, _ wallets: [Wallet]) throws -> ClientScenario {
        let scenario = try ClientScenario(all())
        try serve(height, scenario)
        let home = try Home(scenario.home)
        for wallet in wallets { try home.wallets.add(wallet) }
        try home.close()
        return scenario
    }

    static func serve(_ height: Int, _ scenario: ClientScenario) throws {
        for tree in try all() { scenario.serve(tree.cut(to: height)) }
    }
}
