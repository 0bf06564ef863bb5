import Concord
import ConcordFiles

/// Checks a whole tree on the disk, offline: every signature, every hash, every link, and which files nobody signed.
public struct TreeVerifier {
    public struct Report: Sendable {
        public let authority: AuthorityFile
        public var newest: BlockID?
        public var attestations = 0
        public var patches = 0
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
    private var statements: [BlockID: Statement] = [:]
    /// Blocks whose attestation is there, but is none.
    private var refused: Set<BlockID> = []
    /// Blocks with a valid attestation whose patch is there.
    private var patched: Set<BlockID> = []
    /// Blocks whose patch or snapshot is wrong: what comes of these says nothing new.
    private var wrong: Set<BlockID> = []
    /// The blocks whose headers are there.
    private var headed: Set<BlockID> = []
    /// The files that no signature covers and that are part of a tree all the same.
    private var unsigned: Set<String> = [
        TreePath.authority, TreePath.authorityPEM, TreePath.latest, "FORMAT.md", "audit.sh", "index.html",
    ]

    /// - Parameters:
    ///   - key: the authority's key as it is known from elsewhere; nil to take the one the tree names.
    ///   - isDeep: also recompute snapshots from their coins, and each from the one before.
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
        try checkPatches()
        try checkSnapshots()
        try checkHeaders()
        try replay()
        try checkHints()
        try listUnsigned("")
        return report
    }

    /// Notes what is wrong. What this machine cannot read is neither right nor wrong, and ends the run.
    private mutating func note(_ error: any Error) throws {
        if let error = error as? FileError, error.isOfMachine { throw error }
        report.problems.append("\(error)")
    }

