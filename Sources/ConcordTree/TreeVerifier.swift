import Concord
import ConcordFiles

/// Checks a whole tree on the disk, offline: every signature, every hash, every link, and which files nobody signed.
public struct TreeVerifier {
    public struct Report: Sendable {
        public let authority: AuthorityFile
        public var newest: BlockID?
        public var attestations = 0
        /// Files with the MuHashes of shards.
        public var muhashes = 0
        public var patches = 0
        public var deltas = 0
        public var snapshots = 0
        public var shards = 0
        public var headers = 0
        /// The first height of the lowest epoch whose snapshot is here: what is below was removed, or never taken. Nil where
        /// the tree has no snapshots.
        public var dataFrom: Int?
        /// What is wrong, in words that name the file.
        public var problems: [String] = []
        /// Files that no signature covers and that are no part of a tree.
        public var unsigned: [String] = []
    }

    private let tree: Tree
    private let folder: Folder
    private let key: PublicKey
    private let isDeep: Bool
    private let tell: (String) -> Void
    private var report: Report
    private var parameters: TreeParameters { report.authority.parameters }
    private var statements = AttestedStatements()
    /// Blocks whose attestation is there, but is none.
    private var refused: Set<BlockID> = []
    /// Blocks with a valid attestation whose patch is there.
    private var patched: Set<BlockID> = []
    /// Blocks with a patch or snapshot that is not what the statement names: what comes of these says nothing new.
    private var wrong: Set<BlockID> = []
    /// Snapshots that are what the statement names, and have not the coins that it says: no state follows from them.
    private var untrue: Set<BlockID> = []
    /// What the coins of snapshots come to.
    private var counted: [BlockID: SetTotals] = [:]
    /// The blocks whose headers are there.
    private var headed: Set<BlockID> = []
    /// The files that no signature covers and that are part of a tree all the same.
    private var unsigned: Set<String> = [
        TreePath.authority, TreePath.authorityPEM, TreePath.latest, "FORMAT.md", "audit.sh", "index.html",
    ]

    /// - Parameters:
    ///   - key: the authority's key as it is known from elsewhere; nil to take the one the tree names.
    ///   - isDeep: also recompute what every statement says from the coins, and each snapshot from the one before.
    ///   - tell: is told what is being checked.
    public init(_ root: String, key: PublicKey?, isDeep: Bool, tell: @escaping (String) -> Void) throws {
        tree = Tree(root)
        folder = Folder(reading: root)
        let authority = try tree.authority()
        self.key = key ?? authority.key
        self.isDeep = isDeep
        self.tell = tell
        report = Report(authority: authority)
    }

    public mutating func run() throws -> Report {
        guard key == report.authority.key else {
            // Then nothing of it would be right, in one line for each file.
            report.problems.append(
                "\(tree.path(TreePath.authority)): names the key \(report.authority.key.hex), you gave \(key.hex): "
                    + "one of the two is of another authority. Nothing else was checked")
            return report
        }
        try checkAttestations()
        checkHistory()
        try findData()
        try checkMuHashes()
        try checkChanges()
        try checkSnapshots()
        try checkHeaders()
        if isDeep, let kept = report.dataFrom, !patched.isEmpty {
            var check = TreeStates(
                tree: tree, parameters: parameters, statements: statements, counted: counted, wrong: wrong,
                untrue: untrue, tell: tell)
            report.problems += try check.run(from: kept)
        }
        try checkHints()
        try listUnsigned("")
        return report
    }

    /// Notes what is wrong; returns how many were right.
    private mutating func note(_ failures: [(any Error)?]) throws -> Int {
        for case let error? in failures { try report.problems.note(error) }
        return failures.count { $0 == nil }
    }

    /// The names in a folder of the tree, sorted; none where there is no such folder.
    private func names(in folder: String) throws(FileError) -> [String] {
        do throws(FileError) {
            return try Folder.names(in: tree.path(folder))
        } catch {
            // A loop of links is no folder either.
            guard !error.isOfMachine else { throw error }
            return []
        }
    }

    private mutating func checkAttestations() throws {
        tell("attestations")
        let (tree, key, parameters) = (tree, key, parameters)
        for folder in try names(in: "attestations") where TreePath.height(digits: folder[...]) != nil {
            let blocks = try names(in: "attestations/\(folder)").compactMap { name -> BlockID? in
                guard name.hasSuffix(".txt"), let block = TreePath.block(named: name.dropLast(4)),
                    TreePath.attestation(block, parameters) == "attestations/\(folder)/\(name)"
                else { return nil }
                return block
            }
            let checked = try Parallel.map(blocks.count) { i in
                Result { try tree.attestation(of: blocks[i], parameters: parameters, key: key).statement }
            }
            for (block, result) in zip(blocks, checked) {
                let path = TreePath.attestation(block, parameters)
                switch result {
                case .success(let statement):
                    statements.add(statement)
                    report.attestations += 1
                    if statement.height < report.authority.first {
                        report.problems.append(
                            "\(tree.path(path)): is below the first height of the tree, \(report.authority.first)"
                        )
                    }
                    if statement.network != report.authority.network {
                        report.problems.append(
                            "\(tree.path(path)): is of the network \(statement.network.rawValue)")
                    }
                case .failure(let error):
                    refused.insert(block)
                    try report.problems.note(error)
                }
            }
        }
        if statements.isEmpty { report.problems.append("\(tree.root): has no valid attestation at all") }
    }

