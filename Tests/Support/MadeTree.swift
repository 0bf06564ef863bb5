import Concord
import ConcordBuild
import ConcordFiles
import ConcordPublish
import ConcordTree
import Foundation

/// A tree that the project's own code publishes of a chain in memory, in this process: its files, and what
/// is needed to sign more of them, true or not.
public struct MadeTree: Sendable {
    public enum Extent: Sendable {
        case everything
        /// Attestations and headers, and no data.
        case witness
        /// The data of so many epochs.
        case pruned(keep: Int)
    }

    public let name: AuthorityName
    public let key: SigningKey
    public let parameters: TreeParameters
    /// The last chain that it was published of.
    public private(set) var chain: MadeChain
    /// By path.
    public var files: [String: [UInt8]]

    /// When everything is signed, unless something else is said: seconds since 1970.
    public static let time: Int64 = 1_700_000_000
    public static let parameters = TreeParameters(shards: 4, epoch: 20)

    public init(
        _ chain: MadeChain, name: String, key: SigningKey = .generate(),
        parameters: TreeParameters = MadeTree.parameters, extent: Extent = .everything, time: Int64 = time
    ) throws {
        try self.init([(chain, time)], name: name, key: key, parameters: parameters, extent: extent)
    }

    /// A tree that is published of one chain after the other, as a node has them that reorganises.
    public init(
        _ chains: [(chain: MadeChain, time: Int64)], name: String, key: SigningKey = .generate(),
        parameters: TreeParameters = MadeTree.parameters, extent: Extent = .everything
    ) throws {
        guard let name = AuthorityName(name), let last = chains.last else {
            throw TestError("\(name) is no name, or there is no chain")
        }
        let scratch = try Scratch()
        let tree = try Folder(scratch.path("tree"))
        let state = try Folder(scratch.path("state"))
        var data = tree
        if case .witness = extent { data = try Folder(scratch.path("data")) }
        try TreeMetadata(
            folder: tree,
            authority: AuthorityFile(
                name: name, network: .regtest, key: key.publicKey, parameters: parameters, first: 0)
        ).write()
        for (chain, time) in chains {
            var publisher = Publisher(
                SetBuilder(
                    source: chain, data: data, parameters: parameters, level: 1,
                    isFixed: { block throws(FileError) in
                        try tree.contains(TreePath.attestation(block, parameters))
                    }),
                tree: tree, state: state,
                signer: Publisher.Signer(key: key, name: name, software: Software.name, note: nil))
            _ = try publisher.run(to: chain.tip, now: { time }, tell: { _ in })
        }
        if case .pruned(let keep) = extent, let pruning = TreePruning(keep: keep) {
            _ = try pruning.run(tree, newest: last.chain.newest, parameters)
        }
        (self.name, self.key, self.parameters, self.chain) = (name, key, parameters, last.chain)
        let published = PlainTree(tree.root)
        files = try published.files().reduce(into: [:]) { $0[$1] = try published.read($1) }
    }

    /// A good host of it.
    public var site: ScriptedSite { ScriptedSite(files: files) }

    public func authority(at urls: [String]) -> Authority {
        Authority(name: name, key: key.publicKey, urls: urls)
    }

    /// What latest.txt names.
    public var latest: BlockID? {
        files[TreePath.latest].flatMap { try? BlockID(parsingLatest: $0) }
    }

    public func path(of block: BlockID) -> String { TreePath.attestation(block, parameters) }

    /// The path of the attestation of the chain's block at a height.
    public func path(at height: Int) -> String { path(of: chain.blockID(at: height)) }

    /// What is attested of a block; the chain's newest if nil.
    public func attestation(of block: BlockID? = nil) throws -> Attestation {
        let path = path(of: block ?? chain.newest)
        guard let bytes = files[path] else { throw TestError("nothing at \(path)") }
        return try Attestation(parsing: bytes)
    }

    /// The tree as it was when the chain's block at a height was its newest.
    public func cut(to height: Int) -> MadeTree {
        var tree = self
        tree.chain = chain.cut(to: height)
        tree.files = files.filter {
            TreePath.block(ofFile: $0.key, parameters).map { $0.height <= height } ?? true
        }
        tree.serve(headers: tree.chain.headers)
        tree.point(to: tree.chain.newest)
        return tree
    }

    // MARK: more than what was published

    /// Signs a statement, under the path of its block.
    ///
    /// - Parameter other: who signs it instead of the tree's own key; the attestation names that key.
    public mutating func attest(
        _ statement: Statement, time: Int64 = MadeTree.time, by other: SigningKey? = nil
    ) throws {
        let signer = other ?? key
        let attestation = Attestation(
            statement: statement, authority: name, key: signer.publicKey, time: time,
            software: Software.name)
        let path = TreePath.attestation(statement.blockID, parameters)
        files[path] = Array(attestation.text.utf8)
        files[TreePath.signature(path)] = try signer.sign(attestation.digest)
    }

