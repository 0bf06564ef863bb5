/// Walks coins in shard form, which is that of dumps too: groups of txid, count and coins, ordered by txid and index.
///
/// The bytes come in windows, so that a shard of any size needs one small buffer: the caller keeps what was not
/// consumed, adds more behind it and calls again. Order, counts and ranges are checked as they come.
public struct GroupCursor {
    /// The group that the last coin belongs to; internal byte order.
    public private(set) var txid = Digest.zero
    /// Coins of this group that are still to come.
    public private(set) var left = 0
    private let order: IndexOrder
    private var previousKey: Int64 = -1
    private var isFirst = true
    /// Bytes of the whole input before the window.
    public private(set) var base = 0

    /// A window that is not the last must hold this many unread bytes, so that a whole coin is in it.
    public static let lookahead = 32 + 9 + EncodedCoin.maxBytes

    /// - Parameter order: of the coins within a group.
    public init(order: IndexOrder = .number) {
        self.order = order
    }

    /// The next coin in the window from `offset` on, which moves behind it. Nil: a window that is not the last has
    /// fewer than `lookahead` bytes left, or the last one was read to its end. Offsets in errors count from the
    /// start of the whole input.
    @inline(__always)
    public mutating func next(
        in window: UnsafeRawBufferPointer, at offset: inout Int, isLast: Bool
    ) throws(ParseError) -> EncodedCoin? {
        let remaining = window.count - offset
        if isLast {
            if remaining == 0 {
                if left > 0 { throw ParseError(.truncated, at: base + offset) }
                return nil
            }
        } else if remaining < Self.lookahead {
            return nil
        }
        var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: window[offset...]))
        do throws(ParseError) {
            if left == 0 {
                let next = try cursor.readDigest()
                guard isFirst || txid < next else { throw ParseError(.outOfOrder, at: 0) }
                let count = try cursor.readCompactSize()
                guard count > 0, count <= UInt64(UInt32.max) else {
                    throw ParseError(.outOfRange("the number of coins of a transaction"), at: 32)
                }
                txid = next
                isFirst = false
                left = Int(count)
                previousKey = -1
            }
            let start = cursor.offset
            let coin = try EncodedCoin(parsing: &cursor, in: cursor.bytes)
            let key = order.key(coin.index)
            guard key > previousKey else { throw ParseError(.outOfOrder, at: start) }
            previousKey = key
            left -= 1
            offset += cursor.offset
            return coin
        } catch {
            throw ParseError(error.reason, at: base + offset + error.offset)
        }
    }

    /// Says that `count` bytes at the front of the window were given up.
    public mutating func advance(by count: Int) {
        base += count
    }
}
