import Concord
import ConcordBuild
import ConcordChain
import ConcordClient
import ConcordFiles
import ConcordTree

/// Holds what authorities attest to what one's own chain data says: every statement is worked out from the blocks, a
/// batch at a time, and compared with the attestation of that very block. Nobody is believed.
public struct ChainAudit {
    /// What is told while it goes on.
    public enum Event: Sendable {
        /// The blocks below the first epoch are gone over.
        case replaying(InitialReplay.Event)
        /// The coins at its beginning are counted.
        case counting
        /// A batch is checked.
        case building(SetBuilder.Event)
        case compared(height: Int, to: Int)
    }

    private let builder: SetBuilder
    private let folder: Folder
    private let memory: Int
    private let reader: TreeReader
    private let fetch: AttestationFetch
    private var audits: [AuthorityAudit]
    private var source: any ChainSource { builder.source }

    /// - Parameters:
    ///   - heard: what each authority says now; they attest one network with one pair of parameters.
    ///   - folder: for the sets on the way and for what is fetched to be looked at. What is in it is removed, but for
    ///     what an audit that was killed has gone over already.
    ///   - memory: bytes that may be taken for going over the blocks below the first epoch.
    public init(
        _ source: any ChainSource, _ parameters: TreeParameters, of heard: [AuthorityObservation],
        reader: TreeReader,
        folder: Folder, memory: Int
    ) throws {
        for name in try Folder.names(in: folder.root) where name != "replay" { try folder.removeTree(name) }
        // What is built here is read once or twice, and never sent.
        builder = SetBuilder(
            source: source, data: try folder.inner("own"), parameters: parameters, level: 1,
            isFixed: { _ in false })
        self.folder = folder
        self.memory = memory
        self.reader = reader
        fetch = AttestationFetch(heard.map(\.authority), reader: reader)
        audits = heard.map { one in
            AuthorityAudit(one, standing: Self.standing(of: one.newest()?.statement, on: source))
        }
    }

    private static func standing(
        of newest: Statement?, on source: any ChainSource
    ) -> AuthorityAudit.Standing {
        guard let newest else { return .unknown }
        guard newest.height <= source.tip else { return .ahead(newest) }
        return source.blockID(at: newest.height) == newest.blockID
            ? .onOwnChain(newest) : .onOtherBranch(newest)
    }

    /// Compares the heights of a range, which ends at the tip of one's own chain or below.
    public mutating func run(_ range: ClosedRange<Int>, tell: (Event) -> Void) throws -> [AuthorityAudit] {
        var position = SetBuilder.Position(builder.parameters)
        let start = builder.parameters.epochStart(of: range.lowerBound)
        if start > 0 {
            let answers = answers(start..<start + 1, in: range)
            let replay = InitialReplay(builder, work: try folder.inner("replay"), memory: memory)
            guard let built = try replay.run(to: start, { tell(.replaying($0)) }) else { return audits }
            tell(.counting)
            let statement: Statement
            (position, statement) = try builder.begin(with: built, at: source.blockID(at: start))
            try folder.removeTree("replay")
            try compare([statement], try answers.get(), in: range)
        }
        while position.next <= range.upperBound {
            let heights = builder.nextBatch(position, to: range.upperBound)
            // What is attested comes while what should be is worked out.
            let answers = answers(heights, in: range)
            let statements = try builder.advance(&position, over: heights) { tell(.building($0)) }
            try compare(statements, try answers.get(), in: range)
            if let newest = statements.last, newest.isEpochStart {
                try builder.removeOld(below: newest.blockID)
            }
            tell(.compared(height: position.next - 1, to: range.upperBound))
        }
        for (i, faults) in fetch.faults.enumerated() {
            audits[i].problems += faults
        }
        return audits
    }

    /// What the authorities attest of those of these heights that are asked about.
    private func answers(_ heights: Range<Int>, in range: ClosedRange<Int>) -> Later<
        [[AttestationFetch.Answer]]
    > {
        let blocks = heights.clamped(to: Range(range)).map(source.blockID)
        let (fetch, parameters) = (fetch, builder.parameters)
        return Later { try fetch.fetch(blocks, parameters) }
    }

    private mutating func compare(
        _ statements: [Statement], _ answers: [[AttestationFetch.Answer]], in range: ClosedRange<Int>
    ) throws {
        // If the node itself says otherwise, nobody else is to blame.
        try source.confirm(statements)
        for (i, answers) in answers.enumerated() {
            for (own, answer) in zip(statements.filter { range.contains($0.height) }, answers) {
                let beforeIsSame = audits[i].agrees(at: own.height - 1)
                guard let attested = audits[i].add(answer, for: own) else { continue }
                audits[i].causes = try causes(own, attested, audits[i].authority, beforeIsSame: beforeIsSame)
            }
        }
    }

    private func causes(
        _ own: Statement, _ attested: Statement, _ authority: Authority, beforeIsSame: Bool
    ) throws -> [DivergenceSearch.Cause] {
        let theirs = try folder.inner("theirs/\(authority.key.hex)")
        let way = DivergenceSearch(
            CommittedData(in: builder.data),
            CommittedData(of: [authority], reader: reader, into: theirs))
        return try way.causes(own, attested, beforeIsSame: beforeIsSame)
    }
}