    /// Notes what is wrong; returns how many were right.
    private mutating func note(_ failures: [(any Error)?]) throws -> Int {
        for case let error? in failures { try note(error) }
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
                    statements[block] = statement
                    report.attestations += 1
                    if statement.network != report.authority.network {
                        report.problems.append(
                            "\(tree.path(path)): is of the network \(statement.network.rawValue)")
                    }
                case .failure(let error):
                    refused.insert(block)
                    try note(error)
                }
            }
        }
        if statements.isEmpty { report.problems.append("\(tree.root): has no valid attestation at all") }
    }

    /// Every statement follows from the one of its parent.
    private mutating func checkHistory() {
        for statement in statements.values.sorted(by: { $0.height < $1.height }) {
            guard statement.height > report.authority.first else { continue }
            let path = tree.path(TreePath.attestation(statement.blockID, parameters))
            guard let before = parent(of: statement) else {
                report.problems.append(
                    "\(path): the statement of its parent \(statement.parent.reversedHex) is missing")
                continue
            }
            if statement.isEpochStart { continue }
            let history = Statement.history(
                after: before.history, block: statement.block, patchRoot: statement.patchRoot)
            if history != statement.history {
                report.problems.append("\(path): its history does not follow from the statement before")
            }
        }
    }

    private func parent(of statement: Statement) -> Statement? {
        statements[BlockID(height: statement.height - 1, hash: statement.parent)]
    }

    /// An authority may attest only: then there is neither of both.
    private mutating func findData() throws {
        report.dataFrom = try names(in: "snapshots").compactMap { name in
            guard let block = TreePath.block(named: name[...]), statements[block]?.isEpochStart == true,
                try hasManifest(block)
            else { return nil }
            return block.height
        }.min()
        patched = Set(try statements.keys.filter { try folder.contains(TreePath.patch($0, parameters)) })
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

    /// Of the data that the tree has all, and of older data what is there.
    private mutating func checkPatches() throws {
        if patched.isEmpty { return }
        tell("patches")
        let kept = report.dataFrom ?? .max
        let all = statements.values.filter { $0.height >= kept || patched.contains($0.blockID) }
            .sorted { $0.height < $1.height }
        let (tree, parameters) = (tree, parameters)
        let failures = try Parallel.map(all.count, tools: { ByteBuffer(capacity: 1 << 20) }) { i, buffer in
            let path = tree.path(TreePath.patch(all[i].blockID, parameters))
            do {
                try PatchFile.check(path, is: all[i], with: &buffer)
                return nil as (any Error)?
            } catch {
                return error
            }
        }
        wrong.formUnion(zip(all, failures).lazy.filter { $1 != nil }.map(\.0.blockID))
        report.patches = try note(failures)
    }

    private mutating func checkSnapshots() throws {
        guard let kept = report.dataFrom else { return }
        for statement in statements.values.filter({ $0.isEpochStart && $0.height >= kept }).sorted(by: {
            $0.height < $1.height
        }) {
            guard let root = statement.snapshotRoot else { continue }
            let block = statement.blockID
            tell("snapshot of height \(block.height)")
            let before = report.problems.count
            defer { if report.problems.count > before { wrong.insert(block) } }
            do {
                let manifest = try tree.manifest(of: block, parameters: parameters, root: root)
                if manifest.coins != statement.coins {
                    report.problems.append(
                        "\(tree.path(TreePath.manifest(block))): its coins are \(manifest.coins), the statement says "
                            + "\(statement.coins)")
                }
                if isDeep { try audit(statement, manifest) } else { try checkShards(block, manifest) }
                if report.problems.count == before { report.snapshots += 1 }
            } catch {
                try note(error)
            }
        }
    }

    private mutating func checkShards(_ block: BlockID, _ manifest: Manifest) throws {
        let tree = tree
        let failures = try Parallel.map(manifest.shards.count) { shard in
            do {
                var reader = try ShardReader(
                    tree.path(TreePath.shard(shard, of: block)), expected: manifest.shards[shard])
                try reader.check()
                return nil as (any Error)?
            } catch {
                return error
            }
        }
        report.shards += try note(failures)
    }

    /// MuHash, coins and amount from the coins; and the same manifest from the snapshot before, where that is here.
    private mutating func audit(_ statement: Statement, _ manifest: Manifest) throws {
        let audit = SnapshotAudit(tree: tree, parameters: parameters)
        let path = tree.path(TreePath.manifest(statement.blockID))
        let totals = try audit.totals(statement.blockID, manifest)
        report.shards += manifest.shards.count
        let muhash = totals.muhash.digest()
        if muhash != statement.muhash {
            report.problems.append(
                "\(path): the MuHash of its coins is \(muhash.reversedHex), not the attested one")
        }
        if totals.coins != statement.coins || totals.amount != statement.amount {
            report.problems.append(
                "\(path): holds \(totals.coins) coins of \(totals.amount) satoshi, not what is attested")
        }
        guard let (before, patches) = try snapshotBefore(statement) else { return }
        if try audit.manifest(after: before, patches: patches) != manifest {
            report.problems.append("\(path): is not what the snapshot before becomes with the patches since")
        }
    }

    /// The newest epoch's patches, applied to its snapshot, come to what the statement of the last header's block says.
    private mutating func replay() throws {
        guard isDeep, report.dataFrom != nil,
            let newest = headed.max(by: { $0.height < $1.height }).flatMap({ statements[$0] }),
            !newest.isEpochStart, let (before, patches) = try snapshotBefore(newest)
        else { return }
        tell("patches up to height \(newest.height)")
        let path = tree.path(TreePath.attestation(newest.blockID, parameters))
        do {
            let totals = try SnapshotAudit(tree: tree, parameters: parameters)
                .totals(after: before, patches: patches, for: path)
            let muhash = totals.muhash.digest()
            if muhash != newest.muhash || totals.coins != newest.coins || totals.amount != newest.amount {
                report.problems.append(
                    "\(path): the newest snapshot and the patches since come to \(totals.coins) coins of "
                        + "\(totals.amount) satoshi with the MuHash \(muhash.reversedHex), not to what is attested"
                )
            }
        } catch let error as ChangeError {
            let block = patches.first { $0.block.height == error.height }?.block ?? newest.blockID
            try note(FileError(tree.path(TreePath.patch(block, parameters)), "\(error)"))
        } catch {
            try note(error)
        }
    }

    /// The snapshot before and the patches since, where the tree has all of them and none is wrong.
    private func snapshotBefore(
        _ statement: Statement
    ) throws -> (SnapshotMerge.Before?, [SnapshotMerge.Patch])? {
        if patched.isEmpty || wrong.contains(statement.blockID) { return nil }
        var patches = [SnapshotMerge.Patch(block: statement.blockID, root: statement.patchRoot)]
        if statement.height == 0 { return (nil, patches) }
        var at = statement
        while let next = parent(of: at) {
            if next.height < report.dataFrom ?? 0 || wrong.contains(next.blockID) { return nil }
            if let root = next.snapshotRoot {
                let manifest = try tree.manifest(of: next.blockID, parameters: parameters, root: root)
                return (SnapshotMerge.Before(block: next.blockID, manifest: manifest), patches.reversed())
            }
            patches.append(SnapshotMerge.Patch(block: next.blockID, root: next.patchRoot))
            at = next
        }
        return nil
    }

    /// Headers are linked from the network's genesis block to the last, and every block of them is attested from `first` on.
    private mutating func checkHeaders() throws {
        tell("headers")
        var last: (height: Int, hash: Digest)?
        for name in try names(in: "headers") {
            let path = "headers/\(name)"
            guard name.hasSuffix(".bin"), let start = TreePath.height(digits: name.dropLast(4)),
                start % parameters.epoch == 0
            else { continue }
            unsigned.insert(path)
            do {
                let bytes = try File.read(tree.path(path), atMost: parameters.epoch * BlockHeader.size)
                let chain = try HeaderChain(parsing: bytes, from: start, of: report.authority.network)
                guard chain.start == (last.map { $0.height + 1 } ?? 0), chain.parent == (last?.hash ?? .zero)
                else {
                    throw ParseError(.malformed("does not go on from the headers before"), at: 0)
                }
                for height in start..<start + chain.hashes.count where height >= report.authority.first {
                    guard let block = chain.block(at: height), statements[block] != nil else {
                        throw ParseError(
                            .malformed("has a header of height \(height) that is not attested"),
                            at: (height - start) * BlockHeader.size)
                    }
                }
                headed.formUnion(
                    (start..<start + chain.hashes.count).lazy.compactMap { chain.block(at: $0) })
                report.headers += chain.hashes.count
                last = chain.hashes.last.map { (start + chain.hashes.count - 1, $0) }
            } catch let error as ParseError {
                try note(FileError.parse(error, tree.path(path)))
            } catch {
                try note(error)
            }
        }
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
            try note(error)
        }
        let pem = tree.path(TreePath.authorityPEM)
        do {
            guard try File.read(pem, atMost: 1024) == Array(key.pem.utf8) else {
                throw FileError(pem, "is not the key \(key.hex)")
            }
        } catch {
            try note(error)
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
