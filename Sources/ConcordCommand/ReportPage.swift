import Concord
import ConcordConsole
import ConcordClient
import ConcordPages
import ConcordTransfers

/// What the template of the page is given (site-template/report.html). Texts are for people; whatever somebody else had a
/// hand in has gone through `PageTemplate.harmless`, and what is named `link` is a URL of http or https, or one within the
/// page's folder.
struct ReportPage {
    struct Agreed {
        let height, block, coins, amount, muhash, headers: String
    }

    struct Contradicted {
        let height, block: String
    }

    struct Evidence {
        let account: String
        let files: [File]
    }

    struct File {
        let name, fileLink: String
    }

    struct Row {
        let name, key, keyBegin, keyEnd, verdict: String
        /// Of a CSS class: that of the mark which says the same.
        let verdictKind: String
        let newest, newestLink, signatureLink, age, time, lag: String?
        let software, note: String?
        let bytes: String
        let reasons: [String]
        let places: [Place]
    }

    struct Place {
        let url: String
        let placeLink: String?
    }

    let generator: String
    /// `2026-11-22 11:00 UTC`, and as in attestations.
    let made, madeAt: String
    let network: String?
    /// `agreed`, `none` or `contradiction`, and the mark that goes with it.
    let kind, icon: String
    let verdict, sentence: String
    let remarks: [String]
    let agreed: Agreed?
    let contradicted: Contradicted?
    let evidence: Evidence?
    let authorities: [Row]
    let matrix: ReportMatrix?
    /// For a shell.
    let commands: [String]

    init(_ facts: ReportFacts, evidence files: [String]) {
        let report = facts.survey.report
        generator = Software.name
        madeAt = Timestamp.text(facts.survey.now)
        made = Self.readable(facts.survey.now)
        network = facts.network?.rawValue
        (kind, verdict, sentence) = Self.verdict(facts)
        icon = ["agreed": "agrees", "contradiction": "differs"][kind] ?? "invalid"
        remarks = Self.remarks(facts)
        agreed = facts.agreed.map { statement in
            Agreed(
                height: String(statement.height), block: statement.block.reversedHex,
                coins: String(statement.coins), amount: "\(Amount.bitcoin(statement.amount)) BTC",
                muhash: statement.muhash.reversedHex,
                headers: facts.survey.headers?.conclusion(statement)
                    ?? "not followed: who mined the block was not looked at")
        }
        contradicted = facts.contradiction.map {
            Contradicted(height: String($0.height), block: $0.hash.reversedHex)
        }
        evidence = facts.evidence.map { _ in
            Evidence(
                account: PageTemplate.harmless(
                    facts.survey.evidence.map {
                        EvidenceDescription.account(
                            $0, facts.survey.problems, known: facts.survey.names)
                    }
                        ?? "",
                    keepsLines: true),
                files: files.map { path in
                    File(
                        name: PageTemplate.harmless(path.split(separator: "/").last.map(String.init) ?? path),
                        fileLink: path)
                })
        }
        authorities = report.heard.indices.map { Self.row(facts, $0) }
        matrix = facts.matrix.map { ReportMatrix($0, facts) }
        commands =
            report.heard.filter { $0.view.withdrawn == nil }.map { Self.command($0.authority) }
            + ["concord check"]
    }

    private static func verdict(_ facts: ReportFacts) -> (kind: String, verdict: String, sentence: String) {
        let report = facts.survey.report
        let verdicts = report.outcome.verdicts
        if let block = facts.contradiction {
            let names = report.heard.indices.filter { facts.differs($0, at: block) }
                .map { report.heard[$0].authority.name.description }
            return (
                "contradiction", "Contradiction",
                "Authorities signed different statements about the same block at height \(block.height)"
                    + (names.isEmpty ? "" : "; \(list(names)) \(names.count == 1 ? "differs" : "differ")")
                    + ". Do not use this set before that is explained."
            )
        }
        if let failure = facts.survey.failureByItself, facts.survey.agreed != nil {
            let words = failure.description.split(whereSeparator: \.isNewline).joined(separator: " ")
            return ("none", "No agreement", PageTemplate.harmless(capitalized(words)))
        }
        switch report.outcome.end {
        case .agreed(let statement):
            return (
                "agreed", "Agreed",
                "\(verdicts.count { $0 == .agrees }) of \(verdicts.count) authorities attest one and the same set at "
                    + "height \(statement.height); at least \(report.minimum) must."
            )
        case .none(let reason):
            return ("none", "No agreement", PageTemplate.harmless(capitalized(reason.words) + "."))
        case .contradiction: return ("contradiction", "Contradiction", "")
        }
    }

    private static func remarks(_ facts: ReportFacts) -> [String] {
        if facts.contradiction != nil {
            return facts.survey.agreed.map {
                ["On the set at height \($0.height), above that, enough of them agree."]
            } ?? []
        }
        return facts.survey.warnings.map { PageTemplate.harmless(capitalized($0) + ".") }
            + (facts.survey.report.outcome.isForked
                ? ["Above that block their branches differ for now."] : [])
    }

    private static func row(_ facts: ReportFacts, _ i: Int) -> Row {
        let heard = facts.survey.report.heard[i]
        let verdict = facts.survey.report.outcome.verdicts[i]
        let newest = heard.newest()
        let key = heard.authority.key.hex
        let link = newest.flatMap { facts.link(i, attestationOf: $0.statement.blockID) }
        let center = ReportFacts.center(facts.survey)?.block.height
        var reasons = VerdictTable.reasons(heard, verdict, facts.survey, showsPaths: false)
        if facts.survey.agreed != nil, let block = facts.contradiction, facts.differs(i, at: block) {
            reasons.append("it signed another statement than others at height \(block.height)")
        }
        for fault in facts.matrix?.faults[i] ?? [] where !reasons.contains(fault.fault.description) {
            reasons.append(fault.fault.description)
        }
        return Row(
            name: heard.authority.name.description, key: key, keyBegin: String(key.prefix(8)),
            keyEnd: String(key.suffix(8)), verdict: verdict.rawValue,
            verdictKind: ReportMatrix.kind(verdict), newest: newest.map { String($0.statement.height) },
            newestLink: link, signatureLink: link.map(TreePath.signature),
            age: newest.map { VerdictTable.age(of: $0.attestation.time, at: facts.survey.now) },
            time: newest.map { readable($0.attestation.time) },
            lag: newest.flatMap { newest in
                center.map { String(max(0, $0 - newest.statement.height)) }
            }, software: newest.map { PageTemplate.harmless($0.attestation.software) },
            note: newest?.attestation.note.map { PageTemplate.harmless($0) }, bytes: String(heard.bytes),
            reasons: reasons.map { PageTemplate.harmless($0) },
            places: heard.authority.urls.map { url in
                Place(
                    url: PageTemplate.harmless(WebAddress.shown(url)),
                    placeLink: ReportFacts.isPublic(url) ? try? WebAddress(url + "/").url : nil)
            })
    }

    /// For those who read the page, so without URLs that only this machine knows.
    private static func command(_ authority: Authority) -> String {
        let urls = authority.urls.filter(ReportFacts.isPublic).compactMap { try? WebAddress($0).url }
        let words = urls.map { url in
            "'" + url.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        return
            (["concord trust add \(authority.name) \(authority.key.hex)"]
            + (words.isEmpty ? ["URL"] : words)).joined(separator: " ")
    }

    private static func readable(_ time: Int64) -> String {
        let text = Timestamp.text(time)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }

    private static func capitalized(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }

    private static func list(_ names: [String]) -> String {
        names.count < 2
            ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names.suffix(1).joined()
    }
}
