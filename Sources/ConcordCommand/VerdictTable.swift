import Concord
import ConcordConsole
import ConcordClient
import ConcordTransfers
import Foundation

/// What a person is shown of a survey: a row an authority, under them what to do about each that does not agree, and
/// how it ended.
enum VerdictTable {
    static func text(_ survey: AgreementSession) -> String {
        let report = survey.report
        var rows = [["authority", "verdict", "height", "age", "attests", "bytes"]]
        for (i, heard) in report.heard.enumerated() {
            let newest = heard.newest()
            rows.append([
                heard.authority.name.description, report.outcome.verdicts[i].rawValue,
                newest.map { "\($0.statement.height)" } ?? "–",
                newest.map { age(of: $0.attestation.time, at: survey.now) } ?? "–",
                survey.chosen.map { attested(heard, $0) } ?? "–",
                String(heard.bytes + (survey.headers?.authorities[i].bytes ?? 0)),
            ])
        }
        let colours = [Colour.bold] + report.heard.indices.map { colour(of: $0, survey) }
        let warnings = survey.warnings.map { Colour.yellow("warning: \($0)") + "\n\n" }.joined()
        var text = warnings + zip(aligned(rows), colours).map { $1?($0) ?? $0 }.joined(separator: "\n")
        for (i, heard) in report.heard.enumerated() {
            let lines =
                reasons(heard, report.outcome.verdicts[i], survey)
                + (survey.headers?.authorities[i].lines ?? [])
            for line in lines { text += "\n\(heard.authority.name): \(line.printable)" }
        }
        return text + "\n\n" + conclusion(survey)
    }

    /// That of an authority, by its place; nil for none.
    private static func colour(of i: Int, _ survey: AgreementSession) -> Colour? {
        switch survey.report.outcome.verdicts[i] {
        // Nobody agrees with one alone.
        case .agrees: survey.isAlone ? nil : .green
        case .lagging where blocksBehind(survey.report.heard[i], survey) == 1: nil
        case .dissents, .equivocates: .red
        case .lagging, .otherBranch, .unreachable, .stale, .invalid, .withdrawn: .yellow
        }
    }

    /// How far its newest attestation is below the chosen block; nil where that is not known.
    private static func blocksBehind(_ heard: AuthorityObservation, _ survey: AgreementSession) -> Int? {
        survey.chosen.flatMap { chosen in heard.newest().map { chosen.height - $0.statement.height } }
    }

    /// What it says of the block in question: the beginning of its statement's digest, the same for the same statement.
    private static func attested(_ heard: AuthorityObservation, _ block: BlockID) -> String {
        let statements = heard.view.statements[block, default: []].map(\.digest.hex).sorted()
        if statements.isEmpty {
            return heard.view.chain[block.height].flatMap {
                $0 == block ? nil : "block \(shortened($0.hash))"
            }
                ?? "–"
        }
        return statements.map { String($0.prefix(8)) }.joined(separator: " and ")
    }

    private static func conclusion(_ survey: AgreementSession) -> String {
        let verdicts = survey.report.outcome.verdicts
        let network = survey.network.map { " on \($0.rawValue)" } ?? ""
        switch survey.report.outcome.end {
        case .agreed(let statement):
            let count = verdicts.count { $0 == .agrees }
            let fork =
                survey.report.outcome.isForked
                ? "\nabove it their branches differ; they will settle with the next blocks" : ""
            let agreed = "\(survey.isAlone ? "attested" : "agreed") by \(count) of \(verdicts.count)"
            let isGood = survey.failure == nil && !survey.isAlone
            return """
                \((isGood ? Colour.green : .yellow)(agreed)) (at least \(survey.report.minimum) needed)\(fork)
                network \(statement.network.rawValue)
                height  \(statement.height)
                block   \(statement.block.reversedHex)
                coins   \(statement.coins)
                amount  \(Amount.bitcoin(statement.amount)) BTC
                muhash  \(statement.muhash.reversedHex)
                headers \(survey.headers?.conclusion(statement) ?? HeaderSurvey.Report.notFollowed)
                """
        case .contradiction(let block):
            let account =
                survey.evidence.map {
                    EvidenceDescription.account($0, survey.problems, known: survey.names)
                } ?? ""
            return """
                \(Colour.red("CONTRADICTION at height \(block.height)\(network)")): do not use this set.
                \(account)
                The signed files are in \(survey.evidence?.path ?? "")
                """
        case .none(let reason):
            return "\(Colour.yellow("no agreement\(network)")): \(reason.words)"
        }
    }

