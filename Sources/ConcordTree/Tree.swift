import Concord
import ConcordFiles

/// A published tree on the disk, as a reader sees it.
public struct Tree: Sendable {
    public let root: String

    public init(_ root: String) {
        self.root = root
    }

    public func path(_ relative: String) -> String { "\(root)/\(relative)" }

    /// What the tree says of itself, unsigned.
    public func authority() throws(FileError) -> AuthorityFile {
        let path = path(TreePath.authority)
        let bytes = try File.read(path, atMost: AuthorityFile.maxBytes)
        do throws(ParseError) { return try AuthorityFile(parsing: bytes) } catch { throw .parse(error, path) }
    }

    /// The block that latest.txt names, unsigned.
    public func latest() throws(FileError) -> BlockID {
        let path = path(TreePath.latest)
        let bytes = try File.read(path, atMost: 128)
        do throws(ParseError) { return try BlockID(parsingLatest: bytes) } catch { throw .parse(error, path) }
    }

    /// The attestation of a block by this key, its signature checked.
    public func attestation(
        of block: BlockID, parameters: TreeParameters, key: PublicKey
    ) throws(FileError) -> SignedAttestation {
        let path = path(TreePath.attestation(block, parameters))
        let bytes = try File.read(path, atMost: Attestation.maxBytes)
        let signature = try File.read(
            TreePath.signature(path), atMost: SignedAttestation.maxSignatureBytes)
        let signed: SignedAttestation
        do throws(AttestationError) {
            signed = try SignedAttestation(checking: bytes, signature: signature, key: key)
        } catch {
            throw FileError(path, error.description)
        }
        guard signed.statement.blockID == block, signed.statement.parameters == parameters else {
            throw FileError(
                path, "attests another block, or a tree partitioned otherwise, than its name says")
        }
        return signed
    }

    /// Whether there is a snapshot whose manifest is there, of any block.
    public func hasData() throws(FileError) -> Bool {
        let folder = Folder(reading: root)
        for name in try Folder.names(in: path("snapshots")) {
            if let block = TreePath.block(named: name), try folder.contains(TreePath.manifest(block)) {
                return true
            }
        }
        return false
    }

    /// The manifest of a snapshot, held to the root that a statement names; of one that nobody attests, as it is.
    public func manifest(
        of block: BlockID, parameters: TreeParameters, root: Digest?
    ) throws(FileError) -> Manifest {
        try Manifest.read(path(TreePath.manifest(block)), parameters: parameters, root: root)
    }
}

extension Tree {
    /// The MuHashes of all shards after a block, held to the root that its statement names.
    public func muhashes(of statement: Statement) throws(FileError) -> ShardMuHashes {
        let path = path(TreePath.muhashes(statement.blockID, statement.parameters))
        let muhashes = try ShardMuHashes.read(path, statement.parameters)
        guard muhashes.root == statement.muhashes else {
            throw FileError(
                path, "are not the MuHashes that the statement names: their root is \(muhashes.root.hex)")
        }
        return muhashes
    }

    /// The filter of a shard, held to the manifest.
    public func filter(_ shard: Int, of block: BlockID, _ manifest: Manifest) throws(FileError) -> ShardFilter
    {
        try ShardFilter.read(path(TreePath.filter(shard, of: block)), block, manifest.shards[shard])
    }
}

extension ShardMuHashes {
    /// Reads a whole file.
    public static func read(
        _ path: String, _ parameters: TreeParameters
    ) throws(FileError) -> ShardMuHashes {
        let bytes = try File.read(path, atMost: size(parameters))
        do throws(ParseError) {
            return try ShardMuHashes(parsing: bytes, parameters)
        } catch {
            throw .parse(error, path)
        }
    }
}

extension ShardFilter {
    /// Reads a filter's file and holds it to the shard's line of the manifest.
    public static func read(
        _ path: String, _ block: BlockID, _ line: Manifest.Shard
    ) throws(FileError) -> ShardFilter {
        let bytes = try File.read(path, atMost: Int(line.filter.bytes))
        guard bytes.count == line.filter.bytes, SHA256.hash(bytes) == line.filter.digest else {
            throw FileError(path, "is not the filter that the manifest says")
        }
        do throws(ParseError) {
            return try ShardFilter(parsing: bytes, block: block.hash, coins: line.contents.coins)
        } catch {
            throw .parse(error, path)
        }
    }
}

extension Manifest {
    /// Reads a manifest's file and holds it to a root, if there is one. Throws unless it has this many shards.
    public static func read(
        _ path: String, parameters: TreeParameters, root: Digest?
    ) throws(FileError) -> Manifest {
        let bytes = try File.read(path, atMost: maxBytes(shards: parameters.shards))
        let manifest: Manifest
        do throws(ParseError) {
            manifest = try Manifest(parsing: bytes, shards: parameters.shards)
        } catch {
            throw .parse(error, path)
        }
        guard root == nil || manifest.root == root else {
            throw FileError(
                path, "is not the manifest that the statement names: its root is \(manifest.root.hex)")
        }
        return manifest
    }
}
