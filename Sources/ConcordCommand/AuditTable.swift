import Concord
import ConcordAudit
import ConcordChain
import ConcordConsole
import ConcordClient
import ConcordTree

/// What a person and a script are shown of an audit.
struct AuditTable {
    let audits: [AuthorityAudit]
    let heights: ClosedRange<Int>
    let network: Network
    let chain: any ChainSource

    var status: ExitStatus {
        if audits.contains(where: { $0.dissenting.count > 0 }) { return .dissent }
        if audits.contains(where: { $0.compared > 0 }) { return .done }
        return audits.contains { $0.invalid.count > 0 } ? .noValidBytes : .noAgreement
    }

    var text: String {
        (audits.map(paragraph) + [end]).joined(separator: "\n\n")
    }

    private var end: String {
        let compared =
            "heights \(heights.lowerBound) to \(heights.upperBound) of \(network.rawValue), \(chain.name.printable)"
        return switch status {
        case .done: "all that was compared agrees: \(compared)"
        case .dissent: "YOUR NODE'S DATA AND ATTESTATIONS DIFFER: \(compared)"
        default: "nothing could be compared: \(compared)"
        }
    }

    private func paragraph(_ audit: AuthorityAudit) -> String {
        var lines = ["\(audit.authority.name): \(Self.verdict(audit))"]
        if audit.agreeing.count > 0 { lines.append("agrees at \(Self.words(audit.agreeing))") }
        for dissent in audit.dissents {
            lines.append(Self.title(dissent))
            for field in dissent.fields {
                lines += ["  \(field.name)", "    own       \(field.own)", "    attested  \(field.attested)"]
            }
            if dissent.block.height == audit.dissenting.lowest {
                lines += audit.causes.flatMap { words($0, audit) }
            }
        }
        let shown = audit.dissents.reduce(0) { $0 + $1.last - $1.block.height + 1 }
        if shown < audit.dissenting.count {
            lines.append("differs at \(audit.dissenting.count - shown) more heights")
        }
        if audit.absent.count > 0 {
            lines.append("attests nothing at \(Self.words(audit.absent))\(absence(audit))")
        }
        if audit.unreachable.count > 0 {
            lines.append("could not be asked about \(Self.words(audit.unreachable))")
        }
        if audit.invalid.count > 0 {
            lines.append("its hosts have nothing that verifies at \(Self.words(audit.invalid))")
        }
        if audit.withdrawn.count > 0 {
            lines.append("its key was withdrawn before \(Self.words(audit.withdrawn))")
        }
        return (lines + audit.problems.map(\.words.printable)).joined(separator: "\n  ")
    }

    private static func title(_ dissent: Dissent) -> String {
        let first = "differs at height \(dissent.block.height), block \(dissent.block.hash.reversedHex)"
        return dissent.last == dissent.block.height
            ? "\(first):" : "\(first), and in the same fields up to height \(dissent.last):"
    }

    private static func words(_ tally: HeightTally) -> String {
        guard let lowest = tally.lowest, let highest = tally.highest else { return "no height" }
        return tally.count == 1
            ? "height \(lowest)" : "\(tally.count) heights, \(lowest) to \(highest)"
    }

    private static func verdict(_ audit: AuthorityAudit) -> String {
        if audit.dissenting.count > 0 { return Verdict.dissents.rawValue }
        if audit.agreeing.count > 0 { return Verdict.agrees.rawValue }
        if case .onOtherBranch = audit.standing { return Verdict.otherBranch.rawValue }
        if audit.invalid.count > 0 { return Verdict.invalid.rawValue }
        if audit.withdrawn.count > 0, audit.absent.count + audit.unreachable.count == 0 {
            return Verdict.withdrawn.rawValue
        }
        if audit.absent.count == 0 { return Verdict.unreachable.rawValue }
        if case .onOwnChain(let newest) = audit.standing, newest.height < audit.absent.lowest ?? 0 {
            return Verdict.lagging.rawValue
        }
        return "absent"
    }

