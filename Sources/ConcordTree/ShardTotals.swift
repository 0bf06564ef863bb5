import Concord
import ConcordFiles

/// What the coins of a shard come to.
public struct ShardTotals: Sendable {
    public var coins: UInt64 = 0
    /// In satoshi.
    public var amount: UInt64 = 0
    /// The product of the coins' elements: its digest is the shard's MuHash.
    public var number = Num3072.one

    public init() {}

    /// Adds a coin whose script is decompressed. Throws, naming `path`, where that belongs to another shard, or where the
    /// sum becomes more than there can be.
    mutating func add(
        _ coin: EncodedCoin, at outpoint: Outpoint, script: UnsafeRawBufferPointer, for path: String
    ) throws(FileError) {
        coins += 1
        amount += coin.amount
        guard amount <= Amount.most else {
            throw FileError(path, "holds more than 21 million bitcoin up to \(outpoint)")
        }
        number.multiply(by: Num3072(coin: outpoint, code: coin.code, amount: coin.amount, script: script))
    }
}

/// What the coins of a whole set come to, shard by shard.
public struct SetTotals: Sendable {
    public let shards: [ShardTotals]
    public let coins: UInt64
    /// In satoshi.
    public let amount: UInt64
    /// The product of the numbers of all shards.
    public let number: Num3072

    public init(_ shards: [ShardTotals]) {
        self.shards = shards
        coins = shards.reduce(0) { $0 + $1.coins }
        amount = shards.reduce(0) { $0 + $1.amount }
        number = shards.reduce(into: Num3072.one) { $0.multiply(by: $1.number) }
    }

    public var numbers: [Num3072] { shards.map(\.number) }

    /// The MuHash of each shard.
    public func muhashes(_ parameters: TreeParameters) -> ShardMuHashes {
        ShardMuHashes(numbers.map(\.digest), parameters)
    }
}
