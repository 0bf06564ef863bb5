import Concord
import ConcordFiles
import ConcordTree

/// The signed files of authorities that contradict each other, kept so that anybody can check them with openssl.
public struct Evidence {
    /// Where it was written.
    public let path: String
    /// Who says what, in words.
    public let account: String

    /// Writes `evidence/HEIGHT-BLOCK/`: for every statement of the block the attestation, its signature and the key, and
    /// `account.txt`.
    public init(of block: BlockID, heard: [Survey.Heard], in home: Folder) throws {
        let relative = "evidence/\(TreePath.name(block))"
        var files: [Folder.Staged] = []
        var said: [(name: String, file: String, statement: Statement)] = []
        for one in heard where one.view.counts(at: block.height) {
            let own = one.attestations.filter { $0.statement.blockID == block }
            for signed in own {
                // Named by its contents: an older piece of evidence is never overwritten.
                let file = "\(one.authority.name)-\(signed.attestation.digest.hex.prefix(16)).txt"
                files.append(try home.stage(signed.bytes, at: "\(relative)/\(file)"))
                files.append(try home.stage(signed.signature, at: "\(relative)/\(TreePath.signature(file))"))
                said.append((one.authority.name.description, file, signed.statement))
            }
            if !own.isEmpty {
                files.append(
                    try home.stage(one.authority.key.pem, at: "\(relative)/\(one.authority.name).pem"))
            }
        }
        account = Self.account(block, said)
        files.append(try home.stage(account, at: "\(relative)/account.txt"))
        try home.install(files)
        path = home.path(relative)
    }

    private static func account(
        _ block: BlockID, _ said: [(name: String, file: String, statement: Statement)]
    ) -> String {
        var text = "Block \(block.hash.reversedHex) at height \(block.height)\n\n"
        let statements = Set(said.map(\.statement)).sorted { $0.digest < $1.digest }
        for statement in statements {
            text += "statement \(statement.digest.hex)\n"
            for one in said where one.statement == statement {
                text += "  signed by \(one.name): \(one.file)\n"
            }
        }
        if let first = statements.first {
            for other in statements.dropFirst() {
                text += "\n\(first.digest.hex.prefix(16)) and \(other.digest.hex.prefix(16)) differ in:\n"
                for field in first.differences(from: other) {
                    text += "  \(field): \(first.value(of: field)) | \(other.value(of: field))\n"
                }
            }
        }
        text += "\nCheck a signature with: openssl dgst -sha256 -verify NAME.pem -signature FILE.sig FILE\n"
        return text
    }
}
