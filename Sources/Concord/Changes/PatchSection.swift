/// What one block does to one shard: outpoints it spends, coins it creates (FORMAT.md, «Patches»).
///
/// Reads a section where it lies. First call `nextSpent` until it gives nil, then `nextCreated`.
public struct PatchSection {
    private let bytes: UnsafeRawBufferPointer
    private var cursor: ByteCursor
    private var groupsLeft: Int
    private var left = 0
    private var txid = Digest.zero
    private var previous: Outpoint?
    /// Where the next created coin begins, once all spent outpoints were read.
    private(set) var createdOffset = 0
    private var created = GroupCursor()

    public init(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        self.bytes = bytes
        cursor = ByteCursor(bytes)
        groupsLeft = try cursor.readCount(ofAtLeast: 34)
    }

    /// The next outpoint that the block takes out of the shard; nil when there is no more.
    public mutating func nextSpent() throws(ParseError) -> Outpoint? {
        if left == 0 {
            guard groupsLeft > 0 else {
                createdOffset = cursor.offset
                return nil
            }
            groupsLeft -= 1
            txid = try cursor.readDigest()
            left = try cursor.readCount(ofAtLeast: 1)
            guard left > 0 else {
                throw ParseError(.outOfRange("the number of spent outputs"), at: cursor.offset)
            }
            if let previous, previous.txid >= txid { throw ParseError(.outOfOrder, at: cursor.offset) }
        }
        let start = cursor.offset
        guard let index = UInt32(exactly: try cursor.readCompactSize()) else {
            throw ParseError(.outOfRange("an output index"), at: start)
        }
        let outpoint = Outpoint(txid: txid, index: index)
        if let previous, previous >= outpoint { throw ParseError(.outOfOrder, at: start) }
        previous = outpoint
        left -= 1
        return outpoint
    }

    /// The next coin that the block puts into the shard; nil at the section's end.
    public mutating func nextCreated() throws(ParseError) -> (outpoint: Outpoint, coin: EncodedCoin)? {
        guard let coin = try created.next(in: bytes, at: &createdOffset, isLast: true) else { return nil }
        return (Outpoint(txid: created.txid, index: coin.index), coin)
    }
}
