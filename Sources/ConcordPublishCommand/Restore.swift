import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordFiles
import ConcordPublish
import ConcordTransfers
import ConcordTree
import Foundation

/// After a lost disk: tree, journal and state from one's own hosts.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring a lost tree, its journal and its state back from the tree's own hosts.",
        discussion: """
            For a publisher that has lost its disk, but not its key. Everything is checked before it is taken, and the \
            attestations of each host's chain, of a file:// host all, are noted in the journal, so that the key never \
            signs anything else for those blocks: give all hosts. The next run goes on from there. A restore that is \
            killed is continued by the next. Exit status: 2 the key has signed two statements of one block, 4 a host has \
            not what the key signed.
            """)

    @Option(
        help: ArgumentHelp(
            "The PEM file with the signing key; - reads it from standard input.", valueName: "file"))
    var key: String
    @OptionGroup var keys: KeyOptions
    @Option(help: ArgumentHelp("The tree to write: an empty folder, or a new one.", valueName: "dir"))
    var tree: String
    @Option(
        help: ArgumentHelp("The publisher's own folder to write. (default: TREE.state)", valueName: "dir"))
    var state: String?
    @Flag(help: "Print the result as JSON, and nothing else.")
    var json = false
    @Argument(help: "Where hosts serve the tree, http, https or file; all of them.")
    var url: [String]

    /// A host, and its attestations as they were copied.
    private struct Host {
        let url: String
        let copy: Tree
        let authority: AuthorityFile
        let newest: SignedAttestation
        /// Whether it serves patches and snapshots.
        let hasData: Bool

        private static func age(_ signed: SignedAttestation) -> (Int64, Int) {
            (signed.attestation.time, signed.statement.height)
        }

        func isOlder(than other: SignedAttestation?) -> Bool {
            other.map { Self.age(newest) < Self.age($0) } ?? false
        }
    }

    func run() throws {
        let key = try keys.key(key).publicKey
        let urls = try url.map { url in
            do { return try TrustList.normal(url) } catch let refusal as TrustList.Refusal {
                throw CommandFailure(.usage, refusal.description)
            }
        }
        let progress = ProgressLine(isQuiet: json)
        let treeRoot = ChainOptions.withoutSlash(tree)
        let stateRoot = state.map(ChainOptions.withoutSlash) ?? "\(treeRoot).state"
        let lock = try FolderLock(stateRoot)
        let state = try Folder(stateRoot)
        let treeLock = try FolderLock(withoutFile: treeRoot)
        let tree = Folder(reading: treeRoot)
        try begin(tree, state, key)
        do {
            try restore(tree, state, key, urls, progress)
        } catch let refusal as TreeMirror.Refusal {
            throw CommandFailure(.noValidBytes, refusal.description)
        } catch let contradiction as StateRestore.Contradiction {
            throw CommandFailure(.dissent, contradiction.description)
        }
        treeLock.release()
        lock.release()
    }

    private static var marker: String { "\(StateRestore.folder)/key" }

    /// Nothing is restored into what has begun, but for a restore that did not end.
    private func begin(_ tree: Folder, _ state: Folder, _ key: PublicKey) throws {
        if try state.contains(Self.marker) {
            let known = try File.read(state.path(Self.marker), atMost: 100)
            guard known == Array("\(key.hex)\n".utf8) else {
                throw CommandFailure(
                    .localFailure,
                    "\(state.path(StateRestore.folder)): a restore with another key has begun here: give that key, or "
                        + "another --state")
            }
            return
        }
        // One that was killed at its very end has no more than the folder.
        if try state.contains(StateRestore.folder) {
            return try state.write(Array("\(key.hex)\n".utf8), at: Self.marker)
        }
        if let begun = try StateRestore.begun(in: state) {
            throw CommandFailure(
                .localFailure,
                "\(state.path(begun)): is there, so that this state has begun: nothing is restored into it. If the tree "
                    + "alone is lost, concord-publish run makes it again; else give another --state")
        }
        let names = try Folder.names(in: tree.root).filter { !$0.hasPrefix(".") && !Furniture.isFolder($0) }
        guard names.isEmpty else {
            throw CommandFailure(
                .localFailure,
                "\(tree.root): holds \(names[0].printable): nothing is restored into a folder that is not empty. Give another "
                    + "--tree, or move away what is there")
        }
        try state.write(Array("\(key.hex)\n".utf8), at: Self.marker)
    }

    private func restore(
        _ tree: Folder, _ state: Folder, _ key: PublicKey, _ urls: [String], _ progress: ProgressLine
    ) throws {
        let reader = TreeReader(SchemeTransport())
        var hosts: [Host] = []
        for url in urls {
            hosts.append(try copy(url, key, into: state, reader, progress))
        }
        guard
            let other = hosts.first(where: {
                $0.authority.network != hosts[0].authority.network
                    || $0.authority.parameters != hosts[0].authority.parameters
            })
        else { return try restore(tree, state, key, hosts, reader, progress) }
        throw CommandFailure(
            .localFailure,
            "\(WebAddress.shown(other.url)) serves another tree of this key than \(WebAddress.shown(hosts[0].url)), of "
                + "another network or partitioned otherwise: restore each by itself, with a --state of its own"
        )
    }

    /// Copies a host's attestations, and sees whether it has data.
    private func copy(
        _ url: String, _ key: PublicKey, into state: Folder, _ reader: TreeReader, _ progress: ProgressLine
    ) throws -> Host {
        let name = String(SHA256.hash(Array(url.utf8)).hex.prefix(16))
        let folder = Folder(reading: state.path("\(StateRestore.folder)/\(name)"))
        let mirror = TreeMirror(url, key: key, reader: reader, into: folder, now: nil)
        let report = try mirror.run(.attestations) { height, all, bytes in
            progress.update(
                "\(WebAddress.shown(url)): attestations up to height \(height) of \(all), \(bytes) bytes"
            )
        }
        let (copy, authority) = (Tree(folder.root), report.authority)
        let newest = try copy.attestation(of: report.newest, parameters: authority.parameters, key: key)
        return Host(
            url: url, copy: copy, authority: authority, newest: newest,
            hasData: try Self.hasData(url, copy, authority, reader))
    }

    /// Whether a host has the snapshot that its newest epoch begins with.
    private static func hasData(
        _ url: String, _ copy: Tree, _ authority: AuthorityFile, _ reader: TreeReader
    ) throws -> Bool {
        let (newest, parameters) = (try copy.latest(), authority.parameters)
        let start = parameters.epochStart(of: newest.height)
        let headers = copy.path(TreePath.headers(epochOf: newest.height, parameters))
        let bytes = try File.read(headers, atMost: parameters.epoch * BlockHeader.size)
        guard let block = try? HeaderChain(parsing: bytes, from: start).block(at: start) else { return false }
        return try RemoteTree(url, reader: reader).hasManifest(of: block, parameters: parameters)
    }

    private func restore(
        _ tree: Folder, _ state: Folder, _ key: PublicKey, _ all: [Host], _ reader: TreeReader,
        _ progress: ProgressLine
    ) throws {
        // The newest last: no mirror is taken back to an older state.
        let hosts = all.sorted { $0.isOlder(than: $1.newest) }
        var restore = StateRestore(state, key: key, parameters: hosts[0].authority.parameters)
        // Before there is a tree that a run could go on from.
        let noted: Int
        do {
            noted = try restore.note(hosts.flatMap(Self.copies))
        } catch let error as FileError where error.isConflict {
            throw CommandFailure(.dissent, error.description)
        }
        let hasData = hosts.contains(where: \.hasData)
        // One that was killed may have the newest already, though not of a tree of attestations only where there is data.
        let isOfKind = try hasData == Tree(tree.root).hasData()
        let kept = try isOfKind ? Self.newest(Tree(tree.root), hosts[0].authority.parameters, key) : nil
        for host in hosts where host.hasData == hasData && !host.isOlder(than: kept) {
            let mirror = TreeMirror(host.url, key: key, reader: reader, into: tree, now: nil)
            _ = try mirror.run(hasData ? .everything : .attestations) { height, all, bytes in
                progress.update(
                    "\(WebAddress.shown(host.url)): height \(height) of \(all), \(bytes) bytes")
            }
        }
        let height = try Tree(tree.root).latest().height
        progress.update("counting the coins of the newest snapshot")
        let counted = try restore.count(Tree(tree.root))
        // A tree of attestations only stays one.
        if counted == nil { _ = try state.inner("set") }
        try state.removeTree(StateRestore.folder)
        progress.clear()
        progress.say(
            "note: what this key signed and no host's chain has, since the last upload or of blocks that the chain has left, "
                + "is not in the journal. A publisher with the same node says the same of those blocks again")
        if json {
            return try printJSON(
                JSON(
                    tree: tree.root, state: state.root, network: hosts[0].authority.network.rawValue,
                    key: key.hex,
                    height: height, attestations: noted, from: counted?.height))
        }
        try Output.say(
            """
            \(tree.root): the tree of \(hosts.last?.authority.name.description ?? "") up to height \(height)\
            \(counted == nil ? ", attestations only" : "")
            \(state.root): the journal has \(noted) attestations, up to height \
            \(hosts.map(\.newest.statement.height).max() ?? 0); concord-publish run\
            \(counted == nil ? " --attest-only works the set out again" : " goes on from height \(counted?.height ?? 0)")
            """)
    }

    /// What a tree's hint names; nil where there is none yet.
    private static func newest(
        _ tree: Tree, _ parameters: TreeParameters, _ key: PublicKey
    ) throws -> SignedAttestation? {
        guard try Folder(reading: tree.root).contains(TreePath.latest) else { return nil }
        return try tree.attestation(of: tree.latest(), parameters: parameters, key: key)
    }

    private struct JSON: Encodable {
        let tree, state, network, key: String
        let height, attestations: Int
        /// Where the next run goes on from; nil where it has to work the set out again.
        let from: Int?
    }

    /// What is known of a host: a folder can be listed, and shows the branches that were left too.
    private static func copies(_ host: Host) -> [StateRestore.Copy] {
        let shown = WebAddress.shown(host.url)
        let folder = URL(string: host.url).flatMap { $0.isFileURL ? Tree($0.path) : nil }
        return [host.copy, folder].compactMap(\.self).map { StateRestore.Copy(url: shown, tree: $0) }
    }
}
