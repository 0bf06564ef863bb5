import Concord
import ConcordFiles
import Synchronization

/// The coins of a whole set in one temporary file: shard by shard in canonical order, each shard in pieces that stand
/// wherever there was room. One file and little memory, however many shards there are.
struct CoinSpill: Sendable {
    /// Of every shard, where its pieces are, in order.
    let shards: [[Range<Int>]]
    let coins: UInt64

    private static let pieceBytes = 1 << 20

    /// Reads the set on all cores.
    ///
    /// - Parameters:
    ///   - file: empty.
    ///   - progress: is told after each shard how many coins were read; by any thread.
    init(_ set: SnapshotMerge, into file: borrowing File, progress: @Sendable (_ coins: UInt64) -> Void)
        throws
    {
        let end = Atomic(0)
        let done = Atomic<UInt64>(0)
        shards = try set.map(tools: { ByteBuffer(capacity: Self.pieceBytes + (64 << 10)) }) {
            _, merge, buffer in
            var pieces: [Range<Int>] = []
            var groups = GroupEncoder()
            buffer.removeAll()
            var isLast = false
            while !isLast {
                if let body = try merge.next() {
                    groups.add(
                        txid: merge.outpoint.txid, index: merge.outpoint.index, body: body, to: &buffer)
                } else {
                    groups.finishGroup(to: &buffer)
                    isLast = true
                }
                guard buffer.count >= Self.pieceBytes || isLast && buffer.count > 0 else { continue }
                let start = end.wrappingAdd(buffer.count, ordering: .relaxed).oldValue
                try file.write(buffer.bytes, at: start)
                pieces.append(start..<start + buffer.count)
                buffer.removeAll()
            }
            progress(done.wrappingAdd(groups.total, ordering: .relaxed).newValue)
            return pieces
        }
        coins = done.load(ordering: .relaxed)
    }
}
