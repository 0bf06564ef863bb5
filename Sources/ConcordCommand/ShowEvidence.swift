import ArgumentParser
import Concord
import ConcordConsole
import ConcordFetch
import ConcordFiles

struct ShowEvidence: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Check a folder with evidence, and say what it proves.",
        discussion: """
            «check» and «fetch» leave such a folder where authorities contradict each other, or a trustnet itself. Anybody \
            can check it, without asking anyone: the signatures, what differs between the statements, and, where the \
            folder has the data, the first coin that differs. What it cannot say is whose the keys are: compare them with \
            what the authorities say elsewhere. Exit status: 0 it proves a contradiction, 4 it does not.
            """)

    @Argument(help: ArgumentHelp("The folder.", valueName: "folder"))
    var path: String
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
        } catch let error as FileError {
            throw CommandFailure(.noValidBytes, "this proves nothing: \(error)")
        }
    }

    private func show(_ evidence: Evidence) throws {
        if json { return try printJSON(EvidenceWords.JSON(evidence)) }
        let keys = evidence.sides.map { Set($0.signed.map(\.attestation.attestation.key)) }
        let both = keys.indices.dropFirst().reduce(into: Set<PublicKey>()) { both, i in
            both.formUnion(keys[..<i].reduce(into: Set()) { $0.formUnion($1) }.intersection(keys[i]))
        }
        print(EvidenceWords.account(evidence))
        print(
            "\nall signatures are right: these keys signed statements of one block that contradict each other"
        )
        for key in both.map(\.hex).sorted() { print("and \(key) signed two of them: it equivocates") }
    }

    private func show(_ evidence: TrustnetEvidence) throws {
        struct JSON: Encodable {
            let trustnet, key: String
            let version: Int
        }
        if json {
            return try printJSON(
                JSON(
                    trustnet: evidence.name.description, key: evidence.key.hex, version: evidence.version))
        }
        print(
            "all signatures are right: the key \(evidence.key.hex) signed two documents of the trustnet "
                + "«\(evidence.name)», both version \(evidence.version)")
    }
}
