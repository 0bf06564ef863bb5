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
            says elsewhere. --deep also recomputes MuHash, coins and amount of each snapshot from its coins, each \
            snapshot from the one before and the patches since, and those of the newest set from the newest snapshot. \
            Exit status: 0 everything is right, 4 something is not, \
            1 this machine cannot read all of it.
            """)

    @Argument(help: "The folder of the tree.")
    var tree: String
    @Option(help: ArgumentHelp("The authority's public key.", valueName: "hex"))
    var key: String?
    @Flag(help: "Recompute every snapshot from its coins too.")
    var deep = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let expected = try key.map { text in
            guard let key = PublicKey(hex: text.lowercased()) else {
                throw CommandFailure(
                    .usage, "«\(text)» is no public key: 66 hex digits, a point of secp256k1")
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
            try printJSON(JSON(report))
        } else {
            say(report)
        }
        if !report.problems.isEmpty { throw ExitCode(ExitStatus.noValidBytes.rawValue) }
    }

    private func say(_ report: TreeVerifier.Report) {
        for problem in report.problems { print("WRONG  \(problem)") }
        for path in report.unsigned { print("unsigned  \(path.printable)") }
        print(
            """
            authority  \(report.authority.name), \(report.authority.network.rawValue)
            key        \(report.authority.key.hex)\(key == nil ? " (as the tree says itself)" : "")
            newest     \(report.newest.map { "\($0)" } ?? "–")
            checked    \(grouped(report.attestations)) attestations, \(grouped(report.patches)) patches, \
            \(grouped(report.snapshots)) snapshots with \(grouped(report.shards)) shards, \(grouped(report.headers)) headers
            """)
        if !report.unsigned.isEmpty {
            print("\(report.unsigned.count) files are no part of the tree and not signed by anybody")
        }
        if let from = report.dataFrom, from > report.authority.first {
            print("data from height \(from) on; what is below is attested, and not here")
        }
        switch report.problems.count {
        case 0: print("everything is right")
        case 1: print("1 thing is wrong")
        case let count: print("\(count) things are wrong")
        }
    }

    private struct JSON: Encodable {
        let authority, network, key: String
        let newest: String?
        let attestations, patches, snapshots, shards, headers: Int
        let dataFrom: Int?
        let problems, unsigned: [String]

        init(_ report: TreeVerifier.Report) {
            authority = report.authority.name.description
            network = report.authority.network.rawValue
            key = report.authority.key.hex
            newest = report.newest?.description
            attestations = report.attestations
            patches = report.patches
            snapshots = report.snapshots
            shards = report.shards
            headers = report.headers
            dataFrom = report.dataFrom
            problems = report.problems
            unsigned = report.unsigned
        }
    }
}
