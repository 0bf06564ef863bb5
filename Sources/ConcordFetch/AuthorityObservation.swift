import Concord

/// What is known of one authority.
public struct AuthorityObservation: Sendable {
    public let authority: Authority
    public internal(set) var view: AuthorityView
    /// Checked attestations, remembered ones among them; of one block more than one only where their statements
    /// differ.
    public internal(set) var attestations: [SignedAttestation] = []
    /// Whether anything that its key signed came in this run.
    public internal(set) var isHeard = false
    /// The latest time of what its key signed and was not taken, for it is ahead of this machine's clock: seconds since
    /// 1970.
    public internal(set) var ahead: Int64?
    /// The last headers of its chain, up to its newest block; nil if they could not be had.
    public internal(set) var tail: HeaderTail?
    /// What went wrong, by URL, in words.
    public internal(set) var problems: [Survey.Problem] = []
    /// Bytes received.
    public internal(set) var bytes = 0

    /// What was signed later than this was not: seconds since 1970.
    private let maxTime: Int64

    init(_ member: Trustnet.Member, maxTime: Int64) {
        authority = member.authority
        self.maxTime = maxTime
        view = AuthorityView(withdrawn: member.withdrawn)
    }

    /// What it says now, nil if nothing usable came in this run: an authority signs in the order of time, and a mirror
    /// may have fallen behind, on a branch that was left since or behind what was seen in an earlier run.
    public func newest() -> SignedAttestation? {
        guard isHeard else { return nil }
        return attestations.filter { $0.attestation.time <= maxTime }.max {
            ($0.attestation.time, $0.statement.height) < ($1.attestation.time, $1.statement.height)
        }
    }

    mutating func add(_ signed: SignedAttestation) {
        if !attestations.contains(where: { $0.statement == signed.statement }) {
            attestations.append(signed)
        }
        view.add(signed.statement)
    }
}

extension Survey {
    public struct Problem: Sendable {
        public let url: String
        public let text: String
        /// Whether bytes came, but not what they should be.
        public let isInvalid: Bool
        /// That of the tree which the host serves, where it is not the authority's.
        public var otherKey: PublicKey?
    }
}
