import Concord
import ConcordConsole
import ConcordClient
import ConcordTransfers

/// What the page and report.json tell.
struct ReportFacts {
    let survey: AgreementSession
    /// Nil where no authority's newest attestation could be had.
    let matrix: AttestationMatrix?

    init(_ survey: AgreementSession, _ matrix: AttestationMatrix?) {
        self.survey = survey
        self.matrix = matrix
    }

    /// The block that the survey ended with, and how the trees are partitioned: the agreed one, that of a contradiction, or of
    /// those that most authorities attest the highest.
    static func center(_ survey: AgreementSession) -> (block: BlockID, parameters: TreeParameters)? {
        let views = survey.report.heard.map(\.view)
        let newest = views.compactMap { view in view.newest.flatMap { view.counts(at: $0.height) ? $0 : nil }
        }
        guard let parameters = newest.first?.parameters else { return nil }
        switch survey.report.outcome.end {
        case .agreed(let statement): return (statement.blockID, parameters)
        case .contradiction(let block): return (block, parameters)
        case .none:
            let counts = Dictionary(
                views.flatMap(\.statements.keys).map { ($0, 1) }, uniquingKeysWith: +)
            let most = counts.max {
                ($0.value, $0.key.height, $1.key.hash) < ($1.value, $1.key.height, $0.key.hash)
            }
            return most.map { ($0.key, parameters) }
        }
    }

    /// The block of which two statements are signed, of the survey or seen below what is agreed on.
    var contradiction: BlockID? {
        if case .contradiction(let block) = survey.report.outcome.end { block } else { matrix?.contradiction }
    }

    /// Whether an authority is shown to have signed another statement of a block than most others.
    func differs(_ authority: Int, at block: BlockID) -> Bool {
        matrix?.rows[authority].contains { $0.mark == .differs && $0.block == block } ?? false
    }

    /// What is agreed on, if nothing speaks against it.
    var agreed: Statement? { contradiction == nil && survey.failure == nil ? survey.agreed : nil }

    var network: Network? { survey.network }

    /// Where the page's folder has the signed files of a contradiction.
    var evidence: String? {
        guard survey.evidence != nil, case .contradiction(let block) = survey.report.outcome.end else {
            return nil
        }
        return "evidence/\(TreePath.name(block))"
    }

    /// Throws unless they agree and nothing was seen that speaks against it. JSON says it too.
    func end() throws {
        try survey.end()
        if let failure { throw failure.printed }
    }

    /// What everybody may read of why there is no agreement: without a path of this machine.
    private var failure: CommandFailure? {
        guard let block = contradiction else { return survey.failure }
        let place = survey.evidence == nil ? ", below the one they agree on" : ""
        return CommandFailure(
            .dissent,
            "authorities contradict each other about block \(block.hash.reversedHex) at height \(block.height)\(place). "
                + "The page links to their attestations")
    }

    /// The URL of a file of an authority's tree on the web; nil where it has none that can be shown to everybody.
    func link(_ authority: Int, _ path: String) -> String? {
        let faults = matrix?.faults[authority].map(\.fault.url) ?? []
        let urls = survey.report.heard[authority].authority.urls.filter(Self.isPublic)
        // A host that failed just now is linked to only if there is no other.
        guard let url = urls.first(where: { !faults.contains($0) }) ?? urls.first else { return nil }
        return try? WebAddress("\(url)/\(path)").url
    }

    func link(_ authority: Int, attestationOf block: BlockID) -> String? {
        guard let parameters = survey.report.heard[authority].view.newest?.parameters else { return nil }
        return link(authority, TreePath.attestation(block, parameters))
    }

    /// Whether a URL is one of http or https without a login: only such become links.
    static func isPublic(_ url: String) -> Bool {
        guard let address = try? WebAddress(url) else { return false }
        return address.isWeb && !address.hasLogin
    }

    var json: JSON { JSON(self) }

    /// What `check --json` prints, and the matrix.
    struct JSON: Encodable {
        struct Column: Encodable {
            let height: Int
            let block: String
            let authorities: [Cell]
        }

        struct Cell: Encodable {
            let name, mark: String
            /// What it attests there instead.
            let otherBlock: String?
            /// In which its statement is another one.
            let fields: [String]?
            let attestation: String?
        }

        private let check: VerdictTable.JSON
        private let isContradicted: Bool
        private let contradiction: BlockID?
        private let evidence: String?
        private let time: String
        /// Newest first.
        private let matrix: [Column]

        init(_ facts: ReportFacts) {
            var check = VerdictTable.JSON(facts.survey)
            check.error = facts.failure.map { .init($0) }
            self.check = check
            contradiction = facts.contradiction
            isContradicted = facts.contradiction != nil && facts.evidence == nil
            evidence = facts.evidence
            time = Timestamp.text(facts.survey.now)
            let heard = facts.survey.report.heard
            matrix =
                facts.matrix.map { matrix in
                    matrix.blocks.indices.reversed().map { column in
                        let block = matrix.blocks[column]
                        return Column(
                            height: block.height, block: block.hash.reversedHex,
                            authorities: heard.indices.map { i in
                                let cell = matrix.rows[i][column]
                                return Cell(
                                    name: heard[i].authority.name.description, mark: cell.mark.rawValue,
                                    otherBlock: cell.block == block ? nil : cell.block.hash.reversedHex,
                                    fields: cell.fields.isEmpty ? nil : cell.fields,
                                    attestation: cell.mark.isAttested
                                        ? facts.link(i, attestationOf: cell.block) : nil)
                            })
                    }
                } ?? []
        }

        private enum Key: CodingKey {
            case result, reason, evidence, matrix, time
        }

        func encode(to encoder: any Encoder) throws {
            try check.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(matrix, forKey: .matrix)
            try container.encode(time, forKey: .time)
            // A path of the page's folder, for the client's own is nobody's business.
            if let evidence { try container.encode(evidence, forKey: .evidence) }
            if isContradicted, let contradiction {
                try container.encode("contradiction", forKey: .result)
                try container.encode("two statements for \(contradiction)", forKey: .reason)
            }
        }
    }
}

extension AttestationMatrix.Mark {
    /// Whether there is an attestation to look at.
    var isAttested: Bool {
        switch self {
        case .agrees, .alone, .differs, .otherBranch: true
        case .lagging, .absent, .unreachable, .invalid, .withdrawn: false
        }
    }
}
