import Concord
import ConcordFiles

/// A shard as it stands after the changes of some blocks: what was there before, merged with them.
public struct ShardMerge: ~Copyable {
    private var before: ShardReader?
    private var changes: ShardChanges
    private var stored: EncodedCoin?
    private var isStoredUsed = true
    /// The outpoint of the coin that `next` gave last.
    public private(set) var outpoint = Outpoint(txid: .zero, index: 0)

    /// `before` is nil where the set was empty; `changes` must be sorted.
    public init(before: consuming ShardReader?, changes: consuming ShardChanges) {
        self.before = before
        self.changes = changes
    }

    /// The next coin in order: the bytes behind its index, valid until the next call. Nil at the end, when the shard
    /// before was what its manifest says. Throws `FileError` or `ChangeError`.
    public mutating func next() throws -> UnsafeRawBufferPointer? {
        try next { _, _ in }
    }

    /// The same, and `visit` is told of each change that is applied.
    mutating func next(
        _ visit: (Outpoint, ShardChanges.Applied) throws -> Void
    ) throws -> UnsafeRawBufferPointer? {
        while true {
            if isStoredUsed {
                stored = try before?.next()
                isStoredUsed = false
            }
            if let coin = stored {
                let own = Outpoint(txid: before?.txid ?? .zero, index: coin.index)
                guard let changed = changes.nextOutpoint, changed <= own else {
                    outpoint = own
                    isStoredUsed = true
                    return coin.body
                }
                outpoint = changed
                isStoredUsed = own == changed
                if let body = try changes.apply(to: isStoredUsed ? coin.body : nil, visit) { return body }
            } else {
                guard let changed = changes.nextOutpoint else { return nil }
                outpoint = changed
                if let body = try changes.apply(to: nil, visit) { return body }
            }
        }
    }
}
