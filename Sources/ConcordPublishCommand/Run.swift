import ArgumentParser
import Concord
import ConcordBuild
import ConcordChain
import ConcordConsole
import ConcordPublish
import ConcordFiles
import ConcordTree
import Foundation

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publish every block that is not published yet.",
        discussion: """
            Reads the block files of a Bitcoin Core node and writes patches, snapshots and signed attestations to the \
            tree. Run it again and it does only what is new; after a reorganisation it follows the best chain and \
            leaves the stale branch's files alone. A run that is killed is continued by the next.
            """)

    @Option(
        help: ArgumentHelp(
            "Bitcoin Core's data directory, or any folder with «blocks» in it.", valueName: "dir"))
    var datadir: String

    @Option(help: ArgumentHelp("The tree to write.", valueName: "dir"))
    var tree: String

    @Option(help: ArgumentHelp("The PEM file with the signing key.", valueName: "file"))
    var key: String

    @Option(help: "The authority's name: letters, digits, «.», «_», «-».", transform: Parse.name)
    var name: AuthorityName

    @Option(
        help: ArgumentHelp(
            "The publisher's own folder: running values, scan, signing journal. Keep it. (default: TREE.state)",
            valueName: "dir"))
    var state: String?

    @Option(help: "The network: main, testnet4, signet or regtest. (default: main)", transform: Parse.network)
    var network: Network = .main

    @Option(help: ArgumentHelp("Stop at this height. (default: the tip)", valueName: "height"))
    var to: Int?

    @Option(
        help: ArgumentHelp("Shards, a power of two up to 4096. (default: 1024; regtest 16)", valueName: "n"))
    var shards: Int?

    @Option(
        help: ArgumentHelp(
            "Blocks from one snapshot to the next. (default: 1000; regtest 100)", valueName: "n"))
    var epoch: Int?

    @Option(help: ArgumentHelp("zstd level, 1 to 22.", valueName: "n"))
    var level: Int = ZstdCompressor.defaultLevel

    @Option(help: "A note for each new attestation; printable ASCII.")
    var note: String?

    @Flag(help: "Print the result as JSON, and nothing else.")
    var json = false

    func validate() throws {
        guard ZstdCompressor.levels.contains(level) else { throw ValidationError("--level is 1 to 22.") }
        guard parameters != nil else {
            throw ValidationError(
                "--shards is a power of two from 1 to \(TreeParameters.mostShards), --epoch is 1 to "
                    + "\(TreeParameters.mostEpoch).")
        }
        guard to.map({ (0...TreePath.mostHeight).contains($0) }) ?? true else {
            throw ValidationError("--to is a height from 0 to \(TreePath.mostHeight).")
        }
        guard note.map(Attestation.isText) ?? true else {
            throw ValidationError("--note is 1 to \(Attestation.mostTextBytes) printable ASCII characters.")
        }
    }

    private var parameters: TreeParameters? {
        let standard = network.defaultParameters
        return TreeParameters(checking: shards ?? standard.shards, epoch: epoch ?? standard.epoch)
    }

    func run() throws {
        guard let parameters else { return }
        let progress = ProgressLine(isQuiet: json)
        let started = Date()
        let signingKey = try SigningKey(readingFrom: key)
        let treeRoot = Self.withoutSlash(tree)
        let stateRoot = state.map(Self.withoutSlash) ?? "\(treeRoot).state"
        let lock = try FolderLock(stateRoot)
        let source = try BlockFolder(Self.withoutSlash(datadir), network: network)
        let stateFolder = try Folder(stateRoot)
        let chain = try BestChain.scan(source, cache: stateFolder) { done, all in
            progress.update("scanning the block files: \(done) of \(all)")
        }
        let target = min(to ?? chain.tip, chain.tip)
        if let to, to > chain.tip {
            progress.say("note: the node's chain ends at height \(chain.tip), \(to) is not there yet")
        }

        // Runs with other folders of their own may have the same tree.
        let treeLock = try FolderLock(withoutFile: treeRoot)
        if let latest = try? Tree(treeRoot).latest(), latest.height > chain.tip {
            progress.say(
                "note: the node's chain ends at height \(chain.tip), below the tree's \(latest.height)")
        }
        let folder = try Folder(treeRoot)
        let face = TreeFace(
            folder: folder,
            authority: AuthorityFile(
                name: name, network: network, key: signingKey.publicKey, parameters: parameters, first: 0))
        try face.check()
        // First, so that what a killed run leaves says whose it is and how it is cut.
        try face.write()
        var publisher = Publisher(
            SetBuilder(source: chain, data: folder, parameters: parameters, level: level), tree: folder,
            state: stateFolder,
            signer: Publisher.Signer(key: signingKey, name: name, software: Software.name, note: note))
        let report = try publisher.run(to: target, now: { Int64(Date().timeIntervalSince1970) }) { event in
            switch event {
            case .goingBack(let block, let error):
                progress.say("note: \(error); going back behind height \(block.height)")
            case .folding, .counting: break
            case .resuming(let height, let to):
                progress.update("publishing heights \(height) to \(to)")
            case .published(let height, let to):
                progress.update("published height \(height) of \(to)")
            case .snapshot(let height, let coins):
                progress.update("snapshot of height \(height): \(grouped(coins)) coins")
            }
        }
        progress.clear()
        treeLock.release()
        lock.release()
        guard let report else { return }
        let seconds = Date().timeIntervalSince(started)
        if json {
            try printJSON(Result(report, key: signingKey.publicKey, tree: treeRoot, seconds: seconds))
        } else {
            say(report, treeRoot, seconds)
        }
    }

    private func say(_ report: Publisher.Report, _ tree: String, _ seconds: Double) {
        let statement = report.statement
        if let left = report.leftBehind {
            print(
                "reorganisation: the best chain has left block \(left.hash.reversedHex) at height \(left.height)"
            )
        }
        if report.blocks == 0 {
            print("nothing new: \(tree) is at height \(statement.height)")
        } else {
            print(
                "published \(grouped(report.blocks)) blocks and \(report.snapshots) snapshots to \(tree) in "
                    + String(format: "%.1f s", seconds) + ", \(grouped(report.signatures)) new signatures")
        }
        print(
            """
            height  \(statement.height)
            block   \(statement.block.reversedHex)
            coins   \(grouped(statement.coins))
            amount  \(grouped(statement.amount)) satoshi
            muhash  \(statement.muhash.reversedHex)
            """)
    }

    private static func withoutSlash(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? withoutSlash(String(path.dropLast())) : path
    }

    /// What --json prints.
    private struct Result: Encodable {
        let tree, network, key: String
        let height: Int
        let block: String
        let coins, amount: UInt64
        let muhash, history: String
        let blocks, signatures, snapshots: Int
        let leftBehind: String?
        let seconds: Double

        init(_ report: Publisher.Report, key: PublicKey, tree: String, seconds: Double) {
            self.tree = tree
            self.key = key.hex
            self.seconds = seconds
            network = report.statement.network.rawValue
            height = report.statement.height
            block = report.statement.block.reversedHex
            coins = report.statement.coins
            amount = report.statement.amount
            muhash = report.statement.muhash.reversedHex
            history = report.statement.history.hex
            blocks = report.blocks
            signatures = report.signatures
            snapshots = report.snapshots
            leftBehind = report.leftBehind?.description
        }
    }
}

/// Arguments turned into what they stand for.
enum Parse {
    @Sendable static func name(_ text: String) throws -> AuthorityName {
        guard let name = AuthorityName(text) else {
            throw ValidationError("a name is 1 to 40 letters, digits, «.», «_» and «-».")
        }
        return name
    }

    @Sendable static func network(_ text: String) throws -> Network {
        guard let network = Network(rawValue: text) else {
            throw ValidationError(
                "«\(text)» is no network: " + Network.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        return network
    }
}
