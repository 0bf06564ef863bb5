import Concord
import ConcordFiles

/// What is installed is not as it was when it was: a disk lost something, or somebody changed it.
public struct SetDamage: Error, Sendable {
    public enum Kind: Sendable {
        /// The file that names the installed block is unreadable; fetched again, the set is as before.
        case pointer
        /// The same, and which shards were wanted is not known any more.
        case wantedShards
        /// The statements that lead to the installed block are not all here, or do not: why, in words.
        case statements(String)
        /// A file is not what was signed; removed and fetched again, it is.
        case file(FileError)
        /// A patch is what was signed, and cannot be: whoever signed it has to be told.
        case signed(ChangeError, authorities: [String])
    }

    public let path: String
    public let kind: Kind

    init(_ path: String, _ kind: Kind) { (self.path, self.kind) = (path, kind) }
}
