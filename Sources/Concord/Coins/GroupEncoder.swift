/// Writes coins in shard form: the count of a transaction's coins stands before them, so a group is gathered first.
public struct GroupEncoder: ~Copyable {
    private var coins = ByteBuffer()
    private var txid = Digest.zero
    private var count: UInt64 = 0
    /// Coins given so far.
    public private(set) var total: UInt64 = 0

    public init() {}

    /// Adds a coin; they come ordered by txid and index. `body` is everything behind the index.
    @inline(__always)
    public mutating func add(
        txid: Digest, index: UInt32, body: UnsafeRawBufferPointer, to out: inout ByteBuffer
    ) {
        if count > 0, txid != self.txid { finishGroup(to: &out) }
        self.txid = txid
        count &+= 1
        total &+= 1
        coins.appendCompactSize(UInt64(index))
        coins.append(body)
    }

    /// Writes the group that is open, if one is.
    public mutating func finishGroup(to out: inout ByteBuffer) {
        guard count > 0 else { return }
        out.append(txid)
        out.appendCompactSize(count)
        out.append(coins.bytes)
        coins.removeAll()
        count = 0
    }
}
