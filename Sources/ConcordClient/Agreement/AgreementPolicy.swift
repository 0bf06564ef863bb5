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

    public enum Headers: Sendable {
        case follow
        /// Only if an earlier run stored some: the first time they are 72 MB on the main network.
        case followIfStored
    }

    public init() {}
}
