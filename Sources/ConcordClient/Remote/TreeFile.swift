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
    case patch(BlockID)
    /// A version of a trustnet with its signature; the newest if nil.
    case trustnet(version: Int?)
}
