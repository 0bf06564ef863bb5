import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordFiles

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

extension Home {
    /// Two statements of one block, signed by authorities that are in the list.
    struct Contradiction {
        let block: BlockID
        /// The folder with the signed files, if it is there.
        let evidence: String?

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

            init(_ contradiction: Contradiction) {
                height = contradiction.block.height
                block = contradiction.block.hash.reversedHex
                evidence = contradiction.evidence
            }
        }
    }

    /// The one that `check` would end with, from what was seen before, without asking anybody; nil if none is known.
    func contradiction(on network: Network) throws -> Contradiction? {
        guard let memory = try AttestationLog(reading: folder) else { return nil }
        guard let block = try memory.contradiction(among: try knownMembers(), on: network) else { return nil }
        let evidence = EvidenceSearch.folder(of: block)
        return Contradiction(
            block: block, evidence: try Folder.isFolder(folder.path(evidence)) ? folder.path(evidence) : nil)
    }
}
