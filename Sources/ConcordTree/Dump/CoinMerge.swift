import Concord
import ConcordFiles

/// All coins of a set, transaction by transaction in the order of txids, from all its shards at once.
public struct CoinMerge: ~Copyable {
    /// Where one shard is being read.
    private struct Source {
        let pieces: [Range<Int>]
        var piece = 0
        var offset = 0
        let window: UnsafeMutableRawBufferPointer
        var start = 0
        var end = 0
        var isLast = false
        var cursor = GroupCursor()
        var coin: EncodedCoin?

        init(_ pieces: [Range<Int>], window: UnsafeMutableRawBufferPointer) {
            self.pieces = pieces
            self.window = window
            offset = pieces.first?.lowerBound ?? 0
        }

        mutating func advance(in file: borrowing File) throws(FileError) {
            while true {
                do throws(ParseError) {
                    coin = try cursor.next(
                        in: UnsafeRawBufferPointer(rebasing: window[..<end]), at: &start, isLast: isLast)
                } catch {
                    throw .parse(error, file.path)
                }
                if coin != nil || isLast { return }
                try refill(from: file)
            }
        }

        private mutating func refill(from file: borrowing File) throws(FileError) {
            let kept = end - start
            if let base = window.baseAddress, start > 0 {
                base.copyMemory(from: base + start, byteCount: kept)
            }
            cursor.advance(by: start)
            (start, end) = (0, kept)
            while end < window.count, piece < pieces.count {
                let wanted = min(window.count - end, pieces[piece].upperBound - offset)
                let room = UnsafeMutableRawBufferPointer(rebasing: window[end..<end + wanted])
                guard try file.read(into: room, at: offset) == wanted else {
                    throw FileError(file.path, "is shorter than what was written to it")
                }
                end += wanted
                offset += wanted
                if offset == pieces[piece].upperBound {
                    piece += 1
                    if piece < pieces.count { offset = pieces[piece].lowerBound }
                }
            }
            isLast = piece == pieces.count
        }
    }

    private struct Head {
        var txid: Digest
        var source: Int
    }

    /// Windows of all shards together.
    private static let memory = 128 << 20

    /// Coins in the set.
    public let coins: UInt64
    private let file: File
    private let windows: UnsafeMutableRawBufferPointer
    private var sources: [Source]
    /// The shards that have coins left, as a heap: the least txid first.
    private var heap: [Head]
    private var isBegun: Bool
    /// The coins of the last transaction, by index as a number until somebody puts them in another order.
    public var group: CoinGroup

    /// Reads the set, on all cores, into a temporary file at `path`, which has no name and needs as much room as the
    /// set; then gives it back in order.
    ///
    /// - Parameter progress: is told how many coins were read; by any thread.
    public init(_ set: SnapshotMerge, temporary path: String, progress: @Sendable (_ coins: UInt64) -> Void)
        throws
    {
        let file = try File(unnamed: path)
        let spill = try CoinSpill(set, into: file, progress: progress)
        let shards = spill.shards.filter { !$0.isEmpty }
        let windowBytes = min(256 << 10, max(32 << 10, Self.memory / max(1, shards.count)))
        let windows = UnsafeMutableRawBufferPointer.allocate(
            byteCount: windowBytes * shards.count, alignment: 16)
        sources = shards.enumerated().map { i, pieces in
            Source(pieces, window: .init(rebasing: windows[i * windowBytes..<(i + 1) * windowBytes]))
        }
        self.windows = windows
        self.file = file
        coins = spill.coins
        heap = []
        group = CoinGroup()
        isBegun = false
    }

    deinit {
        windows.deallocate()
    }

    /// Gathers the next transaction's coins in `group`; false at the end.
    public mutating func next() throws(FileError) -> Bool {
        if !isBegun { try begin() }
        guard let txid = heap.first?.txid else { return false }
        group.begin(txid)
        while let head = heap.first, head.txid == txid {
            while let coin = sources[head.source].coin, sources[head.source].cursor.txid == txid {
                guard group.add(coin) else {
                    throw FileError(
                        file.path, "more coins of \(txid.reversedHex) than a transaction can have")
                }
                try sources[head.source].advance(in: file)
            }
            if sources[head.source].coin != nil {
                heap[0].txid = sources[head.source].cursor.txid
            } else {
                heap[0] = heap[heap.count - 1]
                heap.removeLast()
            }
            sift(0)
        }
        guard group.sort(by: .number) else {
            throw FileError(file.path, "a coin of \(txid.reversedHex) is in two shards")
        }
        return true
    }

    private mutating func begin() throws(FileError) {
        for i in sources.indices {
            try sources[i].advance(in: file)
            heap.append(Head(txid: sources[i].cursor.txid, source: i))
        }
        for i in heap.indices.reversed() { sift(i) }
        isBegun = true
    }

    /// Puts the head at a place of the heap where it belongs, the ones below it being in order.
    private mutating func sift(_ start: Int) {
        guard start < heap.count else { return }
        let head = heap[start]
        var hole = start
        while true {
            var child = 2 * hole + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].txid < heap[child].txid { child += 1 }
            guard heap[child].txid < head.txid else { break }
            heap[hole] = heap[child]
            hole = child
        }
        heap[hole] = head
    }
}
