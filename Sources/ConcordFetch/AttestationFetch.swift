import Concord
import ConcordTransfers

/// Fetches what several authorities attest of blocks that the caller names, many files at once: both files of each
/// attestation, from the authority's URLs in turn until one has them as its key signed them.
///
/// One thread at a time uses it.
public final class AttestationFetch: @unchecked Sendable {
    /// What came of one block and one authority.
    public enum Answer: Sendable {
        /// What its key signed of this block.
        case attested(SignedAttestation)
        /// Its hosts do not have both files.
        case absent
        /// No host answered as a host of a tree does.
        case unreachable
        /// Hosts have files, but not what its key signed of this block.
        case invalid
    }

    /// What a host did wrong.
    public struct Fault: Sendable {
        /// Of the tree.
        public let url: String
        /// The first time, in words that name the file.
        public let text: String
        /// How often.
        public internal(set) var count = 1
    }

    private let authorities: [Authority]
    private let transfers: Transfers
    /// What each authority's hosts did wrong, a line a host.
    public private(set) var faults: [[Fault]]
    /// How often in a row a URL failed in ways that another file would not mend.
    private var strikes: [String: Int] = [:]

    /// After so many strikes a URL is not asked any more.
    private static let maxStrikes = 3
    /// Requests under way, so that few are spent on a host that is not there.
    private static let maxUnderWay = 24

    private struct Pair {
        let block: BlockID
        let path: String
        let authority: Int
        var url = 0
        var attestation: Result<Body, Failure>?
        var signature: Result<Body, Failure>?
        var wasAbsent = false
        var wasInvalid = false
        var answer: Answer?
    }

    private struct Job {
        let pair: Int
        let isSignature: Bool
    }

    public init(_ authorities: [Authority], transfers: Transfers) {
        self.authorities = authorities
        self.transfers = transfers
        faults = .init(repeating: [], count: authorities.count)
    }

    /// The answers of each authority, in the order of the blocks. Throws only what this machine is to blame for.
    public func fetch(_ blocks: [BlockID], _ parameters: TreeParameters) throws(Failure) -> [[Answer]] {
        var pairs = blocks.flatMap { block in
            authorities.indices.map {
                Pair(block: block, path: TreePath.attestation(block, parameters), authority: $0)
            }
        }
        var open = pairs.indices.reversed().flatMap(Self.jobs)
        var underWay = 0

        func end(_ job: Job, _ result: Result<Body, Failure>) throws(Failure) {
            if job.isSignature {
                pairs[job.pair].signature = result
            } else {
                pairs[job.pair].attestation = result
            }
            guard let attestation = pairs[job.pair].attestation, let signature = pairs[job.pair].signature
            else {
                return
            }
            try settle(&pairs[job.pair], attestation, signature)
            if pairs[job.pair].answer == nil { open += Self.jobs(job.pair) }
        }

        try transfers.run { () throws(Failure) -> Transfers.Next<Job> in
            while underWay < Self.maxUnderWay, let job = open.popLast() {
                let url = url(of: pairs[job.pair])
                guard strikes[url, default: 0] < Self.maxStrikes else {
                    try end(job, .failure(Failure(url: url, kind: .network("it failed too often"))))
                    continue
                }
                underWay += 1
                let path = pairs[job.pair].path
                return .request(
                    job.isSignature
                        ? Request(
                            "\(url)/\(TreePath.signature(path))", limit: SignedAttestation.maxSignatureBytes)
                        : Request("\(url)/\(path)", limit: Attestation.maxBytes), job)
            }
            return open.isEmpty ? .finished : .wait
        } done: { job, result throws(Failure) in
            underWay -= 1
            try end(job, result)
        }
        return authorities.indices.map { authority in
            pairs.compactMap { $0.authority == authority ? $0.answer : nil }
        }
    }

    private static func jobs(_ pair: Int) -> [Job] {
        [Job(pair: pair, isSignature: true), Job(pair: pair, isSignature: false)]
    }

    private func url(of pair: Pair) -> String { authorities[pair.authority].urls[pair.url] }

    /// Takes what a URL had: the answer, or the next URL.
    private func settle(
        _ pair: inout Pair, _ attestation: Result<Body, Failure>, _ signature: Result<Body, Failure>
    ) throws(Failure) {
        let url = url(of: pair)
        do {
            let signed = try SignedAttestation(
                checking: try attestation.get().bytes, signature: try signature.get().bytes,
                key: authorities[pair.authority].key)
            strikes[url] = 0
            // Whatever else it says of the block is the authority's word, not the host's.
            guard signed.statement.block == pair.block.hash else {
                throw ParseError(
                    .malformed("is the attestation of another block, \(signed.statement.blockID)"), at: 0)
            }
            pair.answer = .attested(signed)
            return
        } catch let failure as Failure {
            if failure.isLocal { throw failure }
            if failure.kind == .notFound {
                strikes[url] = 0
                pair.wasAbsent = true
            } else {
                if failure.isInvalid { pair.wasInvalid = true }
                strikes[url, default: 0] += failure.isInvalid ? 0 : 1
                if strikes[url, default: 0] <= Self.maxStrikes { note(pair.authority, url, "\(failure)") }
            }
        } catch {
            pair.wasInvalid = true
            note(pair.authority, url, "\(WebAddress.shown(url))/\(pair.path): \(error)")
        }
        pair.url += 1
        pair.attestation = nil
        pair.signature = nil
        if pair.url == authorities[pair.authority].urls.count {
            pair.answer = pair.wasInvalid ? .invalid : pair.wasAbsent ? .absent : .unreachable
        }
    }

    private func note(_ authority: Int, _ url: String, _ text: String) {
        if let known = faults[authority].firstIndex(where: { $0.url == url }) {
            faults[authority][known].count += 1
        } else {
            faults[authority].append(Fault(url: url, text: text))
        }
    }
}
