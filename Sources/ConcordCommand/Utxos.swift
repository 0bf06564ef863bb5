import ArgumentParser
import Concord
import ConcordClient
import ConcordConsole

struct Utxos: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the coins of addresses, scripts or descriptors at the agreed block.",
        discussion: """
            Looks in what «concord fetch» brought; nothing is asked of anybody. Addresses are base58, bech32 or \
            bech32m, in a bitcoin: URI too; scripts are the scriptPubKey in hex, if it has the form of P2PKH, P2SH, a \
            witness program, P2PK or bare multisig, and raw(HEX) whatever its form. Descriptors are those of Bitcoin \
            Core without private keys and without miniscript; one with /* stands for many scripts (--range), one with \
            <0;1> for both. A zpub or ypub alone is the account that it is made for. A txid or a key is refused: it is \
            neither. Lists come with - or --file. An address without coins is answered with 0 coins, and status 0.
            """)

    @OptionGroup var question: CoinQuestion
    @OptionGroup var time: HeightQuestion
    @Flag(help: "Print JSON: what Bitcoin Core's scantxoutset prints, and more.")
    var json = false
    @Flag(help: "Print a table with commas (RFC 4180), a row a coin.")
    var csv = false

    func validate() throws {
        guard !json || !csv else { throw ValidationError("give --json or --csv, not both.") }
    }

    func run() throws {
        let answer = try question.answer(
            at: time.at, isQuiet: json || csv, withBlockHashes: json || csv)
        if json {
            try printJSON(try UtxosJSON(answer))
        } else if csv {
            try Output.write(Array(try UtxosCSV.text(answer).utf8))
        } else {
            try say(answer)
        }
    }

    private func say(_ answer: CoinAnswer) throws {
        var lines = [answer.head]
        for entry in answer.entries {
            lines.append(entry.line)
            for coin in entry.coins {
                let words = [
                    "  \(coin.coin.outpoint)", "\(Amount.bitcoin(coin.coin.amount)) BTC",
                    "height \(coin.coin.height)",
                    coin.coin.isCoinbase ? "coinbase" : nil, entry.origin(of: coin),
                ]
                lines.append(words.compactMap(\.self).joined(separator: "  "))
            }
        }
        try Output.say(lines.joined(separator: "\n"))
    }
}

extension CoinAnswer.Entry {
    /// What was asked, and the sum.
    var line: String {
        "\(query.text): \(coins.count) \(coins.count == 1 ? "coin" : "coins"), \(Amount.bitcoin(satoshis)) BTC"
    }

    /// Which of the scripts of a descriptor a coin has; nil where there is but one.
    fileprivate func origin(of coin: CoinAnswer.Coin) -> String? {
        guard scripts.count > 1 else { return nil }
        let address = coin.address ?? coin.script.bytes.hex
        guard query.descriptor.isRanged else { return address }
        let branch = query.branches.count > 1 ? "branch \(coin.script.branch), " : ""
        return "\(address)  \(branch)index \(coin.script.index)"
    }
}
