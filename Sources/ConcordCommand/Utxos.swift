import ArgumentParser
import Concord
import ConcordConsole
import ConcordFetch

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
    @Option(help: "The network, if sets of several were fetched.")
    var network: String?
    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var asked: ScriptArguments

    func run() throws {
        let set = try home.openForReading().chosenSet(network)
        let wanted = try asked.wanted(on: set.statement.network)
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
            try printJSON(JSON(set, found))
        } else {
            say(set, found)
        }
    }

    private func say(_ set: InstalledSet, _ found: [(WantedScript, [CoinLookup.Coin])]) {
        print(
            "at height \(set.block.height), block \(set.block.hash.reversedHex), agreed by \(set.authorities.joined(separator: ", "))"
        )
        for (wanted, coins) in found {
            let sum = coins.reduce(0) { $0 + $1.amount }
            print(
                "\(wanted.text): \(coins.count) \(coins.count == 1 ? "coin" : "coins"), \(grouped(sum)) satoshi"
            )
            for coin in coins {
                print(
                    "  \(coin.outpoint)  \(grouped(coin.amount)) satoshi  height \(coin.height)"
                        + (coin.isCoinbase ? "  coinbase" : ""))
            }
        }
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

        init(_ set: InstalledSet, _ found: [(WantedScript, [CoinLookup.Coin])]) {
            network = set.statement.network.rawValue
            height = set.block.height
            block = set.block.hash.reversedHex
            authorities = set.authorities
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
