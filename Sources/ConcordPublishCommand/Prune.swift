import ArgumentParser
import Concord
import ConcordChain
import ConcordConsole
import ConcordFiles
import ConcordPublish
import ConcordTree

struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove the data of old epochs from a tree.",
        discussion: """
            Snapshots, MuHashes, patches and deltas of all but the newest epochs go. Attestations and headers stay, so that \
            everything that was ever said can still be compared. «run --keep» does the same whenever an epoch has begun; \
            while a run with --follow is at work, only that can. The tree's page is made again, to list what is left.
            """)

    @Option(help: ArgumentHelp("The tree.", valueName: "dir"))
    var tree: String
    @Option(help: ArgumentHelp("Keep the data of so many epochs, the open one among them.", valueName: "n"))
    var keep: Int
    @Option(
        help: ArgumentHelp(
            "A folder with an index.html to make the tree's page from, as given to «run».", valueName: "dir"))
    var template: String?
    @Flag(help: "Print JSON.")
    var json = false

    static let usage =
        "--keep is \(TreePruning.least) or more: the open epoch's snapshot, and the one before, which a "
        + "reorganisation may need."

    func validate() throws {
        guard TreePruning(keep: keep) != nil else { throw ValidationError(Self.usage) }
    }

    func run() throws {
        guard let pruning = TreePruning(keep: keep) else { return }
        let root = ChainOptions.withoutSlash(tree)
        guard try Folder.isFolder(root) else { throw CommandFailure(.localFailure, "\(root): is no tree") }
        let lock = try FolderLock(withoutFile: root)
        let newest = try Tree(root).latest()
        let authority = try Tree(root).authority()
        let folder = try Folder(root)
        let report = try pruning.run(folder, newest: newest, authority.parameters)
        // A copy of somebody else's tree has no page, and gets none.
        if try folder.contains("index.html") {
            let page = TreePage(
                of: folder, authority: authority, template: template.map(ChainOptions.withoutSlash))
            PageWriter(page, ProgressLine(isQuiet: json)).write()
            try folder.removeTemporaries()
        }
        lock.release()
        if json {
            try printJSON(
                JSON(
                    tree: root, network: authority.network.rawValue, dataFrom: report.from,
                    removedSnapshots: report.snapshots, removedEpochs: report.epochs))
        } else {
            try Output.say(Self.words(report))
        }
    }

    static func words(_ report: TreePruning.Report) -> String {
        report.snapshots + report.epochs == 0
            ? "nothing is older than height \(report.from)"
            : "removed \(report.snapshots) snapshots, and the MuHashes, patches and deltas of \(report.epochs) epochs; the data begins at height "
                + "\(report.from)"
    }

    private struct JSON: Encodable {
        let tree, network: String
        let dataFrom, removedSnapshots, removedEpochs: Int
    }
}
