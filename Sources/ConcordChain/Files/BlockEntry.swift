import Concord

/// Where a block and its undo record lie, and what its header says.
struct BlockEntry: Sendable, Equatable {
    /// Internal byte order.
    var hash: Digest
    var parent: Digest
    var bits: UInt32
    var transactions: UInt32
    /// The number of the `blk` and `rev` file.
    var file: UInt32
    /// Of the block itself, behind magic and length.
    var offset: UInt32
    var size: UInt32
    /// Of the undo record itself, behind magic and length; size 0 where there is none. (The shortest record has one
    /// byte: the number of transactions behind the coinbase.)
    var undoOffset: UInt32 = 0
    var undoSize: UInt32 = 0

    /// Bytes of an entry in a saved index, without the file's number.
    static let encodedSize = 32 + 32 + 6 * 4

    var hasUndo: Bool { undoSize > 0 }

    var undo: UndoPlace? {
        hasUndo ? UndoPlace(parent: parent, offset: undoOffset, size: undoSize) : nil
    }

    /// Gives the block its undo record.
    mutating func take(_ place: UndoPlace) {
        undoOffset = place.offset
        undoSize = place.size
    }

    /// What stands behind the undo record of this block: SHA256(SHA256(hash of the block before ‖ record))
    /// (`UndoWriteToDisk`).
    func undoChecksum(_ record: UnsafeRawBufferPointer) -> Digest {
        Self.undoChecksum(record, below: parent)
    }

    /// The same, of a record whose block stands on `parent`.
    static func undoChecksum(_ record: UnsafeRawBufferPointer, below parent: Digest) -> Digest {
        var sha = SHA256()
        sha.update(parent)
        sha.update(record)
        return sha.finishDouble()
    }

    var work: UInt128 { BlockHeader.work(bits: bits) }
}