    /// Every statement has that of its parent beside it, and names those of its ancestors.
    private mutating func checkHistory() {
        let all = statements.ascending
        let digests = Dictionary(uniqueKeysWithValues: all.map { ($0.blockID, $0.digest) })
        let genesis = Statement(genesisOf: report.authority.network, parameters)
        for statement in all where statement.height == 0 && statement != genesis {
            let fields = statement.differences(from: genesis).map { "`\($0)`" }.joined(separator: ", ")
            report.problems.append(
                "\(tree.path(TreePath.attestation(statement.blockID, parameters))): says other \(fields) than the "
                    + "genesis block has, which leaves the set empty")
        }
        for statement in all {
            guard statement.height > report.authority.first else { continue }
            let path = tree.path(TreePath.attestation(statement.blockID, parameters))
            guard statements.parent(of: statement) != nil else {
                report.problems.append(
                    "\(path): the statement of its parent \(statement.parent.reversedHex) is missing")
                continue
            }
            for span in parameters.historySpans(at: statement.height) {
                guard let ancestor = statements.ancestor(of: statement, span) else { continue }
                if statement.ancestor(span) != digests[ancestor.blockID] {
                    report.problems.append(
                        "\(path): its history names another statement of \(span) blocks below than the one that is here"
                    )
                }
            }
        }
    }

    /// An authority may attest only: then there is neither of both.
    private mutating func findData() throws {
        report.dataFrom = try names(in: "snapshots").compactMap { name in
            guard let block = TreePath.block(named: name[...]), statements[block]?.isEpochStart == true,
                try hasManifest(block)
            else { return nil }
            return block.height
        }.min()
        patched = Set(
            try statements.ascending.map(\.blockID).filter {
                try folder.contains(TreePath.patch($0, parameters))
            })
        if patched.isEmpty, report.dataFrom != nil {
            report.problems.append("\(tree.path("patches")): there are none, though there are snapshots")
        } else if !patched.isEmpty, report.dataFrom == nil {
            report.problems.append(
                "\(tree.path("snapshots")): there is no manifest of any, though there are patches")
        }
    }

    private func hasManifest(_ block: BlockID) throws -> Bool {
        try folder.contains(TreePath.manifest(block))
    }

    private mutating func checkMuHashes() throws {
        tell("MuHashes of shards")
        let kept = report.dataFrom ?? .max
        let (tree, folder, parameters) = (tree, folder, parameters)
        let all = try statements.ascending.filter {
            try $0.height >= kept || folder.contains(TreePath.muhashes($0.blockID, parameters))
        }
        let failures = try Parallel.map(all.count) { i in
            do {
                _ = try tree.muhashes(of: all[i])
                return nil as (any Error)?
            } catch {
                return error
            }
        }
        report.muhashes = try note(failures)
    }

    /// Patches and deltas.
    private mutating func checkChanges() throws {
        tell("patches and deltas")
        let kept = report.dataFrom ?? .max
        let (tree, parameters) = (tree, parameters)
        var all: [ChangeFile] = []
        for statement in statements.ascending {
            for file in statement.changeFiles
            where try statement.height >= kept || folder.contains(file.path(parameters)) {
                all.append(file)
            }
        }
        let files = all
        let failures = try Parallel.map(files.count, tools: { PatchFile.Checker() }) { i, checker in
            do {
                try checker.check(tree.path(files[i].path(parameters)), is: files[i], parameters)
                return nil as (any Error)?
            } catch {
                return error
            }
        }
        for (file, failure) in zip(files, failures) {
            if failure != nil {
                wrong.insert(file.block)
            } else if file.span == 1 {
                report.patches += 1
            } else {
                report.deltas += 1
            }
        }
        _ = try note(failures)
    }

    private mutating func checkSnapshots() throws {
        guard let kept = report.dataFrom else { return }
        for statement in statements.ascending where statement.isEpochStart && statement.height >= kept {
            guard let root = statement.snapshotRoot else { continue }
            let block = statement.blockID
            tell("snapshot of height \(block.height)")
            let before = report.problems.count
            do {
                let manifest = try tree.manifest(of: block, parameters: parameters, root: root)
                if manifest.coins != statement.coins {
                    report.problems.append(
                        "\(tree.path(TreePath.manifest(block))): its coins are \(manifest.coins), the statement says "
                            + "\(statement.coins)")
                }
                if isDeep { try count(statement, manifest) } else { try checkShards(block, manifest) }
                if report.problems.count == before { report.snapshots += 1 } else { untrue.insert(block) }
            } catch {
                try report.problems.note(error)
                wrong.insert(block)
            }
        }
    }

