import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient

struct Utxos: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the coins of addresses or scripts at the agreed block.",
        discussion: """
            Looks in what «concord fetch» brought; nothing is asked of anybody. Addresses are base58, bech32 or \
            bech32m, in a bitcoin: URI too; scripts are the scriptPubKey in hex, if it has the form of P2PKH, P2SH, a \
            witness program, P2PK or bare multisig, and raw(HEX) whatever its form. A txid or a key is refused: it is \
            neither. Lists come with - or --file. An address without coins is answered with 0 coins, and status 0.
            """)

    @OptionGroup var home: HomeOptions
    @Option(help: "The network, if sets of several were fetched.", transform: NetworkName.parse)
    var network: Network?
    @OptionGroup var despite: DespiteOptions
    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var asked: ScriptArguments

    func run() throws {
        let typed = try asked.read()
        let opened = try home.openForReading()
        let set: InstalledSet
        do {
            set = try opened.installed(network)
        } catch {
            // What no network takes is refused whatever was fetched.
            for line in typed { try line.check(on: network.map { [$0] } ?? Network.allCases) }
            throw error
        }
        let contradiction = try opened.contradiction(on: set.statement.network)
        try despite.pass(contradiction)
        let wanted = try typed.map { try WantedScript($0, on: set.statement.network) }
        for one in wanted where !set.has(shard: one.shard(set.statement.parameters)) {
            let shard = one.shard(set.statement.parameters)
            throw CommandFailure(
                .localFailure,
                "the coins of \(one.text) are in shard \(shard), which was not fetched: "
                    + "«concord fetch --shards \(([shard] + (set.shards ?? [])).sorted().map(String.init).joined(separator: ","))»"
            )
        }
        let found = Array(zip(wanted, try CoinLookup(set).coins(of: wanted.map(\.script))))
        if json {
            try printJSON(JSON(set, found, contradiction))
        } else {
            try say(set, found)
        }
    }

    private func say(_ set: InstalledSet, _ found: [(WantedScript, [CoinLookup.Coin])]) throws {
        var lines = [
            "at height \(set.block.height) of \(set.statement.network.rawValue), block "
                + "\(set.block.hash.reversedHex), \(Self.agreed(set.authorities))"
        ]
        for (wanted, coins) in found {
            let sum = coins.reduce(0) { $0 + $1.amount }
            lines.append(
                "\(wanted.text): \(coins.count) \(coins.count == 1 ? "coin" : "coins"), \(Amount.bitcoin(sum)) BTC"
            )
            for coin in coins {
                lines.append(
                    "  \(coin.outpoint)  \(Amount.bitcoin(coin.amount)) BTC  height \(coin.height)"
                        + (coin.isCoinbase ? "  coinbase" : ""))
            }
        }
        try Output.say(lines.joined(separator: "\n"))
    }

    /// One authority's word is nobody's agreement.
    static func agreed(_ authorities: [String]) -> String {
        authorities.count == 1
            ? "attested by \(authorities[0]) alone" : "agreed by \(authorities.joined(separator: ", "))"
    }

    private struct JSON: Encodable {
        struct Coin: Encodable {
            let txid: String
            let index: UInt32
            let amount: UInt64
            let height: Int
            let coinbase: Bool
        }
        struct Entry: Encodable {
            let query, script: String
            /// Nil for a script that has none.
            let address: String?
            let amount: UInt64
            let coins: [Coin]
        }
        let network: String
        let height: Int
        let block: String
        let authorities: [String]
        let results: [Entry]
        /// One that is known, and was passed over.
        let contradiction: Home.Contradiction.JSON?

        init(
            _ set: InstalledSet, _ found: [(WantedScript, [CoinLookup.Coin])],
            _ contradiction: Home.Contradiction?
        ) {
            network = set.statement.network.rawValue
            height = set.block.height
            block = set.block.hash.reversedHex
            authorities = set.authorities
            self.contradiction = contradiction.map { .init($0) }
            results = found.map { wanted, coins in
                Entry(
                    query: wanted.query, script: wanted.script.hex,
                    address: Address.text(for: wanted.script, on: set.statement.network),
                    amount: coins.reduce(0) { $0 + $1.amount },
                    coins: coins.map {
                        Coin(
                            txid: $0.outpoint.txid.reversedHex, index: $0.outpoint.index, amount: $0.amount,
                            height: $0.height, coinbase: $0.isCoinbase)
                    })
            }
        }
    }
}
