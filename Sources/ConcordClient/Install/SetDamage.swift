import Concord
import ConcordFiles

/// A file of the installed set is missing, or was changed since it was installed.
public struct SetDamage: Error, Sendable {
    public enum Kind: Sendable {
        /// The file that names the installed block cannot be understood; fetched again, the set is as before.
        case pointer
        /// It was fetched before the format had deltas.
        case otherFormat
        /// The same, and which shards were wanted is not known any more.
        case wantedShards
        /// What was known of the shards that are followed is gone or was changed; it is worked out anew by the next fetch.
        case bases
        /// No attestation of this height is here.
        case missingStatement(height: Int)
        /// The statement of this height does not follow from the one before, or begins no epoch.
        case brokenStatements(height: Int)
        /// A file is missing or not what was signed; removed and fetched again, it is.
        case file(FileError)
        /// A patch is what was signed, and cannot be: whoever signed it has to be told.
        case signed(ChangeError, authorities: [String])
    }

    public let path: String
    public let kind: Kind

    init(_ path: String, _ kind: Kind) { (self.path, self.kind) = (path, kind) }
}
