import Concord
import ConcordFiles
import ConcordTree
import Foundation

/// What a client has fetched and may use: the agreed block, the statements that lead to it from its epoch's snapshot,
/// and which shards are there. `agreed.json` names the block, and is the last file to change.
///
/// The folder has the layout of a published tree; attestations are kept by authority under `authorities/KEY/`, so that
/// what is used here can always be traced to a signature.
public struct InstalledSet: Sendable {
    public let folder: Folder
    public let statement: Statement
    /// From the epoch's first height on to the agreed block.
    public let statements: [Statement]
    public let manifest: Manifest
    /// The shards that are there; all of them if nil.
    public let shards: [Int]?
    /// The authorities that agreed, by name.
    public let authorities: [String]

    static let pointer = "agreed.json"

    struct Pointer: Codable {
        let height: Int
        let block: String
        let shards: [Int]?
        let epochShards: Int
        let epochBlocks: Int
        let authorities: [String]
        /// The keys whose attestations of each height from the epoch's first on are kept.
        let witnesses: [String]
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

    /// The shards that the last fetch was for, however damaged the rest may be; nil for all, and where there was none.
    public static func wantedShards(in folder: Folder) throws -> [Int]? {
        try pointer(in: folder)?.shards
    }

    /// Reads what is installed; every signature and the way from the snapshot to the block are checked again.
    public init?(in folder: Folder) throws {
        guard let pointer = try Self.pointer(in: folder) else { return nil }
        let path = folder.path(Self.pointer)
        guard let hash = Digest(reversedHex: pointer.block),
            (0...TreePath.maxHeight).contains(pointer.height),
            let parameters = TreeParameters(checking: pointer.epochShards, epoch: pointer.epochBlocks)
        else { throw SetDamage(path, .pointer) }
        let chain = StatementChain(folder: folder, parameters: parameters)
        let keys = pointer.witnesses.compactMap { PublicKey(hex: $0) }
        statements = try chain.read(to: BlockID(height: pointer.height, hash: hash), keys: keys)
        guard let first = statements.first, let last = statements.last, let root = first.snapshotRoot else {
            throw SetDamage(path, .pointer)
        }
        do throws(FileError) {
            manifest = try Tree(folder.root).manifest(of: first.blockID, parameters: parameters, root: root)
        } catch {
            throw error.isContent || error.isMissing ? SetDamage(error.path, .file(error)) : error
        }
        self.folder = folder
        statement = last
        shards = pointer.shards
        authorities = pointer.authorities
    }

    public func has(shard: Int) -> Bool { shards?.contains(shard) ?? true }

    /// Does something with the files that are here; an error of their contents is damage.
    func reading<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as FileError
            where (error.isContent || error.isMissing) && error.path.hasPrefix(folder.root + "/")
        {
            throw SetDamage(error.path, .file(error))
        } catch let error as ChangeError {
            let block = patches.first { $0.block.height == error.height }?.block
            throw SetDamage(
                folder.path(block.map { TreePath.patch($0, statement.parameters) } ?? "patches"),
                .signed(error, authorities: authorities))
        }
    }

    /// The patches since the snapshot.
    var patches: [SnapshotMerge.Patch] {
        statements.dropFirst().map { SnapshotMerge.Patch(block: $0.blockID, root: $0.patchRoot) }
    }
}
