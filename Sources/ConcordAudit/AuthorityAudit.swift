import Concord
import ConcordClient

/// What an audit found of one authority.
public struct AuthorityAudit: Sendable {
    /// Where its newest attestation stands.
    public enum Standing: Sendable {
        /// It could not be had.
        case unknown
        case onOwnChain(Statement)
        /// Its block is not the one of one's own chain.
        case onOtherBranch(Statement)
        /// It is above the tip of one's own chain.
        case ahead(Statement)
    }

    public let authority: Authority
    public let standing: Standing
    /// Heights of which it attests just what one's own chain data says.
    public private(set) var agreeing = HeightTally()
    public private(set) var dissenting = HeightTally()
    /// Heights of the chain that it does not attest.
    public private(set) var absent = HeightTally()
    /// Heights that no host of it could be asked about.
    public private(set) var unreachable = HeightTally()
    /// Heights of which its hosts have no bytes that its key signed.
    public private(set) var invalid = HeightTally()
    /// Heights from which its key does not count any more.
    public private(set) var withdrawn = HeightTally()
    /// What differs, height by height; the first `maxDissents`.
    public private(set) var dissents: [Dissent] = []
    /// Why, at the first of them.
    public internal(set) var causes: [DivergenceSearch.Cause] = []
    /// What went wrong at its hosts.
    public internal(set) var problems: [AttestationFetch.HostFault]

    static let maxDissents = 1000

    private let counts: @Sendable (Int) -> Bool

    init(_ heard: AuthorityObservation, standing: Standing) {
        authority = heard.authority
        counts = heard.view.counts
        self.standing = standing
        problems = heard.problems.map { AttestationFetch.HostFault(fault: $0) }
    }

    /// Heights that could be compared.
    public var compared: Int { agreeing.count + dissenting.count }

    /// Whether it says the same of a height as one's own chain data.
    func agrees(at height: Int) -> Bool { agreeing.highest == height }

    /// Takes in the next height. Gives the statement where it is the first that differs.
    mutating func add(_ answer: AttestationFetch.Answer, for own: Statement) -> Statement? {
        guard counts(own.height) else {
            withdrawn.add(own.height)
            return nil
        }
        switch answer {
        case .attested(let signed) where signed.statement == own: agreeing.add(own.height)
        case .attested(let signed):
            let attested = signed.statement
            dissenting.add(own.height)
            let dissent = Dissent(own, attested)
            if dissents.last.map({ _ in dissents[dissents.count - 1].extend(with: dissent) }) ?? false {
                break
            }
            if dissents.count < Self.maxDissents { dissents.append(dissent) }
            if dissenting.count == 1 { return attested }
        case .absent: absent.add(own.height)
        case .unreachable: unreachable.add(own.height)
        case .invalid: invalid.add(own.height)
        }
        return nil
    }
}
