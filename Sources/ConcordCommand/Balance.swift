import ArgumentParser
import Concord
import ConcordClient
import ConcordConsole

struct Balance: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what addresses, scripts or descriptors have at the agreed block.",
        discussion: """
            The sums of what `concord utxos` shows, and it takes the same. Coins that several of the queries have count \
            once in the total.
            """)

    @OptionGroup var question: CoinQuestion
    @OptionGroup var time: HeightQuestion
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let answer = try question.answer(at: time.at, isQuiet: json)
        if json { return try printJSON(JSON(answer)) }
        var lines = [answer.head] + answer.entries.map(\.line)
        if answer.entries.count > 1 {
            let coins = answer.distinct.map(\.coin.coin)
            let sum = coins.reduce(0) { $0 + $1.amount }
            lines.append(
                "in all: \(coins.count) \(coins.count == 1 ? "coin" : "coins"), \(Amount.bitcoin(sum)) BTC")
        }
        try Output.say(lines.joined(separator: "\n"))
    }

    private struct JSON: Encodable {
        struct Query: Encodable {
            let query, desc: String
            let scripts, coins: Int
            let amount: BitcoinJSON
            let satoshis: UInt64
        }

        private enum CodingKeys: String, CodingKey {
            case network, height, bestblock, authorities, age, queries, coins, satoshis, contradiction
            case totalAmount = "total_amount"
        }

        let network: String
        let height: Int
        let bestblock: String
        let authorities: [String]
        /// Seconds since the installed block was attested.
        let age: Int64
        let queries: [Query]
        /// Of all, each once.
        let coins: Int
        let totalAmount: BitcoinJSON
        let satoshis: UInt64
        /// One that is known, and was passed over.
        let contradiction: Home.Contradiction.JSON?

        init(_ answer: CoinAnswer) {
            let distinct = answer.distinct
            network = answer.network.rawValue
            height = answer.block.height
            bestblock = answer.block.hash.reversedHex
            age = answer.age
            authorities = answer.set.authorities
            queries = answer.entries.map {
                Query(
                    query: $0.query.query, desc: $0.query.descriptor.description, scripts: $0.scripts.count,
                    coins: $0.coins.count, amount: BitcoinJSON($0.satoshis), satoshis: $0.satoshis)
            }
            coins = distinct.count
            satoshis = distinct.reduce(0) { $0 + $1.coin.coin.amount }
            totalAmount = BitcoinJSON(satoshis)
            contradiction = answer.contradiction.map { .init($0) }
        }
    }
}
