import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree

/// The patches, manifests and shards that one side's statements name, each held to the statement: in a folder, or
/// brought there from an authority's hosts when somebody wants to look at one.
public struct CommittedData {
    let folder: Folder
    /// Nil where everything that there is is in the folder.
    private let hosts: (urls: [String], transfers: Transfers)?

    /// Data in a folder with the layout of a tree.
    public init(in folder: Folder) {
        self.folder = folder
        hosts = nil
    }

    /// Data of authorities that all state the same, fetched into a folder for it alone.
    public init(of authorities: [Authority], transfers: Transfers, into folder: Folder) {
        self.folder = folder
        hosts = (authorities.flatMap(\.urls), transfers)
    }

    /// Unpacks the patch that a statement names. Throws `FileError`, or `SetFetch.NoValidBytes` where no host has it.
    func patch(_ statement: Statement, into out: inout ByteBuffer) throws -> PatchIndex {
        let wanted = VerifiedDownloads.Wanted.patch(statement)
        try bring(wanted)
        return try PatchFile.read(
            folder.path(wanted.path), shards: statement.parameters.shards, root: statement.patchRoot,
            into: &out)
    }

    /// The manifest of the snapshot that a statement of an epoch height names.
    func manifest(_ statement: Statement) throws -> Manifest {
        let (parameters, root) = (statement.parameters, statement.snapshotRoot)
        try bring(
            VerifiedDownloads.Wanted(
                path: TreePath.manifest(statement.blockID),
                limit: Manifest.maxBytes(shards: parameters.shards)
            ) {
                _ = try Manifest.read($0, parameters: parameters, root: root)
            })
        return try Tree(folder.root).manifest(of: statement.blockID, parameters: parameters, root: root)
    }

    /// Opens a shard of a snapshot.
    func shard(_ shard: Int, of block: BlockID, _ manifest: Manifest) throws -> ShardReader {
        let wanted = VerifiedDownloads.Wanted.shard(shard, of: block, manifest)
        try bring(wanted)
        // Who compares coins may stop before its end.
        var reader = try ShardReader(folder.path(wanted.path), expected: manifest.shards[shard])
        try reader.check()
        return try ShardReader(folder.path(wanted.path), expected: manifest.shards[shard])
    }

    private func bring(_ wanted: VerifiedDownloads.Wanted) throws {
        if try folder.contains(wanted.path) { return }
        guard let hosts, !hosts.urls.isEmpty else {
            throw SetFetch.NoValidBytes(description: "\(wanted.path) is not here")
        }
        let downloads = VerifiedDownloads(
            hosts.transfers, into: folder, hosts: hosts.urls, preferred: hosts.urls.count)
        do {
            try downloads.run([wanted]) { _, _ in }
        } catch let error as VerifiedDownloads.NoHost {
            throw SetFetch.NoValidBytes(description: error.description)
        }
    }
}
