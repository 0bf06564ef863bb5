import Concord
import ConcordFiles
import ConcordTree

/// The tree that is mirrored, at the host it comes from; what it gives has been checked.
struct MirrorSource {
    let place: TreeReader.Place
    let authority: AuthorityFile
    let reader: TreeReader

    var kind: TreeKind { TreeKind(authority.network, authority.parameters) }

    func fault(_ asked: TreeFile, _ path: String, _ kind: Fault.Kind) -> Fault {
        Fault(authority: place.authority, url: place.url, asked: asked, path: path, kind)
    }

    /// The attestations of blocks, in their order. Throws the `Fault` of the first that could not be had.
    func attestations(of blocks: [BlockID], tick: () -> Void = {}) throws -> [SignedAttestation] {
        var found: [SignedAttestation?] = .init(repeating: nil, count: blocks.count)
        var missing: (place: Int, fault: Fault)?
        for (i, block) in blocks.enumerated() {
            let question = TreeQuestion.attestation(
                of: block, authority.parameters, keys: [authority.key])
            try reader.ask(question, at: [place]) { reply in
                if let signed = reply.answer {
                    let statement = signed.statement
                    if statement.blockID == block, TreeKind(statement) == kind {
                        found[i] = signed
                        return
                    }
                    let wrong: Fault.Kind =
                        statement.blockID == block
                        ? .otherTree(TreeKind(statement), expected: kind)
                        : .otherBlock(statement.blockID)
                    if missing.map({ $0.place > i }) ?? true {
                        missing = (i, fault(question.asked, question.path, wrong))
                    }
                } else if let fault = reply.faults.last, missing.map({ $0.place > i }) ?? true {
                    missing = (i, fault)
                }
            }
        }
        try reader.run(tick)
        if let missing { throw missing.fault }
        return found.compactMap(\.self)
    }

    /// Brings what statements of an epoch name, the manifest when all it lists is there. Gives how many files came.
    ///
    /// - Parameter isAttested: whether the attestations are there already: then patches and manifest come together, for
    ///   nothing may have the one without the other.
    func data(
        of statements: [Statement], isAttested: Bool, into folder: Folder, tick: @escaping () -> Void
    ) throws -> Int {
        var patches = try statements.flatMap { statement in
            statement.changeFiles.map { TreeQuestion.changes($0, authority.parameters) }
        }.filter { try !folder.contains($0.path) }
        let muhashes = try self.muhashes(of: statements, into: folder, tick: tick)
        var shards: [TreeQuestion<Folder.Staged>] = []
        var manifest: Folder.Staged?
        // Where the manifest is here, so are its shards.
        if let first = statements.first, let root = first.snapshotRoot {
            let question = TreeQuestion.manifest(of: first.blockID, authority.parameters, root: root)
            if try !folder.contains(question.path) {
                let reply = try reader.answer(question, at: [place])
                guard let list = reply.answer else {
                    throw NotThere(path: question.path, faults: reply.faults)
                }
                shards = try list.shards.indices.flatMap { shard in
                    [
                        TreeQuestion.shard(shard, of: first.blockID, list),
                        TreeQuestion.filter(shard, of: first.blockID, list),
                    ]
                }.filter { try !folder.contains($0.path) }
                manifest = try folder.stage(list.text, at: question.path)
            }
        }
        let count = muhashes + patches.count + shards.count + (manifest == nil ? 0 : 1)
        if !isAttested {
            shards += patches
            patches = []
        }
        try Downloads(reader, into: folder, from: [place]).run(shards) { _ in tick() }
        try Downloads(reader, into: folder, from: [place]).run(patches, with: manifest) { _ in tick() }
        return count
    }

    /// Brings the MuHashes of shards. Gives how many files came.
    private func muhashes(
        of statements: [Statement], into folder: Folder, tick: () -> Void
    ) throws -> Int {
        var (files, missing): ([Folder.Staged], NotThere?) = ([], nil)
        for statement in statements {
            let question = TreeQuestion.muhashes(statement)
            if try folder.contains(question.path) { continue }
            try reader.ask(question, at: [place]) { reply in
                guard let muhashes = reply.answer else {
                    missing = missing ?? NotThere(path: question.path, faults: reply.faults)
                    return
                }
                var bytes = ByteBuffer(capacity: ShardMuHashes.size(authority.parameters))
                muhashes.append(to: &bytes)
                files.append(try folder.stage(bytes.bytes, at: question.path))
            }
        }
        try reader.run(tick)
        try folder.install(files)
        if let missing { throw missing }
        return files.count
    }
}
