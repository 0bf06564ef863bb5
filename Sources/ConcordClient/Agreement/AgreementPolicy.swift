import Concord

/// What one demands of agreement.
public struct AgreementPolicy: Sendable {
    /// The only height that may be chosen; nil for the highest.
    public var height: Int?
    /// So many authorities must attest the block; never fewer than a trustnet asks for. More than half if nil.
    public var minimum: Int?
    /// Seconds after which an attestation does not count; nil for a day on the main network, and no limit on others.
    public var maxAgeInSeconds: Int64?
    /// How many blocks below the newest branches may differ.
    public var depth = Agreement.defaultDepth
    /// Whether a chain with less work than the network's is known to have will do: for chains made to test with.
    public var allowsLowWork = false
    public var headers = Headers.follow
    public var headerStart = HeaderStart.pinned

    public enum Headers: Sendable {
        case follow
        /// Only if an earlier run stored some.
        case followIfStored
    }

    /// Where headers are followed from.
    public enum HeaderStart: String, CaseIterable, Sendable {
        /// From the block that Bitcoin Core's source knows (`Network.pinnedStart`), 3 MB the first time on the main network.
        /// From the genesis block as with `full` on networks without one, where the block in question lies below it, where a
        /// set is installed that lies below it and can be gone on from, and where all headers up to it are stored already.
        case pinned
        /// From the genesis block, 78 MB the first time on the main network: then the work below the pinned block too is seen
        /// and not only known.
        case full
    }

    public init() {}
}
