import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordTransfers

/// What a session means for how a command ends, and what a person is told of it.
extension AgreementSession {
    private var clockWarning: String? {
        // A host that made up a header speaks for itself alone, as long as others lead to the block.
        let header = if case .noHeaders = headers?.end { headers?.ahead } else { nil as Int64? }
        return Clock.warning(report.heard, header: header, now: now)
    }

    /// What to know before the verdict is believed, most important first.
    var warnings: [String] {
        let alone =
            "one authority alone attests this: nobody else says the same, so it is nobody's agreement. Add authorities "
            + "with `concord trust add`, or use a trustnet"
        return [clockWarning ?? Clock.doubt(report.heard, now: now), isAlone ? alone : nil].compactMap(\.self)
    }

    /// What could not be had on the way down to the first difference.
    var problems: [String] { evidenceProblems.map(\.words) }

    /// Throws unless they agree, and the headers that were followed say nothing against it. The table is printed already.
    func end() throws {
        guard let failure else { return }
        // What there is to say of the authorities stands in the table, and of the headers not.
        if agreed == nil { throw ExitCode(failure.status.rawValue) }
        throw failure.printed
    }

    /// Nil if they agree, and the headers that were followed say nothing against it.
    var failure: CommandFailure? {
        guard let failure = failureByItself else { return nil }
        // A contradiction is one whatever the time is.
        guard let clock = clockWarning, failure.status != .dissent else { return failure }
        return CommandFailure(failure.status, "\(clock)\n\(failure.description)")
    }

    /// The same, without what is to be said of this machine's clock.
    var failureByItself: CommandFailure? {
        guard let obstacle else { return nil }
        switch obstacle {
        case .noAgreement(let reason): return CommandFailure(.noAgreement, "no agreement: \(reason.words)")
        case .contradiction(let block):
            return CommandFailure(
                .dissent,
                "authorities contradict each other about block \(block.hash.reversedHex) at height \(block.height). "
                    + "Nothing was installed. The signed files are in \(evidence?.path ?? "")")
        case .rolledBack(let before): return agreed.map { rollback(to: $0, from: before) }
        case .noHeaders, .lessWork, .lowWork:
            return agreed.flatMap { headers?.failure($0, obstacle, depth: policy.depth) }
        }
    }

    private func rollback(to statement: Statement, from before: AttestationLog.Agreed) -> CommandFailure {
        CommandFailure(
            .noAgreement,
            "only height \(statement.height) can be agreed on now, but height \(before.block.height), block "
                + "\(before.block.hash.reversedHex), was agreed on at \(Timestamp.text(before.time)), and no chain with "
                + "more work has left it. What is installed stays. Ask again when more authorities can be reached, or "
                + "take the older set with --height \(statement.height)")
    }
}

extension Agreement.Shortfall {
    var words: String {
        switch self {
        case .tooFewCounted(let count, let all, let minimum):
            "\(count) of \(all) authorities can be counted, at least \(minimum) are needed"
        case .notReached(let height, let highest, let minimum):
            "fewer than \(minimum) authorities have reached height \(height): the highest that enough of them have "
                + "reached is \(highest)"
        case .branchesDiffer(let height, let depth):
            "branches differ for more than \(depth) blocks below height \(height), or too few attestations of one block "
                + "there can be had"
        case .notAllAttest(let height):
            "at height \(height) not all who reach it attest one block, or too few attestations can be had"
        }
    }
}

extension EvidenceSearch.Problem {
    var words: String {
        switch self {
        case .noHeaders:
            "no host has headers that lead down from the block: what came before was not looked at"
        case .notBothSides(let height):
            "not both sides' attestations of height \(height) could be had: what came before was not looked at"
        case .data(let why): why.words
        }
    }
}
