import Concord
import ConcordConsole
import ConcordClient
import ConcordTransfers

extension VerdictTable {
    /// What --json prints.
    struct JSON: Encodable {
        struct Row: Encodable {
            let name, key, verdict: String
            let urls: [String]
            let height: Int?
            let block, time: String?
            /// The digests of what it says of the block in question; more than one if it equivocates.
            let statements: [String]
            let bytes: Int
            let problems: [String]
            let headers: HeaderSurvey.Report.JSON.Row?
        }

        let result: String
        let reason: String?
        /// Nil where nothing of any authority could be had.
        let network: String?
        let time: String
        let height: Int?
        let block, statement, muhash, muhashes: String?
        let coins, amountSat: UInt64?
        let minimum: Int
        let authorities: [Row]
        /// The folder.
        let evidence: String?
        let contradiction: EvidenceDescription.JSON?
        let headers: HeaderSurvey.Report.JSON?
        let warnings: [String]
        var error: FailureJSON.Description?

        init(_ survey: AgreementSession) {
            let report = survey.report
            let followed = survey.headers?.authorities
            authorities = report.heard.indices.map { i in
                let heard = report.heard[i]
                let newest = heard.newest()
                let said = survey.chosen.map { heard.view.statements[$0, default: []] } ?? []
                return Row(
                    name: heard.authority.name.description, key: heard.authority.key.hex,
                    verdict: report.outcome.verdicts[i].rawValue,
                    urls: heard.authority.urls.map(WebAddress.shown),
                    height: newest?.statement.height, block: newest?.statement.block.reversedHex,
                    time: newest.map { Timestamp.text($0.attestation.time) },
                    statements: said.map(\.digest.hex).sorted(), bytes: heard.bytes,
                    problems: heard.problems.map(\.description), headers: followed.map { .init($0[i]) })
            }
            let failure = survey.failure
            let agreed = failure == nil ? survey.agreed : nil
            time = Timestamp.text(survey.now)
            height = agreed?.height
            block = agreed?.block.reversedHex
            statement = agreed?.digest.hex
            muhash = agreed?.muhash.reversedHex
            muhashes = agreed?.muhashes.hex
            coins = agreed?.coins
            amountSat = agreed?.amount
            network = survey.network?.rawValue
            warnings = survey.warnings
            error = failure.map { .init($0) }
            minimum = report.minimum
            evidence = survey.evidence?.path
            contradiction = survey.evidence.map {
                .init($0, problems: survey.problems, known: survey.names)
            }
            headers = survey.headers.map { .init($0) }
            (result, reason) =
                switch report.outcome.end {
                case .agreed: failure.map { ("none", $0.description) } ?? ("agreed", nil)
                case .contradiction(let block): ("contradiction", "two statements for \(block)")
                case .none(let reason): ("none", reason.words)
                }
        }
    }
}
