import Concord

/// An undo record, taken apart in the plainest way and put together again: the coins that each transaction but the
/// coinbase spent, for tests to bend.
public struct PlainUndo: Equatable, Sendable {
    public struct Coin: Equatable, Sendable {
        /// height · 2 + coinbase.
        public var code: UInt64
        /// In satoshi.
        public var amount: UInt64
        /// The compressed script, form first.
        public var script: [UInt8]

        public init(code: UInt64, amount: UInt64, script: [UInt8]) {
            (self.code, self.amount, self.script) = (code, amount, script)
        }

        public var height: Int { Int(code >> 1) }
    }

    /// Transaction by transaction, input by input.
    public var coins: [[Coin]] = []

    /// - Parameter record: without its checksum.
    public init(_ record: some Sequence<UInt8>) throws {
        var reader = PlainReader(Array(record))
        for _ in 0..<reader.compactSize() {
            var spent: [Coin] = []
            for _ in 0..<reader.compactSize() {
                let code = reader.varInt()
                _ = reader.varInt()
                guard let amount = Amount.decompress(reader.varInt()) else { throw TestError("no amount") }
                let start = reader.offset
                let form = reader.varInt()
                _ = reader.take(form < 2 ? 20 : form < 6 ? 32 : Int(form) - 6)
                spent.append(
                    Coin(code: code, amount: amount, script: Array(reader.bytes[start..<reader.offset])))
            }
            coins.append(spent)
        }
    }

    /// The record.
    public var bytes: [UInt8] {
        TestSupport.bytes { out in
            out.appendCompactSize(UInt64(coins.count))
            for spent in coins {
                out.appendCompactSize(UInt64(spent.count))
                for coin in spent {
                    out.appendVarInt(coin.code)
                    out.appendVarInt(0)
                    out.appendVarInt(Amount.compress(coin.amount))
                    out.append(coin.script)
                }
            }
        }
    }

    /// The place of the n-th coin of all.
    public func place(_ n: Int) -> (transaction: Int, input: Int) {
        var n = n
        var transaction = 0
        while n >= coins[transaction].count {
            n -= coins[transaction].count
            transaction += 1
        }
        return (transaction, n)
    }
}