    /// Signs something else of a block than was published.
    public mutating func change(
        _ block: BlockID? = nil, time: Int64 = MadeTree.time, _ change: (inout Statement) -> Void
    ) throws {
        var statement = try attestation(of: block).statement
        change(&statement)
        try attest(statement, time: time)
    }

    /// Signs every attestation again, changed.
    public mutating func changeAll(_ change: (inout Attestation) -> Void) throws {
        for (path, bytes) in files where path.hasPrefix("attestations/") && path.hasSuffix(".txt") {
            var attestation = try Attestation(parsing: bytes)
            change(&attestation)
            files[path] = Array(attestation.text.utf8)
            files[TreePath.signature(path)] = try key.sign(attestation.digest)
        }
    }

    /// The same tree as another authority publishes it.
    public func signed(as name: String, by key: SigningKey = .generate()) throws -> MadeTree {
        var tree = try MadeTree(copying: self, name: name, key: key)
        let name = tree.name
        try tree.changeAll { ($0.authority, $0.key) = (name, key.publicKey) }
        return tree
    }

    private init(copying other: MadeTree, name: String, key: SigningKey) throws {
        guard let name = AuthorityName(name) else { throw TestError("\(name) is no name") }
        (self.name, self.key, parameters, chain) = (name, key, other.parameters, other.chain)
        files = other.files
        files[TreePath.authority] = Array(
            AuthorityFile(
                name: name, network: .regtest, key: key.publicKey, parameters: parameters, first: 0
            ).text.utf8)
        files[TreePath.authorityPEM] = Array(key.publicKey.pem.utf8)
    }

    /// Names a block as the newest.
    public mutating func point(to block: BlockID) { files[TreePath.latest] = Array("\(block)\n".utf8) }

    /// Serves headers of its own, the first of which is that of height 0, and signs the last one's block as
    /// its newest. What it says of the set is made up.
    public mutating func lead(_ headers: [UInt8], time: Int64 = MadeTree.time) throws {
        serve(headers: headers)
        let statement = try madeUp(headers.count / BlockHeader.size - 1, of: headers)
        try attest(statement, time: time)
        point(to: statement.blockID)
    }

    /// A statement of a block of these headers that is true of nothing.
    public func madeUp(_ height: Int, of headers: [UInt8]) throws -> Statement {
        var statement = try attestation().statement
        statement.height = height
        statement.block = headers.header(height).withBytes { SHA256.double($0) }
        statement.parent = headers.header(height - 1).withBytes { SHA256.double($0) }
        let made = SHA256.hash("made up")
        statement.deltas = parameters.deltaSpans(at: height).map { _ in made }
        statement.history = parameters.historySpans(at: height).map { _ in made }
        statement.snapshotRoot = statement.isEpochStart ? made : nil
        return statement
    }

    /// Serves these headers, the first of which is that of height 0, in place of its own.
    public mutating func serve(headers: [UInt8]) {
        for path in files.keys where path.hasPrefix("headers/") { files[path] = nil }
        for (path, bytes) in Self.headerFiles(headers, parameters) { files[path] = bytes }
    }

    /// Headers from height 0 on as a tree has them, by path.
    public static func headerFiles(
        _ headers: [UInt8], _ parameters: TreeParameters
    ) -> [String: [UInt8]] {
        let size = parameters.epoch * BlockHeader.size
        return stride(from: 0, to: headers.count, by: size).reduce(into: [:]) { files, start in
            files[TreePath.headers(epochOf: start / BlockHeader.size, parameters)] = Array(
                headers[start..<min(start + size, headers.count)])
        }
    }
}

extension MadeTree {
    /// A chain of four epochs, one of them open, and the trees that three authorities publish of it.
    public static let chain = MadeChain(tip: 65)
    public static let alice = Result { try MadeTree(chain, name: "alice") }
    public static let bob = Result { try alice.get().signed(as: "bob") }
    public static let carol = Result { try alice.get().signed(as: "carol") }

    /// The three.
    public static func all() throws -> [MadeTree] { [try alice.get(), try bob.get(), try carol.get()] }
}

extension MadeTree {
    /// A frame of zstd.
    public static func frame(_ content: [UInt8]) -> [UInt8] {
        let compressor = ZstdCompressor(level: 1)
        return TestSupport.bytes { out in
            content.withBytes { compressor.append($0, isLast: true, to: &out) }
        }
    }
}
