import Concord

/// A coin of a script that somebody asked about.
public struct FoundCoin: Sendable, Hashable {
    public let outpoint: Outpoint
    public let height: Int
    public let isCoinbase: Bool
    /// In satoshi.
    public let amount: UInt64
}
