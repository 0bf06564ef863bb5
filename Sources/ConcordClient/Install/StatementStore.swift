import Concord
import ConcordFiles
import ConcordTree

/// The statements that a client's set rests on: attestations by authority, with their signatures, and the texts of those
/// that they pin.
struct StatementStore {
    let folder: Folder
    let parameters: TreeParameters

    static let authorities = "authorities"
    static let statements = "statements"

    /// Where what a key signed is kept, as in its tree.
    static func tree(of key: PublicKey) -> String { "\(authorities)/\(key.hex)" }

    /// The attestation of a block that is kept for one of these keys.
    func attestation(of block: BlockID, keys: [PublicKey]) -> SignedAttestation? {
        for key in keys {
            let tree = Tree(folder.path(Self.tree(of: key)))
            if let signed = try? tree.attestation(of: block, parameters: parameters, key: key) {
                return signed
            }
        }
        return nil
    }

    /// Writes an attestation aside, to be kept.
    func stage(_ signed: SignedAttestation) throws(FileError) -> [Folder.Staged] {
        let path =
            "\(Self.tree(of: signed.attestation.key))/"
            + TreePath.attestation(signed.statement.blockID, parameters)
        return [
            try folder.stage(signed.signature, at: TreePath.signature(path)),
            try folder.stage(signed.bytes, at: path),
        ]
    }

    static func path(_ block: BlockID) -> String { "\(statements)/\(TreePath.name(block)).txt" }

    /// The statement of a block that is kept; whoever asks holds it to a digest.
    func statement(of block: BlockID) -> Statement? {
        guard let bytes = try? File.read(folder.path(Self.path(block)), atMost: Attestation.maxBytes) else {
            return nil
        }
        var lines = FieldLines(bytes)
        guard let statement = try? Statement(parsing: &lines), lines.isAtEnd, statement.blockID == block,
            statement.parameters == parameters
        else { return nil }
        return statement
    }

    /// Writes a statement aside, to be kept.
    func stage(_ statement: Statement) throws(FileError) -> Folder.Staged {
        try folder.stage(statement.text, at: Self.path(statement.blockID))
    }
}
