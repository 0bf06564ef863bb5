import Concord

/// Where an undo record lies in the `rev` file that belongs to a `blk` file, and which block's child it is of.
struct UndoPlace: Hashable, Sendable {
    /// The hash of the block before, which the record's checksum covers.
    var parent: Digest
    /// Of the record itself, behind magic and length.
    var offset: UInt32
    /// Without the checksum.
    var size: UInt32
}
