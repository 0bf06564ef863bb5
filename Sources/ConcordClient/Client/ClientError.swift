import Concord

/// Why a client cannot begin to ask.
public enum ClientError: Error, Sendable {
    /// The list of a home is empty.
    case noAuthorities(home: String)
    /// The authorities of the list cannot be compared, or are too few.
    case roster(RosterError)
    /// The same for the minimum that was asked for.
    case minimum(RosterError)
    /// A trustnet signed two documents under one number.
    case trustnetEquivocates(TrustnetEvidence)
    /// No version of a trustnet could be had.
    case trustnetMissing(PublicKey, urls: [String])
    /// The newest version of a trustnet that could be had is past its time.
    case trustnetExpired(Trustnet, urls: [String], now: Int64)
    /// Nothing of this network, or of any, is installed.
    case nothingInstalled
    /// Several networks are, and none was named.
    case severalInstalled([Network])
    /// Shards that are not installed, of those that are asked about.
    case shardsMissing([Int])
    /// The shards of the last fetch are none of these trees, which have so many.
    case shardsGone(count: Int)
    /// What is known against the installed set: two statements of this block are signed by keys of the list.
    case contradicted(BlockID)
    /// What was to be installed was not agreed on.
    case notAgreed(AgreementSession.Obstacle)
}
