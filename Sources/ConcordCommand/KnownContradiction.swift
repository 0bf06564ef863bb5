import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient

/// For commands that answer from the disk: what is known against the set stands above the answer.
struct DespiteOptions: ParsableArguments {
    @Flag(
        name: .customLong("despite-contradiction"),
        help: "Go on although authorities of your list contradict each other, and only warn of it.")
    var isAllowed = false

    /// Ends the command where a contradiction is known, or warns of it.
    func pass(_ contradiction: Home.Contradiction?) throws {
        guard let contradiction else { return }
        guard isAllowed else {
            throw CommandFailure(
                .dissent, "\(contradiction.text). To go on all the same: --despite-contradiction")
        }
        ProgressLine().say("warning: \(contradiction.text)")
    }
}

extension Home.Contradiction {
    var text: String {
        "authorities in your list contradict each other about block \(block.hash.reversedHex) at height "
            + "\(block.height), as was seen before: do not use this set. "
            + (evidence.map { "The signed files are in \($0). " } ?? "")
            + "See `concord check`; it counts until a party to it is left, by `concord trust remove` or `concord trust retire`, "
            + "or by whoever keeps your trustnet"
    }

    /// What --json prints.
    struct JSON: Encodable {
        let height: Int
        let block: String
        let evidence: String?

        init(_ contradiction: Home.Contradiction) {
            height = contradiction.block.height
            block = contradiction.block.hash.reversedHex
            evidence = contradiction.evidence
        }
    }
}
