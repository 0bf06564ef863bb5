/// A coin in sixteen bytes, to compare what a block claims to spend with what an earlier block made.
public struct CoinMark: Equatable, Sendable {
    /// Stands for the outpoint as long as this process lives, and is never zero. It is keyed anew in each process, so
    /// that nobody can make two outpoints with one.
    public let outpoint: UInt64
    /// The first eight bytes of the coin's hash: amount, height, coinbase flag and script are in it.
    public let coin: UInt64

    /// A place without a coin.
    public static let none = CoinMark(outpoint: 0, coin: 0)

    private init(outpoint: UInt64, coin: UInt64) {
        (self.outpoint, self.coin) = (outpoint, coin)
    }

    /// - Parameter hash: of the coin, by `SHA256.hash(coin:code:amount:script:)`.
    public init(_ outpoint: Outpoint, hash: Digest) {
        self.outpoint = Self.mark(of: outpoint)
        coin = hash.lowWord
    }

    public static func mark(of outpoint: Outpoint) -> UInt64 {
        max(1, UInt64(bitPattern: Int64(outpoint.hashValue)))
    }
}

/// The coins that a block takes out of the set, as its undo record has them, and those that it puts there.
public struct CoinMarks: Sendable {
    public var spent: [CoinMark] = []
    public var created: [CoinMark] = []

    public init() {}
}
