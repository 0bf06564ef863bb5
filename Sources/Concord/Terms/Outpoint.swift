/// Which output of which transaction.
public struct Outpoint: Hashable, Sendable {
    /// Internal byte order.
    public var txid: Digest
    public var index: UInt32

    public init(txid: Digest, index: UInt32) {
        self.txid = txid
        self.index = index
    }
}

extension Outpoint: Comparable {
    /// By txid, byte by byte, then by index as a number: the order of every file of the tree.
    @inlinable
    public static func < (a: Outpoint, b: Outpoint) -> Bool {
        a.txid == b.txid ? a.index < b.index : a.txid < b.txid
    }
}

extension Outpoint: CustomStringConvertible {
    /// `txid:index`, the txid as Bitcoin Core prints it.
    public var description: String { "\(txid.reversedHex):\(index)" }
}
