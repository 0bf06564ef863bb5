import Concord
import ConcordConsole
import ConcordFetch
import Foundation

/// What a person and a script are shown of a survey.
enum VerdictTable {
    static func text(_ survey: Surveyed) -> String {
        let report = survey.report
        var rows = [["authority", "verdict", "height", "block", "age", "bytes"]]
        for (heard, verdict) in zip(report.heard, report.outcome.verdicts) {
            let newest = heard.newest()
            rows.append([
                heard.authority.name.description, verdict.rawValue,
                newest.map { "\($0.statement.height)" } ?? "–",
                newest.map { shortened($0.statement.block) } ?? "–",
                newest.map { age(of: $0.attestation.time, at: survey.now) } ?? "–", grouped(heard.bytes),
            ])
        }
        var text = aligned(rows)
        for (heard, verdict) in zip(report.heard, report.outcome.verdicts) {
            for reason in reasons(heard, verdict, survey) { text += "\n\(heard.authority.name): \(reason)" }
        }
        for (heard, followed) in zip(report.heard, survey.headers?.authorities ?? []) {
            for line in followed.lines { text += "\n\(heard.authority.name): \(line)" }
        }
        return text + "\n\n" + conclusion(survey)
    }

    private static func conclusion(_ survey: Surveyed) -> String {
        let verdicts = survey.report.outcome.verdicts
        switch survey.report.outcome.end {
        case .agreed(let statement):
            let count = verdicts.count { $0 == .agrees }
            let fork =
                survey.report.outcome.isForked
                ? "\nabove it their branches differ; they will settle with the next blocks" : ""
            return """
                agreed by \(count) of \(verdicts.count) (at least \(survey.report.minimum) needed)\(fork)
                height  \(statement.height)
                block   \(statement.block.reversedHex)
                coins   \(grouped(statement.coins))
                amount  \(grouped(statement.amount)) satoshi
                muhash  \(statement.muhash.reversedHex)
                headers \(survey.headers?.conclusion(statement) ?? HeaderSurvey.Report.notFollowed)
                """
        case .contradiction(let block):
            let account = survey.evidence?.account ?? ""
            return """
                CONTRADICTION at height \(block.height): do not use this set.
                \(account)
                The signed files are in \(survey.evidence?.path ?? "")
                """
        case .none(let reason):
            return "no agreement: \(reason)"
        }
    }

    /// Why it is not agreement, in words.
    private static func reasons(_ heard: Survey.Heard, _ verdict: Verdict, _ survey: Surveyed) -> [String] {
        let problems = heard.problems.map(\.text)
        let newest = heard.newest()?.statement
        switch verdict {
        case .agrees: return problems
        case .lagging:
            let behind = survey.agreed.flatMap { agreed in newest.map { agreed.height - $0.height } }
            return [
                "its newest attestation is " + (behind.map { "\($0) blocks" } ?? "") + " below the chosen one"
            ] + problems
        case .otherBranch: return ["it attests another block at that height"] + problems
        case .dissents: return ["it signed another statement for the same block than others"] + problems
        case .equivocates: return ["its key signed two different statements for one block"] + problems
        case .unreachable:
            return problems.isEmpty ? ["its attestation of that height could not be had"] : problems
        case .stale: return ["its newest attestation is too old to count"] + problems
        case .invalid: return problems
        case .withdrawn: return ["its key was withdrawn at that height or below"] + problems
        }
    }

    private static func aligned(_ rows: [[String]]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
        }.joined(separator: "\n")
    }

    /// The end of a block hash, where it differs from others.
    private static func shortened(_ block: Digest) -> String { "…" + block.reversedHex.suffix(12) }

    private static func age(of time: Int64, at now: Int64) -> String {
        let seconds = now - time
        return switch seconds {
        case ..<0: "from the future"
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// What --json prints.
    struct JSON: Encodable {
        struct Row: Encodable {
            let name, key, verdict: String
            let height: Int?
            let block, time: String?
            let bytes: Int
            let problems: [String]
            let headers: HeaderSurvey.Report.JSON.Row?
        }

        let result: String
        let reason: String?
        let height: Int?
        let block, muhash, history: String?
        let coins, amount: UInt64?
        let minimum: Int
        let authorities: [Row]
        let evidence: String?
        let headers: HeaderSurvey.Report.JSON?

        init(_ survey: Surveyed) {
            let report = survey.report
            let followed = survey.headers?.authorities
            authorities = report.heard.indices.map { i in
                let (heard, verdict) = (report.heard[i], report.outcome.verdicts[i])
                let newest = heard.newest()
                return Row(
                    name: heard.authority.name.description, key: heard.authority.key.hex,
                    verdict: verdict.rawValue,
                    height: newest?.statement.height, block: newest?.statement.block.reversedHex,
                    time: newest.map { Timestamp.text($0.attestation.time) }, bytes: heard.bytes,
                    problems: heard.problems.map(\.text), headers: followed.map { .init($0[i]) })
            }
            let failure = survey.failure
            let statement = failure == nil ? survey.agreed : nil
            height = statement?.height
            block = statement?.block.reversedHex
            muhash = statement?.muhash.reversedHex
            history = statement?.history.hex
            coins = statement?.coins
            amount = statement?.amount
            minimum = report.minimum
            evidence = survey.evidence?.path
            headers = survey.headers.map { .init($0) }
            (result, reason) =
                switch report.outcome.end {
                case .agreed: failure.map { ("none", $0.description) } ?? ("agreed", nil)
                case .contradiction(let block): ("contradiction", "two statements for \(block)")
                case .none(let reason): ("none", reason)
                }
        }
    }
}
