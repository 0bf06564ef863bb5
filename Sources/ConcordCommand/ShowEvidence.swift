import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordFiles

struct ShowEvidence: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Check a folder with evidence, and say what it proves.",
        discussion: """
            «check» and «fetch» leave such a folder where authorities contradict each other, or a trustnet itself. Anybody \
            can check it, without asking anyone: the signatures, what differs between the statements, and, where the \
            folder has the data, the first coin that differs. Keys are called by the names that your list has for them; \
            any other name is a claim: compare the key with what the authority says elsewhere. Exit status: 0 it proves a contradiction, 4 it does not.
            """)

    @Argument(help: ArgumentHelp("The folder.", valueName: "folder"))
    var path: String
    @OptionGroup var home: HomeOptions
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard try Folder.isFolder(path) else {
            throw CommandFailure(.localFailure, "\(path.printable): is not there, or no folder")
        }
        let folder = Folder(reading: path)
        do {
            if try Folder.names(in: path).contains(where: { $0.hasSuffix(".json") }) {
                try show(try TrustnetEvidence(reading: folder))
            } else {
                try show(try Evidence(reading: folder))
            }
        } catch let error as FileError where !error.isOfMachine {
            throw CommandFailure(.noValidBytes, "this proves nothing: \(error)")
        }
    }

    private func show(_ evidence: Evidence) throws {
        // The names of one's own list, if there is one that can be read.
        let members = (try? home.openForReading().knownMembers()) ?? []
        let known = Dictionary(
            members.map { ($0.authority.key, $0.authority.name) }, uniquingKeysWith: { first, _ in first })
        if json { return try printJSON(EvidenceDescription.JSON(evidence, known: known)) }
        let keys = evidence.sides.map { Set($0.signed.map(\.attestation.attestation.key)) }
        let both = keys.indices.dropFirst().reduce(into: Set<PublicKey>()) { both, i in
            both.formUnion(keys[..<i].reduce(into: Set()) { $0.formUnion($1) }.intersection(keys[i]))
        }
        let lines =
            [
                EvidenceDescription.account(evidence, known: known),
                "\nall signatures are right: these keys signed statements of one block that contradict each other",
            ] + both.map(\.hex).sorted().map { "and \($0) signed two of them: it equivocates" }
        try Output.say(lines.joined(separator: "\n"))
    }

    private func show(_ evidence: TrustnetEvidence) throws {
        struct JSON: Encodable {
            let trustnet, key, network: String
            let version: Int
        }
        if json {
            return try printJSON(
                JSON(
                    trustnet: evidence.name.description, key: evidence.key.hex,
                    network: evidence.network.rawValue, version: evidence.version))
        }
        try Output.say(
            "all signatures are right: the key \(evidence.key.hex) signed two documents of a trustnet that calls itself "
                + "\"\(evidence.name)\", both version \(evidence.version)")
    }
}
