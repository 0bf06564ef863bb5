import Concord
import ConcordClient
import ConcordConsole

/// What `utxos --json` prints: the result of Bitcoin Core's `scantxoutset`, and beside it what was asked.
struct UtxosJSON: Encodable {
    struct Unspent: Encodable {
        let txid: String
        let vout: UInt32
        let scriptPubKey, desc: String
        let amount: BitcoinJSON
        let satoshis: UInt64
        /// Nil for a script that has none.
        let address: String?
        let coinbase: Bool
        let height: Int
        /// Nil where the header is not here.
        let blockhash: String?
        let confirmations: Int
    }

    struct Query: Encodable {
        struct Coin: Encodable {
            let txid: String
            let vout: UInt32
            let address: String?
            /// Nil where the descriptor has no range.
            let index: UInt32?
            /// Nil where the descriptor has one.
            let branch: Int?
        }
        let query, desc: String
        let scripts: Int
        /// Of a single script.
        let scriptPubKey, address: String?
        let amount: BitcoinJSON
        let satoshis: UInt64
        let coins: [Coin]
    }

    private enum CodingKeys: String, CodingKey {
        case success, txouts, height, bestblock, unspents, network, authorities, age, satoshis, queries,
            contradiction
        case totalAmount = "total_amount"
    }

    let success = true
    let txouts: UInt64
    let height: Int
    let bestblock: String
    let unspents: [Unspent]
    let totalAmount: BitcoinJSON
    let satoshis: UInt64
    let network: String
    let authorities: [String]
    /// Seconds since the installed block was attested.
    let age: Int64
    let queries: [Query]
    /// One that is known, and was passed over.
    let contradiction: Home.Contradiction.JSON?

    init(_ answer: CoinAnswer) throws {
        let coins = answer.distinct
        txouts = answer.statement.coins
        height = answer.block.height
        bestblock = answer.block.hash.reversedHex
        age = answer.age
        unspents = try coins.map { entry, coin in
            Unspent(
                txid: coin.coin.outpoint.txid.reversedHex, vout: coin.coin.outpoint.index,
                scriptPubKey: coin.script.bytes.hex,
                desc: try entry.query.inferred(coin.script, on: answer.network),
                amount: BitcoinJSON(coin.coin.amount), satoshis: coin.coin.amount, address: coin.address,
                coinbase: coin.coin.isCoinbase, height: coin.coin.height,
                blockhash: answer.blockHash(of: coin), confirmations: answer.confirmations(of: coin))
        }
        satoshis = coins.reduce(0) { $0 + $1.coin.coin.amount }
        totalAmount = BitcoinJSON(satoshis)
        network = answer.network.rawValue
        authorities = answer.set.authorities
        queries = answer.entries.map { Self.query($0, on: answer.network) }
        contradiction = answer.contradiction.map { .init($0) }
    }

    private static func query(_ entry: CoinAnswer.Entry, on network: Network) -> Query {
        let single = entry.scripts.count == 1 ? entry.scripts[0].bytes : nil
        return Query(
            query: entry.query.query, desc: entry.query.descriptor.description, scripts: entry.scripts.count,
            scriptPubKey: single?.hex, address: single.flatMap { Address.text(for: $0, on: network) },
            amount: BitcoinJSON(entry.satoshis), satoshis: entry.satoshis,
            coins: entry.coins.map { coin in
                Query.Coin(
                    txid: coin.coin.outpoint.txid.reversedHex, vout: coin.coin.outpoint.index,
                    address: coin.address, index: entry.query.descriptor.isRanged ? coin.script.index : nil,
                    branch: entry.query.branches.count > 1 ? coin.script.branch : nil)
            })
    }
}
