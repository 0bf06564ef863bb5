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
            Reads the chain of a Bitcoin Core node, from its block files, over RPC, or both, and writes patches, \
            deltas, MuHashes, snapshots and signed attestations to the tree. Run it again and it does only what is new; \
            after a reorganisation it follows the best chain and leaves the stale branch's files alone. A run that is \
            killed is continued by the next. With --follow it stays, and attests new blocks as they come.
            """)

    @OptionGroup var chain: ChainOptions

    @Flag(help: "Sign although the node says that it is behind its network.")
    var allowBehind = false

    @Flag(
        help: ArgumentHelp(
            "Sign although this machine's clock is two hours ahead of the newest block and of what was signed last, or "
                + "behind that."))
    var allowClock = false

    @Option(help: ArgumentHelp("The tree to write.", valueName: "dir"))
    var tree: String

    @Option(help: ArgumentHelp("The PEM file with the signing key; - for standard input.", valueName: "file"))
    var key: String

    @OptionGroup var keys: KeyOptions

    @Option(help: "The authority's name: letters, digits, «.», «_», «-».", transform: Parse.name)
    var name: AuthorityName

    @Flag(help: "Give the authority of a tree that has begun another --name.")
    var rename = false

    @Option(
        help: ArgumentHelp(
            "The publisher's own folder: running values, scan, signing journal. Keep it. (default: TREE.state)",
            valueName: "dir"))
    var state: String?

    @Option(
        help: "The network: main, testnet4, signet or regtest. (default: main)", transform: NetworkName.parse)
    var network: Network = .main

    @Option(help: ArgumentHelp("Stop at this height. (default: the tip)", valueName: "height"))
    var to: Int?

    @Flag(help: "Go on as new blocks come, until SIGINT or SIGTERM.")
    var follow = false

    @Option(help: ArgumentHelp("Attest only blocks with so many others on top.", valueName: "n"))
    var confirmations = 0

    @Option(
        help: ArgumentHelp(
            "Begin the tree at this height, the first of an epoch; the blocks before are gone over, not published. "
                + "(default: 0, or where the tree begins)", valueName: "height"))
    var first: Int?

    @Option(
        help: ArgumentHelp(
            "Begin the tree with this dump of Bitcoin Core's (dumptxoutset), made at the first height of an epoch: of the "
                + "blocks up to it only those of the longest delta are needed, with the default epoch 100.",
            valueName: "file"))
    var fromDump: String?

    @Option(
        help: ArgumentHelp(
            "The MuHash that the set of --from-dump or --first must have, as gettxoutsetinfo prints it; compared before "
                + "anything is signed.", valueName: "hex"), transform: Parse.muhash)
    var expectMuhash: Digest?

    @Flag(
        help: ArgumentHelp(
            "Begin with a dump whose MuHash nothing confirms, neither the node nor you: what is wrong in the file is "
                + "then signed with your key."))
    var unconfirmed = false

    @Option(
        help: ArgumentHelp(
            "Memory for the changes of the blocks below --first, like 500M or 8G: more of it, less reading and "
                + "writing.", valueName: "size"))
    var memory = ByteCount(InitialReplay.defaultMemory)

    @Flag(
        help: "Publish attestations only, no data: bear witness to what others publish.")
    var attestOnly = false

    @Option(
        help: ArgumentHelp("Shards, a power of two up to 4096. (default: 1024; regtest 16)", valueName: "n"))
    var shards: Int?

    @Option(
        help: ArgumentHelp(
            "Blocks from one snapshot to the next. (default: 1000; regtest 100)", valueName: "n"))
    var epoch: Int?

    @Option(help: ArgumentHelp("zstd level of snapshots, 1 to 22.", valueName: "n"))
    var level: Int = ZstdCompressor.defaultLevel

    @Option(
        help: ArgumentHelp(
            "Keep the data of the newest n epochs, the open one among them, 2 or more; remove older data as "
                + "`prune` does. (default: all)", valueName: "n"))
    var keep: Int?

    @Option(
        help: ArgumentHelp(
            "A URL where the tree is served, for the torrents of its snapshots to name as a web seed; more than once "
                + "for more of them.", valueName: "url"),
        transform: Parse.treeURL)
    var webSeed: [String] = []

    @Option(help: "A note for each new attestation; printable ASCII.")
    var note: String?

    @Option(
        help: ArgumentHelp(
            "A folder with an index.html to make the tree's page from, in place of the one in this program.",
            valueName: "dir"))
    var template: String?

    @Flag(help: "Print the result as JSON, and nothing else.")
    var json = false

    func validate() throws {
        guard ZstdCompressor.levels.contains(level) else { throw ValidationError("--level is 1 to 22.") }
        guard parameters != nil else {
            throw ValidationError(
                "--shards is a power of two from 1 to \(TreeParameters.maxShards), --epoch is 1 to "
                    + "\(TreeParameters.maxEpoch).")
        }
        guard to.map({ (0...TreePath.maxHeight).contains($0) }) ?? true else {
            throw ValidationError("--to is a height from 0 to \(TreePath.maxHeight).")
        }
        guard (0...TreePath.maxHeight).contains(confirmations) else {
            throw ValidationError("--confirmations is a number of blocks.")
        }
        guard
            first.map({ (0...TreePath.maxHeight).contains($0) && $0 % (parameters?.epoch ?? 1) == 0 })
                ?? true
        else {
            throw ValidationError(
                "--first is the first height of an epoch, a multiple of \(parameters?.epoch ?? 0).")
        }
        guard expectMuhash == nil || fromDump != nil || first ?? 0 > 0 else {
            throw ValidationError("--expect-muhash is about the set of --from-dump or --first.")
        }
        guard !unconfirmed || (fromDump != nil && expectMuhash == nil) else {
            throw ValidationError("--unconfirmed is about --from-dump without --expect-muhash.")
        }
        guard !attestOnly || webSeed.isEmpty else {
            throw ValidationError("--attest-only publishes no snapshots: leave --web-seed out.")
        }
        guard !attestOnly || keep == nil else {
            throw ValidationError("--attest-only publishes no data that could be removed: leave --keep out.")
        }
        guard memory.bytes >= 1 << 20 else { throw ValidationError("--memory is 1M or more.") }
        guard keep.map({ TreePruning(keep: $0) != nil }) ?? true else { throw ValidationError(Prune.usage) }
        guard note.map(Attestation.isText) ?? true else {
            throw ValidationError("--note is 1 to \(Attestation.maxTextBytes) printable ASCII characters.")
        }
    }

    var parameters: TreeParameters? {
        let standard = network.defaultParameters
        return TreeParameters(checking: shards ?? standard.shards, epoch: epoch ?? standard.epoch)
    }

    func run() throws {
        guard let parameters else { return }
        StopSignal.catchSignals()
        let progress = ProgressLine(isQuiet: json)
        let signingKey = try keys.key(key)
        let treeRoot = ChainOptions.withoutSlash(tree)
        let stateRoot = state.map(ChainOptions.withoutSlash) ?? "\(treeRoot).state"
        let lock = try FolderLock(stateRoot)
        let stateFolder = try Folder(stateRoot)
        try StateRestore.check(stateFolder)
        let input = try chain.input(network: network, cache: stateFolder, progress)
        // Before there is anything of a tree.
        let chain = try input.chain()
        let readiness = try follow ? nil : requireReadiness(of: input, progress)
        // Runs with other folders of their own may have the same tree.
        let treeLock = try FolderLock(withoutFile: treeRoot)
        let folder = Folder(reading: treeRoot)
        let first = try firstHeight(of: folder, on: chain, parameters)
        let expected = try expectedMuHash(on: chain, first: first)
        let face = TreeMetadata(
            folder: folder,
            authority: AuthorityFile(
                name: name, network: network, key: signingKey.publicKey, parameters: parameters, first: first)
        )
        try face.check(mayRename: rename)
        let data = try dataFolder(tree: folder, state: stateFolder)
        try folder.prepare()
        var run = PublishRun(
            options: self, parameters: parameters, input: input, tree: folder, data: data, state: stateFolder,
            face: face, expected: expected,
            signer: Publisher.Signer(key: signingKey, name: name, software: Software.name, note: note),
            report: RunReport(isJSON: json, isFollowing: follow, key: signingKey.publicKey, tree: treeRoot),
            page: PageWriter(
                TreePage(
                    of: folder, authority: face.authority, template: template.map(ChainOptions.withoutSlash)),
                progress),
            progress: progress)
        try run.run(from: chain, readiness)
        treeLock.release()
        lock.release()
    }

    /// A node that is behind its network knows a chain that others have left or will leave: nothing of it is signed.
    private func requireReadiness(of input: ChainInput, _ progress: ProgressLine) throws -> Readiness {
        let readiness = try input.readiness(now: Int64(Date().timeIntervalSince1970))
        for reason in readiness.reasons {
            guard allowBehind else {
                throw CommandFailure(
                    .localFailure,
                    "the node is not ready: \(reason). Nothing was signed; let it finish, or give --allow-behind"
                )
            }
            progress.say("note: the node is behind: \(reason)")
        }
        return readiness
    }

    /// The height that the tree begins at: as it is said, as the dump says, as the tree says.
    private func firstHeight(
        of tree: Folder, on chain: any ChainSource, _ parameters: TreeParameters
    ) throws -> Int {
        let known = try TreeMetadata.known(in: tree)
        guard let fromDump else { return first ?? known?.first ?? 0 }
        guard try !tree.contains("attestations") else {
            throw CommandFailure(
                .usage,
                "\(tree.root): has begun, at height \(known?.first ?? 0), and needs no dump: leave --from-dump out. If the "
                    + "node has pruned blocks that this tree lacks, begin another --tree with the dump, with the same "
                    + "--key, and with this tree's --state, which knows what the key has signed")
        }
        let block = try DumpSplitter(fromDump, network: network).header.block
        guard
            let height = stride(from: 0, through: chain.tip, by: parameters.epoch).reversed().first(where: {
                chain.blockID(at: $0).hash == block
            })
        else {
            throw CommandFailure(
                .localFailure,
                "\(fromDump): is the set after block \(block.reversedHex), which is not the first of an epoch on "
                    + "the node's chain: a tree begins at a multiple of \(parameters.epoch). Make the dump with "
                    + "«bitcoin-cli -rpcclienttimeout=0 -named dumptxoutset path=FILE rollback=HEIGHT»")
        }
        guard height > 0 else {
            throw CommandFailure(
                .usage, "\(fromDump): is the set of the genesis block; leave --from-dump out")
        }
        guard first ?? height == height else {
            throw CommandFailure(.usage, "\(fromDump): is the set of height \(height), not of \(first ?? 0)")
        }
        return height
    }

    /// The MuHash that the set at the tree's first height must have, if anybody knows. What is in a dump is no chain
    /// data: before hours of work somebody must vouch for it, the node, the operator, or Bitcoin Core's source, to which
    /// it is held while it is read.
    private func expectedMuHash(on chain: any ChainSource, first: Int) throws -> Digest? {
        if let expectMuhash { return expectMuhash }
        guard let fromDump else { return nil }
        let block = chain.blockID(at: first)
        if let own = try chain.ownMuHash(of: block) { return own }
        if PinnedSet.pin(network: network, block: block) != nil || unconfirmed { return nil }
        throw CommandFailure(
            .usage,
            "\(fromDump): nothing confirms that this is the set of height \(first): the node says no MuHash of it "
                + "(coinstatsindex=1, and --node). Give the one that a node of yours has, by `bitcoin-cli "
                + "gettxoutsetinfo muhash \(first)`, with --expect-muhash, or --unconfirmed to sign what is in the file "
                + "unseen")
    }

    /// Where patches and snapshots go; a tree is of one kind for good.
    private func dataFolder(tree: Folder, state: Folder) throws -> Folder {
        // Until something is attested it may still be changed.
        let hasBegun = try tree.contains("attestations") || state.contains("journal")
        if attestOnly {
            guard try !tree.contains("snapshots") else {
                throw CommandFailure(
                    .usage, "\(tree.root) holds snapshots: leave --attest-only out, or begin another --tree")
            }
            return try state.inner("set")
        }
        if try state.contains("set") {
            guard !hasBegun else {
                throw CommandFailure(
                    .usage,
                    "\(tree.root) is a tree of attestations only: add --attest-only, or begin another --tree")
            }
            try state.removeTree("set")
        }
        return tree
    }
}
