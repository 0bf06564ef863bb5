import Concord
import ConcordFiles

/// Reads a `dumptxoutset` file coin by coin, in one small buffer. What Bitcoin Core's `loadtxoutset` refuses is
/// refused, and what `dumptxoutset` never writes: another order, other forms of numbers and scripts, more coins of a
/// transaction than fit a block. Errors name the byte of the file.
public struct DumpReader: ~Copyable {
    private let file: File
    public let header: DumpHeader
    private var cursor = GroupCursor(order: .dump)
    private let window: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    /// Of the file, behind the window.
    private var offset = DumpHeader.size
    private var isLast = false
    /// Coins that the header says are still to come.
    private var left: UInt64
    /// Where the coins of this transaction begin, in the bytes behind the header.
    private var groupStart = 0

    private static let windowBytes = 1 << 20

    /// Opens a dump and reads its header; `network` is the one that it must be of, any if nil.
    public init(_ path: String, network: Network? = nil) throws(FileError) {
        let file = try File(reading: path)
        var head = ByteBuffer()
        let count = try file.read(into: head.extend(by: DumpHeader.size), at: 0)
        head.resize(to: count)
        do throws(ParseError) {
            var cursor = ByteCursor(head.bytes)
            header = try DumpHeader(parsing: &cursor, network: network)
        } catch {
            throw .parse(error, path)
        }
        self.file = file
        left = header.coins
        window = .allocate(byteCount: Self.windowBytes, alignment: 16)
    }

    deinit {
        window.deallocate()
    }

    /// The txid of the last coin.
    public var txid: Digest { cursor.txid }

    /// Whether the last coin was the last of its transaction.
    public var isEndOfGroup: Bool { cursor.left == 0 }

    /// The next coin, valid until the next call; nil at the end of a dump with as many coins as its header says.
    public mutating func next() throws(FileError) -> EncodedCoin? {
        while true {
            let coin: EncodedCoin?
            do throws(ParseError) {
                coin = try parse()
            } catch {
                throw .parse(ParseError(error.reason, at: DumpHeader.size + error.offset), file.path)
            }
            if coin != nil || isLast { return coin }
            try refill()
        }
    }

    /// The next coin of the window; nil where it must be filled again, and at the end. Offsets count from the header's
    /// end.
    @inline(__always)
    private mutating func parse() throws(ParseError) -> EncodedCoin? {
        let position = cursor.base + start
        let isNewGroup = cursor.left == 0
        if left == 0, isNewGroup, start < end { throw ParseError(.trailingBytes, at: position) }
        let coin = try cursor.next(
            in: UnsafeRawBufferPointer(rebasing: window[..<end]), at: &start, isLast: isLast)
        guard let coin else {
            if isLast, left > 0 { throw ParseError(.truncated, at: position) }
            return nil
        }
        let after = cursor.base + start
        if isNewGroup {
            guard cursor.left < min(left, UInt64(CoinGroup.maxCoins)) else {
                throw ParseError(.outOfRange("the number of coins of a transaction"), at: position + 32)
            }
            groupStart = position
        }
        guard after - groupStart <= CoinGroup.maxBytes else {
            throw ParseError(.malformed("has more bytes of one transaction than fit a block"), at: position)
        }
        // Bitcoin Core refuses it for arithmetic of its own; no transaction has so many outputs.
        guard coin.index < .max else {
            throw ParseError(.outOfRange("an output index"), at: after - coin.body.count - 5)
        }
        left -= 1
        return coin
    }

    private mutating func refill() throws(FileError) {
        let kept = end - start
        if let base = window.baseAddress, start > 0 { base.copyMemory(from: base + start, byteCount: kept) }
        cursor.advance(by: start)
        (start, end) = (0, kept)
        let room = UnsafeMutableRawBufferPointer(rebasing: window[kept...])
        let count = try file.read(into: room, at: offset)
        offset += count
        end += count
        isLast = count < room.count
    }
}
