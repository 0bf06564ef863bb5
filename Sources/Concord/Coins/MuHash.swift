/// Bitcoin Core's MuHash3072: the hash of a set of coins, in no order, from which coins can be taken again.
///
/// The product of the elements that were inserted over the product of those that were removed. Sets that were
/// hashed apart, on other threads too, merge with one multiplication each.
public struct MuHash: Sendable {
    public private(set) var numerator: Num3072
    public private(set) var denominator: Num3072

    /// The empty set.
    public init() {
        self.init(numerator: .one, denominator: .one)
    }

    public init(numerator: Num3072, denominator: Num3072) {
        self.numerator = numerator
        self.denominator = denominator
    }

    public mutating func insert(_ element: Num3072) {
        numerator.multiply(by: element)
    }

    public mutating func remove(_ element: Num3072) {
        denominator.multiply(by: element)
    }

    /// Inserts and removes all that `other` did.
    public mutating func merge(_ other: MuHash) {
        numerator.multiply(by: other.numerator)
        denominator.multiply(by: other.denominator)
    }

    /// The quotient as one element; it costs an inverse. Bitcoin Core: `Num3072::Divide`.
    public func quotient() -> Num3072 {
        if denominator == .one { return numerator }
        var quotient = denominator.inverse()
        quotient.multiply(by: numerator)
        return quotient
    }

    /// What `gettxoutsetinfo muhash` shows, as `Digest.reversedHex` prints it; it costs an inverse. Bitcoin Core:
    /// `MuHash3072::Finalize`.
    public func digest() -> Digest {
        quotient().digest
    }
}

extension Num3072 {
    /// The element that a preimage stands for: the ChaCha20 keystream under the preimage's SHA-256, read as a number.
    /// Bitcoin Core: `MuHash3072::ToNum3072` (crypto/muhash.cpp).
    public init(hashing key: Digest) {
        self.init { ChaCha20.keystream(key: key, into: $0) }
    }

    /// The element of one coin; nothing is allocated. Bitcoin Core: `ApplyCoinHash` and `TxOutSer`
    /// (kernel/coinstats.cpp).
    ///
    /// - Parameters:
    ///   - code: height · 2 + coinbase.
    ///   - amount: in satoshi.
    ///   - script: the whole scriptPubKey.
    public init(coin: Outpoint, code: UInt32, amount: UInt64, script: UnsafeRawBufferPointer) {
        self.init(hashing: SHA256.hash(coin: coin, code: code, amount: amount, script: script))
    }
}
