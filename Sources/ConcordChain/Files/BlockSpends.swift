import Concord

/// The outpoints that a block spends, held against undo records that may be its own.
struct BlockSpends {
    /// Transaction by transaction; none of the coinbase, which is the first.
    private let inputs: [[Outpoint]]

    /// Nil for a block that cannot be parsed, or whose transactions its header does not commit to.
    init?(_ block: UnsafeRawBufferPointer) {
        var transactions = BlockTransactions()
        do throws(ParseError) { _ = try transactions.parse(block) } catch { return nil }
        inputs = (0..<transactions.count).map {
            Array(transactions.inputs[transactions.firstInput[$0]..<transactions.firstInput[$0 + 1]])
        }
    }

    /// A coin that an undo record says a block has spent.
    struct Claim: Equatable {
        let outpoint: Outpoint
        let coin: PlainCoin
    }

    /// Whether a record has a coin for every input, transaction by transaction.
    func fit(_ record: [UInt8]) -> Bool {
        do throws(ParseError) {
            try record.withBytes { raw throws(ParseError) in
                var coins = try SpentCoins(raw, transactions: inputs.count)
                for inputs in inputs.dropFirst() {
                    try coins.beginTransaction(inputs: inputs.count)
                    for _ in inputs { _ = try coins.next() }
                }
                try coins.finish()
            }
            return true
        } catch {
            return false
        }
    }

    /// What each of two records that fit says of the first coin that they do not agree on; nil where there is none.
    func firstDifference(_ a: [UInt8], _ b: [UInt8]) -> (a: Claim, b: Claim)? {
        zip(claims(a), claims(b)).first { $0 != $1 }.map { (a: $0, b: $1) }
    }

    /// All coins of a record that fits.
    private func claims(_ record: [UInt8]) -> [Claim] {
        var claims: [Claim] = []
        var script = ByteBuffer()
        try? record.withBytes { raw throws(ParseError) in
            var coins = try SpentCoins(raw, transactions: inputs.count)
            for inputs in inputs.dropFirst() {
                try coins.beginTransaction(inputs: inputs.count)
                for outpoint in inputs {
                    let coin = try coins.next()
                    guard ScriptCompression.decompress(coin.script, into: &script) else { return }
                    claims.append(
                        Claim(
                            outpoint: outpoint,
                            coin: PlainCoin(code: coin.code, amount: coin.amount, script: script.bytes)))
                }
            }
        }
        return claims
    }
}
