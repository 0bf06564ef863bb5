import Concord

/// What is known of one authority.
public struct AuthorityObservation: Sendable {
    public let authority: Authority
    public internal(set) var view: AuthorityView
    /// Checked attestations, remembered ones among them; of one block no more than two, whose statements differ.
    public internal(set) var attestations: [SignedAttestation] = []
    /// Whether anything that its key signed came in this run.
    public internal(set) var isHeard = false
    /// The latest time of what its key signed and was not taken, for it is ahead of this machine's clock: seconds since
    /// 1970.
    public internal(set) var ahead: Int64?
    /// What its key signed of another network, or of a tree that is partitioned otherwise, than the others of the list.
    public internal(set) var foreign: SignedAttestation?
    /// The last headers of its chain, up to its newest block; nil if they could not be had.
    public internal(set) var tail: HeaderTail?
    /// The URL of the tree that they came from.
    var tailSource: String?
    /// What went wrong at its hosts.
    public internal(set) var problems: [Fault] = []
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
        guard isHeard, foreign == nil else { return nil }
        return attestations.filter { $0.attestation.time <= maxTime }.newest()
    }

    /// What was signed of the block before is enough of a proof: a third statement adds nothing to two.
    mutating func add(_ signed: SignedAttestation) {
        let block = signed.statement.blockID
        let said = attestations.filter { $0.statement.blockID == block }
        guard said.count < 2, !said.contains(where: { $0.statement == signed.statement }) else { return }
        attestations.append(signed)
        view.add(signed.statement)
    }

    /// Leaves out what is of another kind of tree than this; what was signed of this one stays signed.
    mutating func set(aside signed: SignedAttestation, from kind: TreeKind) {
        foreign = signed
        attestations.removeAll { TreeKind($0.statement) != kind }
        view = AuthorityView(withdrawn: view.withdrawn)
        for signed in attestations { view.add(signed.statement) }
        view.absence = .invalid
        (tail, tailSource) = (nil, nil)
    }

    /// Leaves out what was remembered of another kind of tree.
    mutating func leaveOut(otherThan kind: TreeKind) {
        guard attestations.contains(where: { TreeKind($0.statement) != kind }) else { return }
        attestations.removeAll { TreeKind($0.statement) != kind }
        view = AuthorityView(withdrawn: view.withdrawn)
        for signed in attestations { view.add(signed.statement) }
    }

    mutating func note(_ fault: Fault) {
        guard
            !problems.contains(where: {
                $0.url == fault.url && $0.path == fault.path && $0.kind == fault.kind
            })
        else { return }
        problems.append(fault)
    }

    /// Where its tree can be had.
    var places: [TreeReader.Place] { authority.places }
}

extension Sequence<SignedAttestation> {
    /// What was signed last, of what was signed in one second the highest, then the greater block hash (FORMAT.md,
    /// «Attestations»).
    func newest() -> SignedAttestation? {
        self.max {
            ($0.attestation.time, $0.statement.height, $0.statement.block)
                < ($1.attestation.time, $1.statement.height, $1.statement.block)
        }
    }
}

extension Authority {
    /// Where its tree can be had.
    var places: [TreeReader.Place] { urls.map { TreeReader.Place($0, of: name) } }
}
