import Concord

/// What is known of a shard that is followed without being held, after its epoch's snapshot: which scripts were looked
/// for, and all coins that they had. The sections since then say the rest.
struct ShardBase: Codable, Sendable, Equatable {
    struct Coin: Codable, Sendable, Equatable {
        let txid: String
        let index: UInt32
        let height: Int
        let isCoinbase: Bool
        /// In satoshi.
        let amount: UInt64
        /// scriptPubKey, in hex.
        let script: String

        init(_ coin: FoundCoin, _ script: [UInt8]) {
            (txid, index) = (coin.outpoint.txid.reversedHex, coin.outpoint.index)
            (height, isCoinbase, amount) = (coin.height, coin.isCoinbase, coin.amount)
            self.script = script.hex
        }
    }

    let shard: Int
    /// scriptPubKeys in hex, ascending.
    private(set) var scripts: [String] = []
    var coins: [Coin] = []

    init(_ shard: Int) { self.shard = shard }

    func covers(_ script: [UInt8]) -> Bool { scripts.contains(script.hex) }

    /// Takes note that a script was looked for, and had no coins.
    mutating func cover(_ script: [UInt8]) {
        guard !covers(script) else { return }
        scripts.append(script.hex)
        scripts.sort()
    }

    /// Forgets scripts that nobody wants any more.
    mutating func keep(_ wanted: [[UInt8]]) {
        let wanted = Set(wanted.map(\.hex))
        scripts.removeAll { !wanted.contains($0) }
        coins.removeAll { !wanted.contains($0.script) }
    }
}
