import Concord
import ConcordClient

/// The coins that were found, and the block at which.
struct CoinAnswer {
    /// A coin, and how somebody asked for it.
    struct Coin {
        let coin: CoinLookup.Coin
        let script: ScriptQuery.Script
        let address: String?
    }

    /// What was asked, and its coins, ordered by branch, index and outpoint.
    struct Entry {
        let query: ScriptQuery
        let scripts: [ScriptQuery.Script]
        let coins: [Coin]

        var satoshis: UInt64 { coins.reduce(0) { $0 + $1.coin.amount } }
    }

    let set: InstalledSet
    /// What the authorities say of the set after the block that is asked about.
    let statement: Statement
    /// Seconds since the installed block was attested.
    let age: Int64
    let contradiction: Home.Contradiction?
    let entries: [Entry]
    /// Of the heights of the coins, as far as the headers are here; as Bitcoin Core prints them.
    private let hashes: [Int: String]

    var network: Network { statement.network }
    var block: BlockID { statement.blockID }

    /// `coins` are those of all scripts, one after the other; `hashes` those of blocks, by height; `now` is in seconds since
    /// 1970.
    init(
        _ resolved: CoinQuestion.Resolved, at statement: Statement, _ coins: [[CoinLookup.Coin]],
        hashes: [Int: String], now: Int64
    ) {
        let (queries, scripts, network) = (resolved.queries, resolved.scripts, statement.network)
        var rest = coins[...]
        entries = zip(queries, scripts).map { query, scripts in
            let found = zip(scripts, rest.prefix(scripts.count)).flatMap { script, coins in
                coins.map {
                    Coin(coin: $0, script: script, address: Address.text(for: script.bytes, on: network))
                }
            }
            rest = rest.dropFirst(scripts.count)
            return Entry(query: query, scripts: scripts, coins: found)
        }
        (set, contradiction, self.hashes) = (resolved.set, resolved.contradiction, hashes)
        (self.statement, age) = (statement, now - resolved.set.time)
    }

    /// The hash of the block with a coin in it, if its header is here.
    func blockHash(of coin: Coin) -> String? { hashes[coin.coin.height] }

    func confirmations(of coin: Coin) -> Int { block.height - coin.coin.height + 1 }

    /// The coins of all that was asked, each once, with the query that asked first, ordered by outpoint.
    var distinct: [(entry: Entry, coin: Coin)] {
        var seen: Set<Outpoint> = []
        return entries.flatMap { entry in entry.coins.map { (entry: entry, coin: $0) } }
            .filter { seen.insert($0.coin.coin.outpoint).inserted }
            .sorted { $0.coin.coin.outpoint < $1.coin.coin.outpoint }
    }

    /// One authority's word is nobody's agreement.
    static func agreed(_ authorities: [String]) -> String {
        authorities.count == 1
            ? "attested by \(authorities[0]) alone" : "agreed by \(authorities.joined(separator: ", "))"
    }

    /// Seconds after which an answer is said to be old.
    private static let maxAge: Int64 = 86_400

    /// A time that has passed, for people.
    static func words(_ seconds: Int64) -> String {
        let hours = seconds / 3600
        return hours < 48 ? "\(hours) hours" : "\(hours / 24) days"
    }

    /// What stands above the coins for people.
    var head: String {
        return
            "at height \(block.height) of \(network.rawValue), block \(block.hash.reversedHex), \(Self.agreed(set.authorities))"
            + (age > Self.maxAge
                ? "\nwarning: attested \(Self.words(age)) ago; `concord fetch` brings what is new" : "")
    }
}