    private mutating func checkShards(_ block: BlockID, _ manifest: Manifest) throws {
        let tree = tree
        let failures = try Parallel.map(manifest.shards.count) { shard in
            do {
                var reader = try ShardReader(
                    tree.path(TreePath.shard(shard, of: block)), expected: manifest.shards[shard].contents)
                try reader.check()
                _ = try tree.filter(shard, of: block, manifest)
                return nil as (any Error)?
            } catch {
                return error
            }
        }
        report.shards += try note(failures)
    }

    /// What the statement says, from the coins themselves, and the filters that come of them.
    private mutating func count(_ statement: Statement, _ manifest: Manifest) throws {
        let (tree, block) = (tree, statement.blockID)
        let (totals, filters) = try SnapshotCount(of: block, parameters).run(
            manifest.contents, file: { tree.path(TreePath.shard($0, of: block)) }
        ) { shard, filter in
            // That the file is what the manifest says, and that this is what comes of the coins.
            _ = try tree.filter(shard, of: block, manifest)
            return Manifest.Filter(filter) == manifest.shards[shard].filter
        }
        report.shards += manifest.shards.count
        let path = tree.path(TreePath.manifest(block))
        for shard in filters.indices where !filters[shard] {
            report.problems.append(
                "\(tree.path(TreePath.filter(shard, of: block))): is not the filter of the shard's scripts")
        }
        if totals.number.digest != statement.muhash {
            report.problems.append(
                "\(path): the MuHash of its coins is \(totals.number.digest.reversedHex), not the attested one"
            )
        }
        if totals.muhashes(parameters).root != statement.muhashes {
            report.problems.append(
                "\(path): the MuHashes of its shards are not the attested ones"
                    + tree.words(of: totals.muhashes(parameters), statement))
        }
        if totals.coins != statement.coins || totals.amount != statement.amount {
            report.problems.append(
                "\(path): holds \(totals.coins) coins of \(totals.amount) satoshi, not what is attested")
        }
        counted[block] = totals
    }

    private mutating func checkHeaders() throws {
        tell("headers")
        var check = TreeHeaders(tree: tree, authority: report.authority, statements: statements)
        report.problems += try check.run(try names(in: "headers"))
        unsigned.formUnion(check.files)
        headed = check.blocks
        report.headers = headed.count
    }

    /// The files that lead to the signed ones.
    private mutating func checkHints() throws {
        do {
            let latest = try tree.latest()
            report.newest = latest
            if statements[latest] == nil {
                report.problems.append(
                    "\(tree.path(TreePath.latest)): names a block without a valid attestation")
            } else if !headed.contains(latest) {
                report.problems.append(
                    "\(tree.path(TreePath.latest)): names a block that the headers do not lead to")
            }
        } catch {
            try report.problems.note(error)
        }
        let pem = tree.path(TreePath.authorityPEM)
        do {
            guard try File.read(pem, atMost: 1024) == Array(key.pem.utf8) else {
                throw FileError(pem, "is not the key \(key.hex)")
            }
        } catch {
            try report.problems.note(error)
        }
    }

    private mutating func listUnsigned(_ folder: String) throws {
        let names = try Folder.names(in: tree.path(folder))
        // One may be listed whose files cannot be reached.
        _ = try self.folder.contains("\(folder)/.")
        for name in names {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if try Folder.isFolder(tree.path(path)) {
                if Furniture.isFolder(name) {
                    report.unsigned.append(path + "/")
                } else {
                    try listUnsigned(path)
                }
            } else if try !isPart(path) {
                report.unsigned.append(path)
            }
        }
    }

    /// Whether a file has its place in the tree. Without a manifest nothing tells what a snapshot's files should be.
    private func isPart(_ path: String) throws -> Bool {
        if unsigned.contains(path) { return true }
        guard let block = TreePath.block(ofFile: path, parameters) else { return false }
        if path.hasPrefix("snapshots/"), try !hasManifest(block) { return false }
        return statements[block] != nil || refused.contains(block)
    }
}

extension [String] {
    /// Notes what is wrong. What this machine cannot read is neither right nor wrong, and ends the run.
    mutating func note(_ error: any Error) throws {
        if let error = error as? FileError, error.isOfMachine { throw error }
        append("\(error)")
    }
}

extension Tree {
    /// Which shard has other coins than attested, as far as the file with the attested MuHashes tells.
    func words(of own: ShardMuHashes, _ statement: Statement) -> String {
        guard let said = try? muhashes(of: statement),
            let shard = own.entries.indices.first(where: { own.entries[$0] != said.entries[$0] })
        else { return "" }
        return "; the MuHash of shard \(TreePath.shardDigits(shard)) is another one"
    }
}
