import Concord

/// A file of a published tree, or several that belong together, by what they are of (FORMAT.md, "Layout").
public enum TreeFile: Hashable, Sendable {
    /// authority.txt and latest.txt.
    case hint
    /// What is signed of a block, and the signature.
    case attestation(BlockID)
    /// The headers of the epoch that begins at a height.
    case headers(epoch: Int)
    case manifest(BlockID)
    case shard(Int, of: BlockID)
    case filter(Int, of: BlockID)
    case patch(BlockID)
    /// The changes of so many blocks, of which this is the last.
    case delta(BlockID, span: Int)
    case muhashes(BlockID)
    /// What is said of a block, whoever signed it.
    case statement(BlockID)
    /// A version of a trustnet with its signature; the newest if nil.
    case trustnet(version: Int?)
}
