import Concord

/// What `utxos --csv` prints (RFC 4180, lines end in CR LF): a row a coin, in the order in which was asked.
enum UtxosCSV {
    private static let columns = [
        "query", "branch", "index", "txid", "vout", "address", "scriptPubKey", "desc", "amount", "satoshis",
        "coinbase", "height", "blockhash", "confirmations",
    ]

    static func text(_ answer: CoinAnswer) throws -> String {
        var rows = [columns]
        for entry in answer.entries {
            for coin in entry.coins {
                rows.append([
                    entry.query.query, entry.query.branches.count > 1 ? "\(coin.script.branch)" : "",
                    entry.query.descriptor.isRanged ? "\(coin.script.index)" : "",
                    coin.coin.outpoint.txid.reversedHex, "\(coin.coin.outpoint.index)", coin.address ?? "",
                    coin.script.bytes.hex, try entry.query.inferred(coin.script, on: answer.network),
                    Amount.bitcoin(coin.coin.amount), "\(coin.coin.amount)", "\(coin.coin.isCoinbase)",
                    "\(coin.coin.height)", answer.blockHash(of: coin) ?? "",
                    "\(answer.confirmations(of: coin))",
                ])
            }
        }
        return rows.map { $0.map(quoted).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func quoted(_ field: String) -> String {
        guard field.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else {
            return field
        }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}