    /// Why it is not agreement, in words, and what to do.
    ///
    /// - Parameter showsPaths: whether folders of this machine are named: not where everybody reads it.
    static func reasons(
        _ heard: AuthorityObservation, _ verdict: Verdict, _ survey: AgreementSession, showsPaths: Bool = true
    ) -> [String] {
        let problems = heard.problems.map(\.description)
        let urls = heard.authority.urls.map(WebAddress.shown).joined(separator: ", ")
        let name = heard.authority.name
        let leave =
            "«concord audit» with a node of your own tells who is right; until then leave it with «concord trust remove "
            + "\(name)», or ask whoever keeps your trustnet to withdraw its key"
        func said(_ reason: String, next: String) -> [String] {
            ["\(reason) (\(urls)). Next: \(next)"] + problems
        }
        switch verdict {
        case .agrees: return problems
        case .lagging:
            let behind = blocksBehind(heard, survey)
            if behind == 1 {
                return ["one block behind, as it may be for minutes after each block"] + problems
            }
            return said(
                "its newest attestation is " + (behind.map { "\($0) \($0 == 1 ? "block" : "blocks") " } ?? "")
                    + "below the chosen one",
                next: "ask again in a while; if it stays behind, tell whoever runs it")
        case .otherBranch:
            return said(
                "it attests another block at that height",
                next: "ask again after the next blocks, which settle branches")
        case .dissents: return said("it signed another statement for the same block than others", next: leave)
        case .equivocates:
            return said(
                "its key signed two different statements for one block",
                next: "nobody can trust that key any more: leave "
                    + "it with «concord trust remove \(name)», or ask whoever keeps your trustnet to withdraw it"
            )
        case .unreachable:
            let next =
                "that says nothing of the set: ask again later, or add a mirror with «concord trust add \(name) KEY URL»"
            return heard.newest() == nil
                ? said("nothing of it could be had", next: next)
                : said("its attestation of that height could not be had", next: next)
        case .stale:
            return said(
                "its newest attestation"
                    + (heard.newest().map { ", of \(Timestamp.text($0.attestation.time))," } ?? "")
                    + " is too old to count",
                next: "ask whoever runs it, or allow more with --max-age")
        case .invalid where heard.ahead != nil:
            return said(
                "its newest attestation is of a later time than this machine's clock says",
                next: "look at the clock of this machine; if it is right, tell whoever runs the authority")
        case .invalid where heard.foreign != nil:
            return said(
                "it attests another kind of tree than the others of the list"
                    + (showsPaths ? survey.foreign[name].map { ": what it signed is in \($0)" } ?? "" : ""),
                next:
                    "ask whoever runs it; if it is one of your own, `concord trust remove \(name)`, or use another --home for it"
            )
        case .invalid where heard.problems.contains { if case .otherKey = $0.kind { true } else { false } }:
            return said(
                "what its hosts serve is the tree of another key than the one in your list",
                next:
                    "the key in your list may be wrong: compare it with the one that \(name) itself gives you, by a way "
                    + "that does not lead through its web server. If yours is wrong, «concord trust remove \(name)» and add "
                    + "it anew, or tell whoever keeps your trustnet; if it is right, the host serves somebody else's tree"
            )
        case .invalid:
            return said(
                "what its hosts serve is not what its key signed",
                next:
                    "that says nothing of the set: tell whoever runs it, or add a mirror with «concord trust add \(name) KEY URL»"
            )
        case .withdrawn:
            return said(
                "its key was withdrawn at that height or below",
                next: "nothing, if you or whoever keeps your trustnet withdrew it; see «concord trust list»")
        }
    }

    private static func aligned(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
        }
    }

    /// The end of a block hash, where it differs from others.
    private static func shortened(_ block: Digest) -> String { "…" + block.reversedHex.suffix(8) }

    static func age(of time: Int64, at now: Int64) -> String {
        let seconds = now - time
        return switch seconds {
        case ..<0: "from the future"
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}
