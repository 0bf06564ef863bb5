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
    public struct HostFault: Sendable {
        /// The first time.
        public let fault: Fault
        /// How often.
        public internal(set) var count = 1

        public init(fault: Fault) { self.fault = fault }
    }

    private let authorities: [Authority]
    private let reader: TreeReader
    private let time: Duration?
    /// What each authority's hosts did wrong, one a host. Not to have a file is none.
    public private(set) var faults: [[HostFault]]

    /// - Parameter time: the most for each call of `fetch`; nil for as long as hosts get on.
    public init(_ authorities: [Authority], reader: TreeReader, time: Duration? = nil) {
        self.time = time
        self.authorities = authorities
        self.reader = reader
        faults = .init(repeating: [], count: authorities.count)
    }

    /// The answers of each authority, in the order of the blocks. Throws only what this machine is to blame for.
    public func fetch(_ blocks: [BlockID], _ parameters: TreeParameters) throws -> [[Answer]] {
        var answers = authorities.map { _ in [Answer](repeating: .unreachable, count: blocks.count) }
        let asking = TreeReader.Asking(deadline: time.map(reader.deadline(after:)))
        for (place, block) in blocks.enumerated() {
            for (i, authority) in authorities.enumerated() {
                try reader.ask(
                    .attestation(of: block, parameters, keys: [authority.key]), at: authority.places, asking
                ) { [self] reply in
                    for fault in reply.faults where !fault.isAbsence { note(i, fault) }
                    answers[i][place] = Self.answer(reply)
                }
            }
        }
        try reader.run()
        return answers
    }

    private static func answer(_ reply: TreeReader.Reply<SignedAttestation>) -> Answer {
        if let signed = reply.answer { return .attested(signed) }
        if reply.faults.contains(where: { $0.isInvalid && !$0.isAbsence }) { return .invalid }
        return reply.faults.contains(where: \.isAbsence) ? .absent : .unreachable
    }

    private func note(_ authority: Int, _ fault: Fault) {
        if let known = faults[authority].firstIndex(where: { $0.fault.url == fault.url }) {
            faults[authority][known].count += 1
        } else {
            faults[authority].append(HostFault(fault: fault))
        }
    }
}
