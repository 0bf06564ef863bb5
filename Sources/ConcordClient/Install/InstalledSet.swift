import Concord
import ConcordFiles
import ConcordTree
import Foundation

/// What a client has fetched and may use: the agreed block, the statements that lead to it from its epoch's snapshot,
/// and which shards are there. `agreed.json` names them, and is the last file to change.
///
/// The folder has the layout of a published tree. The attestations of the agreed block are kept by authority under
/// `authorities/KEY/`, so that what is used here can always be traced to a signature; the statements that it pins are under
/// `statements/`, and the MuHash numbers of the shards under `numbers/`.
public struct InstalledSet: Sendable {
    public let folder: Folder
    public let statement: Statement
    /// When one of those who agreed signed it, in seconds since 1970.
    public let time: Int64
    /// From the snapshot's on to the agreed one, each named by the next.
    public let statements: [Statement]
    public let manifest: Manifest
    /// The shards that are there; all of them if nil.
    public let shards: [Int]?
    /// Those of them that are there so that nobody sees which ones are wanted.
    let cover: [Int]
    /// Of the shards that are followed without being there, what is known.
    let bases: ShardBases
    /// The authorities that agreed, by name.
    public let authorities: [String]

    static let pointer = "agreed.json"

    struct Pointer: Codable {
        let height: Int
        let block: String
        /// The shards that are there; all of them if nil.
        let shards: [Int]?
        /// Those of them that were asked for by their numbers; nil for all.
        var asked: [Int]?
        /// Those of them that are there so that nobody sees which ones are wanted.
        var cover: [Int]?
        /// The digest of the file with the bases of the shards that are followed; nil where none is.
        var bases: String?
        let epochShards: Int
        let epochBlocks: Int
        let authorities: [String]
        /// The keys whose attestations of the block are kept.
        let witnesses: [String]
        /// The blocks of the statements from the snapshot's on to the agreed one, by the names of their files. Nil in what
        /// was fetched before the format had deltas.
        let way: [String]?
    }

    public var block: BlockID { statement.blockID }
    public var snapshot: BlockID { statements[0].blockID }

    /// The pointer, or nil where nothing was ever installed.
    static func pointer(in folder: Folder) throws -> Pointer? {
        let path = folder.path(pointer)
        do {
            return try JSONDecoder().decode(Pointer.self, from: Data(try File.read(path, atMost: 1 << 20)))
        } catch let error as FileError {
            if error.isMissing { return nil }
            throw error
        } catch {
            throw SetDamage(path, .wantedShards)
        }
    }

    /// The shards that the last fetch was asked for by their numbers, however damaged the rest may be; nil for all, and where
    /// there was none.
    public static func wantedShards(in folder: Folder) throws -> [Int]? {
        try pointer(in: folder).flatMap { $0.shards == nil ? nil : $0.asked ?? $0.shards }
    }

    /// Whether something was installed here once.
    static func isThere(in folder: Folder) throws -> Bool { try folder.contains(pointer) }

    /// How many shards the last fetch took so that nobody sees which ones are wanted.
    static func coverCount(in folder: Folder) throws -> Int { (try? pointer(in: folder)?.cover?.count) ?? 0 }

    /// Reads what is installed; every signature and the way from the snapshot to the block are checked again.
    public init?(in folder: Folder) throws {
        guard let pointer = try Self.pointer(in: folder) else { return nil }
        let path = folder.path(Self.pointer)
        guard let way = pointer.way else { throw SetDamage(path, .otherFormat) }
        guard let hash = Digest(reversedHex: pointer.block),
            (0...TreePath.maxHeight).contains(pointer.height),
            let parameters = TreeParameters(checking: pointer.epochShards, epoch: pointer.epochBlocks)
        else { throw SetDamage(path, .pointer) }
        let block = BlockID(height: pointer.height, hash: hash)
        let blocks = way.compactMap(TreePath.block(named:))
        guard blocks.count == way.count, blocks.last == block,
            blocks[0].height == parameters.epochStart(of: block.height)
        else { throw SetDamage(path, .pointer) }
        let store = StatementStore(folder: folder, parameters: parameters)
        guard
            let signed = store.attestation(
                of: block, keys: pointer.witnesses.compactMap { PublicKey(hex: $0) })
        else { throw SetDamage(folder.root, .missingStatement(height: block.height)) }
        var statements: [Statement] = []
        for block in blocks.dropLast() {
            guard let statement = store.statement(of: block) else {
                throw SetDamage(folder.root, .missingStatement(height: block.height))
            }
            statements.append(statement)
        }
        statements.append(signed.statement)
        if let place = StatementWay.firstBroken(in: statements) {
            throw SetDamage(folder.root, .brokenStatements(height: statements[place].height))
        }
        var bases = ShardBases(at: blocks[0])
        if let digest = pointer.bases {
            guard let digest = Digest(hex: digest),
                let kept = ShardBases(at: blocks[0], in: folder, digest: digest)
            else { throw SetDamage(folder.path(ShardBases.path(blocks[0])), .bases) }
            bases = kept
        }
        self.bases = bases
        guard let root = statements[0].snapshotRoot else { throw SetDamage(path, .pointer) }
        do throws(FileError) {
            manifest = try Tree(folder.root).manifest(of: blocks[0], parameters: parameters, root: root)
        } catch {
            throw error.isContent || error.isMissing ? SetDamage(error.path, .file(error)) : error
        }
        (self.folder, self.statements) = (folder, statements)
        (statement, time) = (signed.statement, signed.attestation.time)
        shards = pointer.shards
        cover = pointer.cover ?? []
        authorities = pointer.authorities
    }

    public func has(shard: Int) -> Bool { shards?.contains(shard) ?? true }

    /// Whether the coins of a script can be told: its shard is there, or is followed for this script.
    public func knows(_ script: [UInt8]) -> Bool {
        let shard = script.withBytes(statement.parameters.shard(of:))
        return has(shard: shard) || bases[shard]?.covers(script) ?? false
    }

    /// The same of a script of which only the SHA-256 is known.
    public func knows(scriptHash hash: Digest) -> Bool {
        let shard = statement.parameters.shard(ofScriptHash: hash)
        return has(shard: shard)
            || bases[shard]?.scripts.contains { [UInt8](hex: $0).map(SHA256.hash) == hash } ?? false
    }

    /// The heights that can be told something of: those of the statements that lead to the installed one.
    public var heights: [Int] { statements.map(\.height) }

    /// The numbers of the shards that are followed without being there, ascending.
    public var followedShards: [Int] { bases.shards }

    /// The numbers of the shards that are there, ascending.
    var heldShards: [Int] { shards ?? Array(0..<statement.parameters.shards) }

    /// Does something with the files that are here; an error of their contents is damage.
    func reading<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        do {
            return try readingFiles(body)
        } catch let error as ChangeError {
            let file = files.first { $0.block.height == error.height }
            throw SetDamage(
                folder.path(file?.path(statement.parameters) ?? "patches"),
                .signed(error, authorities: authorities))
        }
    }

    /// The same, and changes that do not fit each other stay an error of their own.
    func readingFiles<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as FileError
            where (error.isContent || error.isMissing) && error.path.hasPrefix(folder.root + "/")
        {
            throw SetDamage(error.path, .file(error))
        }
    }

    /// The patches and deltas that lead from the snapshot to the agreed block.
    var files: [ChangeFile] { StatementWay.files(statements) }

    /// What the shards held after the snapshot's block.
    var before: SnapshotMerge.Before { SnapshotMerge.Before(block: snapshot, contents: manifest.contents) }
}