    /// Why there is nothing, where that can be told.
    private func absence(_ audit: AuthorityAudit) -> String {
        switch audit.standing {
        case .onOtherBranch(let newest):
            return ": its newest attestation, of height \(newest.height), is of another branch, block "
                + newest.block.reversedHex
        case .onOwnChain(let newest) where newest.height < audit.absent.lowest ?? 0:
            return ": its newest attestation is of height \(newest.height)"
        case .onOwnChain, .ahead:
            let first = [audit.agreeing.lowest, audit.dissenting.lowest].compactMap(\.self).min()
            return audit.absent.highest ?? 0 < first ?? .max ? ": its tree begins later" : ""
        case .unknown: return ""
        }
    }

    // MARK: causes

    private func words(_ cause: DivergenceSearch.Cause, _ audit: AuthorityAudit) -> [String] {
        cause.words(.init(own: "own", other: "attested"), on: network, epochStart: epochStart(audit)).map {
            "  " + $0
        }
    }

    /// The first height of the epoch of what differs first.
    private func epochStart(_ audit: AuthorityAudit) -> Int {
        let parameters = audits.lazy.compactMap { Self.newest($0)?.parameters }.first
        return parameters?.epochStart(of: audit.dissenting.lowest ?? 0) ?? 0
    }

    private static func newest(_ audit: AuthorityAudit) -> Statement? {
        switch audit.standing {
        case .unknown: nil
        case .onOwnChain(let newest), .onOtherBranch(let newest), .ahead(let newest): newest
        }
    }
}

extension AuditTable {
    /// What --json prints.
    struct JSON: Encodable {
        struct Heights: Encodable {
            let count: Int
            let lowest, highest: Int?

            init(_ tally: HeightTally) {
                (count, lowest, highest) = (tally.count, tally.lowest, tally.highest)
            }
        }
        struct Field: Encodable {
            let name, own, attested: String
        }
        struct Difference: Encodable {
            let height, last: Int
            let block: String
            let fields: [Field]
        }
        struct Row: Encodable {
            let name, key, verdict: String
            let newestHeight: Int?
            let newestBlock: String?
            let agreeing, dissenting, absent, unreachable, invalid, withdrawn: Heights
            let differences: [Difference]
            let causes: [DivergenceSearch.Cause.JSON]
            let problems: [String]
        }

        let result, network, source: String
        let from, to, tip: Int
        let authorities: [Row]
        let error: FailureJSON.Description?
    }

    var json: JSON {
        let result =
            switch status {
            case .done: "agrees"
            case .dissent: "dissents"
            default: "none"
            }
        return JSON(
            result: result, network: network.rawValue, source: chain.name, from: heights.lowerBound,
            to: heights.upperBound, tip: chain.tip, authorities: audits.map(row),
            error: status == .done ? nil : .init(CommandFailure(status, end)))
    }

    private func row(_ audit: AuthorityAudit) -> JSON.Row {
        let newest = Self.newest(audit)
        return JSON.Row(
            name: audit.authority.name.description, key: audit.authority.key.hex,
            verdict: Self.verdict(audit),
            newestHeight: newest?.height, newestBlock: newest?.block.reversedHex,
            agreeing: .init(audit.agreeing), dissenting: .init(audit.dissenting), absent: .init(audit.absent),
            unreachable: .init(audit.unreachable), invalid: .init(audit.invalid),
            withdrawn: .init(audit.withdrawn),
            differences: audit.dissents.map { dissent in
                JSON.Difference(
                    height: dissent.block.height, last: dissent.last, block: dissent.block.hash.reversedHex,
                    fields: dissent.fields.map {
                        JSON.Field(name: $0.name, own: $0.own, attested: $0.attested)
                    })
            }, causes: audit.causes.map { $0.json(words($0, audit)) }, problems: audit.problems.map(\.words))
    }
}
