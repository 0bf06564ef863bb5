import Concord
import ConcordFiles

/// Reads a shard from its `.zst` file coin by coin, in one small buffer, and holds it to its line of the manifest:
/// it stops at the length that the line names, and reports the end only when digest and number of coins are right.
public struct ShardReader: ~Copyable {
    private let path: String
    private let expected: ShardContents
    private var zstd: ZstdDecompressor
    private var cursor = GroupCursor()
    private var sha = SHA256()
    private var window: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var total: UInt64 = 0
    private var coins: UInt64 = 0
    private var isLast = false

    private static let windowBytes = 256 << 10

    public init(_ path: String, expected: ShardContents) throws(FileError) {
        zstd = try ZstdDecompressor(path, canonical: Int(expected.bytes))
        self.path = path
        self.expected = expected
        window = .allocate(byteCount: Self.windowBytes, alignment: 16)
    }

    deinit {
        window.deallocate()
    }

    /// The txid of the last coin.
    public var txid: Digest { cursor.txid }

    /// The next coin, valid until the next call; nil at the end of a shard that is what it should be.
    public mutating func next() throws(FileError) -> EncodedCoin? {
        while true {
            let coin: EncodedCoin?
            do throws(ParseError) {
                coin = try cursor.next(
                    in: UnsafeRawBufferPointer(rebasing: window[..<end]), at: &start, isLast: isLast)
            } catch {
                throw .parse(error, path)
            }
            if let coin {
                coins += 1
                return coin
            }
            if isLast {
                guard coins == expected.coins else {
                    throw FileError(path, "holds \(coins) coins, the manifest says \(expected.coins)")
                }
                return nil
            }
            try refill()
        }
    }

    private mutating func refill() throws(FileError) {
        let kept = end - start
        if let base = window.baseAddress, start > 0 { base.copyMemory(from: base + start, byteCount: kept) }
        cursor.advance(by: start)
        (start, end) = (0, kept)
        let room = UnsafeMutableRawBufferPointer(rebasing: window[kept...])
        let count = try zstd.read(into: room)
        total += UInt64(count)
        guard total <= expected.bytes else {
            throw FileError(path, "unpacks to more than the \(expected.bytes) bytes that the manifest says")
        }
        sha.update(UnsafeRawBufferPointer(rebasing: room[..<count]))
        end = kept + count
        guard count < room.count else { return }
        isLast = true
        guard total == expected.bytes else {
            throw FileError(path, "unpacks to \(total) bytes, the manifest says \(expected.bytes)")
        }
        guard sha.finish() == expected.digest else {
            throw FileError(path, "does not have the digest that the manifest says")
        }
    }

    /// Reads to the end, for the checks alone.
    public mutating func check() throws(FileError) {
        while try next() != nil {}
    }
}
