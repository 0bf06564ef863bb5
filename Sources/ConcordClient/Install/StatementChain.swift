import Concord
import ConcordFiles
import ConcordTree

/// The statements of an epoch up to one block, as a client keeps them: one attestation a height, of any authority that
/// agreed.
struct StatementChain {
    let folder: Folder
    let parameters: TreeParameters

    static func folder(of key: PublicKey) -> String { "authorities/\(key.hex)" }

    /// The attestation of a block that is kept for one of these keys.
    func kept(_ block: BlockID, keys: [PublicKey]) -> SignedAttestation? {
        for key in keys {
            let tree = Tree(folder.path(Self.folder(of: key)))
            if let signed = try? tree.attestation(of: block, parameters: parameters, key: key) {
                return signed
            }
        }
        return nil
    }

    /// Writes an attestation aside, to be kept.
    func stage(_ signed: SignedAttestation) throws(FileError) -> [Folder.Staged] {
        let path =
            Self.folder(of: signed.attestation.key) + "/"
            + TreePath.attestation(signed.statement.blockID, parameters)
        return [
            try folder.stage(signed.signature, at: TreePath.signature(path)),
            try folder.stage(signed.bytes, at: path),
        ]
    }

    /// Reads the statements back, from the epoch's first to the block's, by their parents.
    func read(to block: BlockID, keys: [PublicKey]) throws(SetDamage) -> [Statement] {
        var statements: [Statement] = []
        var next = block
        let start = parameters.epochStart(of: block.height)
        while next.height >= start {
            guard let signed = kept(next, keys: keys) else {
                throw SetDamage(folder.root, .missingStatement(height: next.height))
            }
            statements.append(signed.statement)
            next = BlockID(height: next.height - 1, hash: signed.statement.parent)
        }
        statements.reverse()
        if let place = Self.firstBroken(in: statements) {
            throw SetDamage(folder.root, .brokenStatements(height: start + place))
        }
        return statements
    }

    /// The place of the first of these statements that does not lead on from an epoch's snapshot to its last block; nil if
    /// all do. Each `history` is recomputed, so that the last one, which the authorities agree on, covers them all.
    static func firstBroken(in statements: [Statement]) -> Int? {
        guard let first = statements.first, let root = first.snapshotRoot, first.history == root else {
            return 0
        }
        return zip(statements, statements.dropFirst()).enumerated().first { _, pair in
            let (before, statement) = pair
            return
                statement.height != before.height + 1 || statement.parent != before.block
                || statement.network != before.network || statement.parameters != before.parameters
                || statement.history
                    != Statement.history(
                        after: before.history, block: statement.block, patchRoot: statement.patchRoot)
        }.map { $0.offset + 1 }
    }
}
