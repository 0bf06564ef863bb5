import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordFiles
import ConcordTransfers
import ConcordTree

struct Mirror: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep a copy of an authority's tree, checked and ready to be served.",
        discussion: """
            Anybody can add bandwidth without being trusted: what clients take they check. So does this command, before a \
            file gets its name. Run it again, from cron for instance, and it fetches what is new. Pages, which nobody \
            signs, are left out. Exit status: 0 the copy is as new as the tree, 4 the host has not what its authority \
            signed, or is behind the copy.
            """)

    @Argument(help: "The URL of the tree.")
    var url: String
    @Argument(help: ArgumentHelp("The folder of the copy.", valueName: "dir"))
    var folder: String
    @Option(
        help: ArgumentHelp(
            "The authority's public key. (default: as in your list, if the URL is there; else the one that the tree "
                + "names)", valueName: "hex"))
    var key: String?
    @Option(
        help: ArgumentHelp(
            "Only the data of the newest n epochs, 2 or more; older data in the folder is removed. (default: all that "
                + "the host has, and older data that is here as far as it reaches up to it)", valueName: "n"))
    var snapshots: Int?
    @Flag(help: "No data: attestations and headers; data in the folder is removed.")
    var attestationsOnly = false
    @OptionGroup var home: HomeOptions
    @OptionGroup var hosts: HostOptions
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard snapshots.map({ TreePruning(keep: $0) != nil }) ?? true else {
            throw ValidationError("--snapshots is \(TreePruning.least) or more.")
        }
        guard snapshots == nil || !attestationsOnly else {
            throw ValidationError("--snapshots and --attestations-only exclude each other.")
        }
        guard key.map({ PublicKey(hex: $0.lowercased()) != nil }) ?? true else {
            throw ValidationError("--key is 66 hex digits, a point of secp256k1.")
        }
    }

    func run() throws {
        let progress = ProgressLine(isQuiet: json)
        let address: String
        do { address = try TrustList.normal(url) } catch let refusal as TrustList.Refusal {
            throw CommandFailure(.usage, refusal.description)
        }
        let expected = try key.flatMap { PublicKey(hex: $0.lowercased()) } ?? keyInList(of: address)
        try checkIsMirror()
        let lock = try FolderLock(withoutFile: folder)
        let target = Folder(reading: folder)
        let extent: TreeMirror.Extent =
            attestationsOnly
            ? .attestations : snapshots.flatMap(TreePruning.init(keep:)).map { .epochs($0) } ?? .everything
        let mirror = TreeMirror(
            address, key: expected, reader: hosts.reader(), into: target, now: try Clock.now())
        let report: TreeMirror.Report
        do {
            report = try mirror.run(extent) { height, all, bytes in
                progress.update("mirrored height \(height) of \(all), \(bytes) bytes")
            }
        } catch let refusal as TreeMirror.Refusal {
            throw CommandFailure(.noValidBytes, refusal.description)
        }
        lock.release()
        progress.clear()
        if expected == nil {
            progress.say(
                "note: held to the key that the tree names itself, \(report.authority.key.hex): compare it with what "
                    + "\(report.authority.name) says elsewhere")
        }
        if json { try printJSON(JSON(report)) } else { try Output.say(Self.words(report, folder)) }
    }

    /// A folder with something else in it is not filled up.
    private func checkIsMirror() throws {
        let names = try Folder.names(in: folder).filter {
            !$0.hasPrefix(".") && !Furniture.isFolder($0)
        }
        guard names.isEmpty || names.contains(TreePath.authority) else {
            throw CommandFailure(
                .localFailure,
                "\(folder): is no mirror (no \(TreePath.authority)), and holds \(names[0].printable): give an empty folder, or a new one"
            )
        }
    }

    /// The key that one's own list, or a trustnet, has for the URL.
    private func keyInList(of url: String) throws -> PublicKey? {
        let opened = try home.openForReading()
        let list = try opened.trustList()
        let held = try opened.trustnets(of: list).compactMap(\.held?.trustnet)
        let authorities = list.authorities + held.flatMap(\.members).map(\.authority)
        return authorities.first { $0.urls.contains(url) }?.key
    }

    private static func words(_ report: TreeMirror.Report, _ folder: String) -> String {
        var text =
            "\(folder): the tree of \(report.authority.name), \(report.authority.network.rawValue), height \(report.newest.height); "
            + (report.attestations + report.files == 0
                ? "nothing new"
                : "\(report.attestations) new attestations, \(report.files) new files of data, "
                    + "\(report.bytes) bytes in all")
        text += report.dataFrom.map { "; data from height \($0) on" } ?? "; no data"
        if report.removedSnapshots + report.removedEpochs > 0 {
            text +=
                "\nremoved \(report.removedSnapshots) snapshots, and the MuHashes, patches and deltas of \(report.removedEpochs) epochs"
        }
        return text
    }

    private struct JSON: Encodable {
        let name, network, key: String
        let height: Int
        let block: String
        let attestations, files, bytes: Int
        let dataFrom: Int?
        let removedSnapshots, removedEpochs: Int

        init(_ report: TreeMirror.Report) {
            name = report.authority.name.description
            network = report.authority.network.rawValue
            key = report.authority.key.hex
            height = report.newest.height
            block = report.newest.hash.reversedHex
            attestations = report.attestations
            files = report.files
            bytes = report.bytes
            dataFrom = report.dataFrom
            removedSnapshots = report.removedSnapshots
            removedEpochs = report.removedEpochs
        }
    }
}
