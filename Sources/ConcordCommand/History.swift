import ArgumentParser
import Concord
import ConcordClient
import ConcordConsole

struct History: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show when coins of wallets, addresses or scripts came and went.",
        discussion: """
            Looks in what `concord fetch` brought, which begins with the epoch's snapshot: older coins that are gone are \
            not known. A coin that came and went inside one delta of 10 or 100 blocks is not seen, and of one that went in a \
            delta only the blocks are known in one of which it was spent.
            """)

    @OptionGroup var question: CoinQuestion
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let opened = try question.home.openForReading()
        let progress = ProgressLine(isQuiet: json)
        let resolved = try question.resolved(opened, progress)
        let scripts = resolved.scripts.joined().map(\.bytes)
        let history = CoinHistory(resolved.set)
        let entries = try history.entries(of: scripts)
        progress.clear()
        let network = resolved.set.statement.network
        if json { return try printJSON(JSON(resolved, entries, from: history.start)) }
        var lines = [
            "from height \(history.start) to \(resolved.set.block.height) of \(network.rawValue): "
                + "\(entries.count) \(entries.count == 1 ? "coin" : "coins")"
        ]
        for entry in entries {
            let owner = Address.text(for: entry.script, on: network) ?? "raw(\(entry.script.hex))"
            lines.append(
                "  height \(entry.coin.height)  \(Amount.bitcoin(entry.coin.amount)) BTC  \(owner)  \(entry.coin.outpoint)"
                    + (entry.spent.map { "  spent \(Self.words($0))" } ?? ""))
        }
        try Output.say(lines.joined(separator: "\n"))
    }

    private static func words(_ heights: ClosedRange<Int>) -> String {
        heights.count == 1
            ? "at \(heights.lowerBound)" : "between \(heights.lowerBound) and \(heights.upperBound)"
    }

    private struct JSON: Encodable {
        struct Entry: Encodable {
            let txid: String
            let vout: UInt32
            let scriptPubKey: String
            /// Nil for a script that has none.
            let address: String?
            let satoshis: UInt64
            let coinbase: Bool
            let height: Int
            /// The lowest and the highest block in one of which it was spent; nil where it is there.
            let spentFrom, spentTo: Int?
        }
        let network: String
        /// What is shown begins after the block of this height.
        let from: Int
        let height: Int
        let bestblock: String
        let authorities: [String]
        let coins: [Entry]
        /// One that is known, and was passed over.
        let contradiction: Home.Contradiction.JSON?

        init(_ resolved: CoinQuestion.Resolved, _ entries: [CoinHistory.Entry], from start: Int) {
            let set = resolved.set
            network = set.statement.network.rawValue
            (from, height, bestblock) = (start, set.block.height, set.block.hash.reversedHex)
            authorities = set.authorities
            coins = entries.map { entry in
                Entry(
                    txid: entry.coin.outpoint.txid.reversedHex, vout: entry.coin.outpoint.index,
                    scriptPubKey: entry.script.hex,
                    address: Address.text(for: entry.script, on: set.statement.network),
                    satoshis: entry.coin.amount, coinbase: entry.coin.isCoinbase, height: entry.coin.height,
                    spentFrom: entry.spent?.lowerBound, spentTo: entry.spent?.upperBound)
            }
            contradiction = resolved.contradiction.map { .init($0) }
        }
    }
}
