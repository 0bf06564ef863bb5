import Concord
import ConcordFiles
import ConcordTree

/// Gathers the evidence of a contradiction in `evidence/HEIGHT-BLOCK/` of a home folder: first what was signed, then, with
/// as little as is needed from both sides, the lowest block of the epoch where they differ and what they have there.
public final class EvidenceSearch {
    private let block: BlockID
    private let folder: Folder
    private let heard: [AuthorityObservation]
    private let reader: TreeReader
    /// What could not be had on the way down.
    private var problems: [Problem] = []

    public enum Problem: Sendable {
        /// No headers that lead down from the block.
        case noHeaders
        /// Not both sides' attestations of a height.
        case notBothSides(height: Int)
        case data(DivergenceSearch.Cause.Unknown)
    }

    /// Where a home folder has what is known of a block.
    public static func folder(of block: BlockID) -> String { "evidence/\(TreePath.name(block))" }

    /// Keeps the signed files, durably.
    public init(of block: BlockID, heard: [AuthorityObservation], reader: TreeReader, in home: Folder)
        throws
    {
        self.block = block
        self.heard = heard.filter { $0.view.counts(at: block.height) }
        self.reader = reader
        folder = try home.inner(Self.folder(of: block))
        for one in self.heard {
            for signed in one.attestations where signed.statement.blockID == block {
                try folder.install(try Evidence.stage(signed, of: one.authority.name, in: folder))
            }
        }
    }

    /// Goes down as far as the data can be had.
    public func run() throws -> (Evidence, [Problem]) {
        var evidence = try Evidence(reading: folder)
        for other in evidence.sides.indices.dropFirst() {
            let isKnown = evidence.differences[other - 1].causes.contains { $0.isFound }
            if !isKnown { try goDown(evidence.sides[0], evidence.sides[other]) }
        }
        evidence = try Evidence(reading: folder)
        return (evidence, problems)
    }

    private typealias Pair = (own: SignedAttestation, other: SignedAttestation)

    private func goDown(_ own: Evidence.Side, _ other: Evidence.Side) throws {
        let (mine, theirs) = (authorities(own, without: other), authorities(other, without: own))
        var first = (own.statement, other.statement)
        if own.statement.parameters == other.statement.parameters, !mine.isEmpty, !theirs.isEmpty,
            let chain = try headers(own.statement, mine + theirs)
        {
            if let lowest = try lowest(chain, mine, theirs) { first = lowest }
        }
        // What was fetched is kept, so that it can be looked at again.
        let data = try [(first.0, own), (first.1, other)].map { statement, side in
            CommittedData(
                of: authorities(side, without: nil), reader: reader,
                into: try folder.inner(Evidence.side(statement)))
        }
        for case .unknown(_, let why) in try DivergenceSearch(data[0], data[1]).causes(
            first.0, first.1, beforeIsSame: false)
        { problems.append(.data(why)) }
    }

    /// Those who signed for a side, but for those who signed for another one too.
    private func authorities(_ side: Evidence.Side, without other: Evidence.Side?) -> [Authority] {
        let keys = Set(side.signed.map(\.key)).subtracting(other?.signed.map(\.key) ?? [])
        return heard.map(\.authority).filter { keys.contains($0.key) }
    }

    /// The headers of the block's epoch up to the block, from whoever has them.
    private func headers(
        _ statement: Statement, _ authorities: [Authority]
    ) throws -> HeaderChain? {
        let reply = try reader.answer(
            .headers(leadingTo: block, statement.parameters), at: authorities.flatMap(\.places),
            TreeReader.Asking(deadline: reader.deadline(after: reader.settings.surveyTime)))
        if reply.answer == nil { problems.append(.noHeaders) }
        return reply.answer
    }

    /// The statements at the lowest height of the epoch where both sides were heard and differ, if it is below the block:
    /// the one before it is tried first, then half of what is left each time.
    private func lowest(
        _ chain: HeaderChain, _ mine: [Authority], _ theirs: [Authority]
    ) throws -> (Statement, Statement)? {
        var found: (Statement, Statement)?
        var (same, differs) = (chain.start - 1, block.height)
        var next = differs - 1
        while same < differs - 1 {
            guard let at = chain.block(at: next), let pair = try ask(at, mine, theirs) else {
                problems.append(.notBothSides(height: next))
                return found
            }
            if pair.own.statement == pair.other.statement {
                same = next
            } else {
                differs = next
                found = (pair.own.statement, pair.other.statement)
            }
            next = (same + differs) / 2
        }
        return found
    }

    /// What both sides attest of a block, kept with the rest.
    private func ask(_ block: BlockID, _ mine: [Authority], _ theirs: [Authority]) throws -> Pair? {
        guard let parameters = heard.lazy.compactMap(\.attestations.first?.statement.parameters).first else {
            return nil
        }
        let all = mine + theirs
        let answers = try AttestationFetch(all, reader: reader, time: reader.settings.surveyTime).fetch(
            [block], parameters)
        let said = zip(all, answers).compactMap { authority, answers -> (Authority, SignedAttestation)? in
            guard case .attested(let signed) = answers[0] else { return nil }
            return (authority, signed)
        }
        guard let own = said.first(where: { mine.contains($0.0) }),
            let other = said.first(where: { theirs.contains($0.0) })
        else { return nil }
        for (authority, signed) in [own, other] {
            try folder.install(try Evidence.stage(signed, of: authority.name, in: folder))
        }
        return (own.1, other.1)
    }
}
