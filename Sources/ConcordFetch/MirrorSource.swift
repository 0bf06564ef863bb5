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

    /// Brings what statements name, the manifest when all it lists is there. Gives how many files came.
    func data(of statements: [Statement], into folder: Folder) throws -> Int {
        var wanted = statements.map(VerifiedDownloads.Wanted.patch)
        var manifest: (path: String, bytes: [UInt8])?
        if let first = statements.first, let root = first.snapshotRoot {
            let path = TreePath.manifest(first.blockID)
            let list = try fetchManifest(path, root)
            wanted += list.shards.indices.map { .shard($0, of: first.blockID, list) }
            manifest = (path, Array(list.text.utf8))
        }
        wanted = wanted.filter { !folder.contains($0.path) }
        let downloads = VerifiedDownloads(transfers, into: folder, hosts: [url], preferred: 1)
        do {
            try downloads.run(wanted) { _, _ in }
        } catch let error as VerifiedDownloads.NoHost {
            throw TreeMirror.Unusable(description: error.description)
        }
        guard let manifest, !folder.contains(manifest.path) else { return wanted.count }
        try folder.write(manifest.bytes, at: manifest.path)
        return wanted.count + 1
    }

    private func fetchManifest(_ path: String, _ root: Digest) throws -> Manifest {
        let shards = authority.parameters.shards
        let bytes = try transfers.fetch(
            Request("\(url)/\(path)", limit: Manifest.mostBytes(shards: shards))
        ).bytes
        guard let manifest = try? Manifest(parsing: bytes, shards: shards), manifest.root == root else {
            throw TreeMirror.Unusable(
                description:
                    "\(WebAddress.shown(url))/\(path): is not the manifest that the statement names")
        }
        return manifest
    }
}
