import Concord
import ConcordTree

/// Every file was the one that the authorities agree on, and what comes of them is not what they agree on: their own
/// contradiction, or an error in this program. Nothing is installed.
public struct StateContradiction: Error, Sendable {
    public enum Kind: Sendable {
        /// Patches and deltas do not lead to this shard of the snapshot.
        case snapshot(shard: Int)
        /// A shard has another MuHash than `muhashes` says.
        case shard(Int)
        /// The numbers of all shards, each of which is right, do not come to `muhash`.
        case whole
        /// A section is none, or names a coin that is none.
        case sections(ParseError)
        /// A patch or delta does not fit what is before it.
        case changes(ChangeError)
    }

    public let kind: Kind
    /// What they agree on.
    public let statement: Statement

    init(_ kind: Kind, _ statement: Statement) { (self.kind, self.statement) = (kind, statement) }
}
