import Concord
import ConcordTransfers

/// What was wrong with a file that was asked of a host: whose, where, what was wanted, and what came instead. Words for
/// people are made of it where they are shown.
public struct Fault: Error, Sendable {
    /// Whose tree the host serves, or should; nil for a tree or trustnet that is asked by its URL alone.
    public let authority: AuthorityName?
    /// The URL of the tree, without a password it may hold.
    public let url: String
    /// What was asked.
    public let asked: TreeFile
    /// The file's path below the URL.
    public let path: String
    public let kind: Kind

    public init(authority: AuthorityName? = nil, url: String, asked: TreeFile, path: String, _ kind: Kind) {
        (self.authority, self.asked, self.path, self.kind) = (authority, asked, path, kind)
        self.url = WebAddress.shown(url)
    }

    public enum Kind: Error, Sendable, Equatable {
        // MARK: what did not come
        /// 404 or 410; no such file.
        case absent
        /// 401 or 403: what some stores of objects say of a file that is not there.
        case forbidden(status: Int)
        /// A page for people, as some hosts serve in the place of a file that is not there.
        case page
        /// Any other status that is no success.
        case refused(status: Int)
        /// It wanted fewer requests for longer than anybody waits.
        case busy(status: Int)
        /// Next to nothing came for so many seconds.
        case slow(seconds: Int)
        /// It was not waited for any longer.
        case givenUp
        case timedOut(String)
        case unreachable(String)
        case untrusted(String)
        case broken(String)
        case badURL(String)
        case wrongRange

        // MARK: what is not what it should be
        case tooLarge(limit: Int)
        /// Bytes that are not of the format.
        case malformed(ParseError)
        case notSigned(AttestationError)
        case notTrustnet(SignedTrustnetError)
        case notDocument(TrustnetError)
        /// Signed, but of another block.
        case otherBlock(BlockID)
        /// Signed, but of a tree that is partitioned otherwise, or another network.
        case otherTree(TreeKind, expected: TreeKind?)
        /// The tree of another key than the one that was asked for.
        case otherKey(PublicKey, wanted: PublicKey)
        /// Another version of a trustnet than its name says.
        case otherVersion(Int)
        /// Signed at a time ahead of this machine's clock: seconds since 1970.
        case ahead(Int64)
        /// A state older than what the key was seen to sign before.
        case behind(shown: Int, signed: Int, time: Int64)
        /// Not the data that the statement names: what differs, in words.
        case mismatch(String)
        case header(HeaderFault)
        /// Headers that go on to a time ahead of this machine's clock: seconds since 1970.
        case headersAhead(Int64)
        /// Headers that do not lead to the block that is attested.
        case leadsElsewhere(BlockID)
        /// More headers than there can be between what others attest and this.
        case tooFar(Int)
        case refusedTrustnet(TrustnetHistory.Refusal)
        /// An attestation that does not follow from the one before it.
        case breaksHistory(height: Int)
    }

    /// Whether it may simply not be there.
    public var isAbsence: Bool {
        switch kind {
        case .absent, .forbidden, .page: true
        default: false
        }
    }

    /// Whether bytes came, but not what they should be.
    public var isInvalid: Bool {
        switch kind {
        case .absent, .forbidden, .refused, .busy, .slow, .givenUp, .timedOut, .unreachable, .untrusted,
            .broken,
            .badURL, .wrongRange, .behind:
            false
        default: true
        }
    }
}

extension Fault.Kind {
    /// Nil for what this machine is to blame for.
    init?(_ failure: Failure.Kind) {
        switch failure {
        case .badURL(let words): self = .badURL(words)
        case .notFound: self = .absent
        case .refused(let status):
            self = [401, 403].contains(status) ? .forbidden(status: status) : .refused(status: status)
        case .busy(let status, _): self = .busy(status: status)
        case .wrongRange: self = .wrongRange
        case .tooLarge(let limit): self = .tooLarge(limit: limit)
        case .timedOut(let words): self = .timedOut(words)
        case .unreachable(let words): self = .unreachable(words)
        case .slow(let seconds): self = .slow(seconds: seconds)
        case .givenUp: self = .givenUp
        case .untrusted(let words): self = .untrusted(words)
        case .network(let words): self = .broken(words)
        case .local: return nil
        }
    }
}
