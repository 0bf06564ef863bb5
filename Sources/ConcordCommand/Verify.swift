import ArgumentParser
import Concord
import ConcordConsole
import ConcordFiles
import ConcordTree

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a tree on the disk, offline: every signature and every hash.",
        discussion: """
            Without --key the tree is held to the key that it names itself: compare that one with what the authority \
            says elsewhere. --deep also recomputes what every statement says of the set, from the coins of the snapshot \
            before and the patches since; each delta from its patches; each filter from its shard; and each snapshot from \
            the one before and the deltas since. Exit status: 0 everything is right, 4 something is not, \
            1 this machine cannot read all of it.
            """)

    @Argument(help: "The folder of the tree.")
    var tree: String
    @Option(help: ArgumentHelp("The authority's public key.", valueName: "hex"))
    var key: String?
    @Flag(help: "Recompute what is said of the set after every block, too.")
    var deep = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let expected = try key.map { text in
            guard let key = PublicKey(hex: text.lowercased()) else {
                throw CommandFailure(
                    .usage, "«\(text.printable)» is no public key: 66 hex digits, a point of secp256k1")
            }
            return key
        }
        let progress = ProgressLine(isQuiet: json)
        var verifier: TreeVerifier
        do {
            verifier = try TreeVerifier(tree, key: expected, isDeep: deep) {
                progress.update("checking \($0)")
            }
        } catch let error as FileError where error.isContent {
            throw CommandFailure(.noValidBytes, error.description)
        }
        let report = try verifier.run()
        progress.clear()
        if json {
            try printJSON(JSON(report, Self.end(report)))
        } else {
            try say(report)
        }
        if !report.problems.isEmpty { throw ExitCode(ExitStatus.noValidBytes.rawValue) }
    }

    private func say(_ report: TreeVerifier.Report) throws {
        var lines = report.problems.map { "WRONG  \($0.printable)" }
        lines += report.unsigned.map { "unsigned  \($0.printable)" }
        lines.append(
            """
            authority  \(report.authority.name), \(report.authority.network.rawValue)
            key        \(report.authority.key.hex)\(key?.lowercased() == report.authority.key.hex ? "" : " (as the tree says itself)")
            newest     \(report.newest.map { "\($0)" } ?? "–")
            checked    \(report.attestations) attestations, \(report.muhashes) files of MuHashes, \(report.patches) patches, \
            \(report.deltas) deltas, \(report.snapshots) snapshots with \(report.shards) shards, \(report.headers) headers
            """)
        if !report.unsigned.isEmpty {
            lines.append("\(report.unsigned.count) files are no part of the tree and not signed by anybody")
        }
        if let from = report.dataFrom, from > report.authority.first {
            lines.append("data from height \(from) on; what is below is attested, and not here")
        }
        lines.append(Self.end(report))
        try Output.say(lines.joined(separator: "\n"))
    }

    private static func end(_ report: TreeVerifier.Report) -> String {
        switch report.problems.count {
        case 0: "everything is right"
        case 1: "1 thing is wrong"
        case let count: "\(count) things are wrong"
        }
    }

    private struct JSON: Encodable {
        let authority, network, key: String
        /// Of the newest block.
        let height: Int?
        let block: String?
        let attestations, muhashes, patches, deltas, snapshots, shards, headers: Int
        let dataFrom: Int?
        let problems, unsigned: [String]
        let error: FailureJSON.Description?

        init(_ report: TreeVerifier.Report, _ end: String) {
            error = report.problems.isEmpty ? nil : .init(CommandFailure(.noValidBytes, end))
            authority = report.authority.name.description
            network = report.authority.network.rawValue
            key = report.authority.key.hex
            height = report.newest?.height
            block = report.newest?.hash.reversedHex
            attestations = report.attestations
            muhashes = report.muhashes
            patches = report.patches
            deltas = report.deltas
            snapshots = report.snapshots
            shards = report.shards
            headers = report.headers
            dataFrom = report.dataFrom
            problems = report.problems
            unsigned = report.unsigned
        }
    }
}
