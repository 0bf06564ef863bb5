import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree

/// The tree that is mirrored, at the host it comes from; what it gives has been checked.
struct MirrorSource {
    let url: String
    let authority: AuthorityFile
    let transfers: Transfers

    /// The attestations of blocks, checked.
    func attestations(of blocks: [BlockID]) throws -> [SignedAttestation] {
        let own = Authority(name: authority.name, key: authority.key, urls: [url])
        let fetch = AttestationFetch([own], transfers: transfers)
        let answers = try fetch.fetch(blocks, authority.parameters)[0]
        return try zip(blocks, answers).map { block, answer in
            guard case .attested(let signed) = answer, signed.statement.blockID == block,
                signed.statement.parameters == authority.parameters,
                signed.statement.network == authority.network
            else {
                let why = fetch.faults[0].first?.text ?? "the host does not have it"
                throw TreeMirror.Unusable(
                    description:
                        "\(WebAddress.shown(url))/\(TreePath.attestation(block, authority.parameters)): is no "
                        + "attestation of this tree: \(why)")
            }
            return signed
        }
    }

    /// Brings what statements of an epoch name, the manifest when all it lists is there. Gives how many files came.
    ///
    /// - Parameter isAttested: whether the attestations are there already: then patches and manifest come together, for
    ///   nothing may have the one without the other.
    func data(of statements: [Statement], isAttested: Bool, into folder: Folder) throws -> Int {
        var patches = try statements.map(VerifiedDownloads.Wanted.patch).filter {
            try !folder.contains($0.path)
        }
        var shards: [VerifiedDownloads.Wanted] = []
        var manifest: Folder.Staged?
        // Where the manifest is here, so are its shards.
        if let first = statements.first, let root = first.snapshotRoot,
            try !folder.contains(TreePath.manifest(first.blockID))
        {
            let path = TreePath.manifest(first.blockID)
            let list = try fetchManifest(path, root)
            shards = try list.shards.indices.map { .shard($0, of: first.blockID, list) }
                .filter { try !folder.contains($0.path) }
            manifest = try folder.stage(list.text, at: path)
        }
        let downloads = VerifiedDownloads(transfers, into: folder, hosts: [url], preferred: 1)
        let count = patches.count + shards.count + (manifest == nil ? 0 : 1)
        if !isAttested {
            shards += patches
            patches = []
        }
        do {
            try downloads.run(shards) { _, _ in }
            try downloads.run(patches, with: manifest) { _, _ in }
        } catch let error as VerifiedDownloads.NoHost {
            throw TreeMirror.Unusable(description: error.description)
        }
        return count
    }

    private func fetchManifest(_ path: String, _ root: Digest) throws -> Manifest {
        let shards = authority.parameters.shards
        let bytes = try transfers.fetch(
            Request("\(url)/\(path)", limit: Manifest.maxBytes(shards: shards))
        ).bytes
        guard let manifest = try? Manifest(parsing: bytes, shards: shards), manifest.root == root else {
            throw TreeMirror.Unusable(
                description:
                    "\(WebAddress.shown(url))/\(path): is not the manifest that the statement names")
        }
        return manifest
    }
}
