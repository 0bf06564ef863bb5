import Concord
import ConcordTree

/// Turns statements into signed files: journal first, then signatures, then the tree.
struct Attestor {
    let folder: Folder
    let key: SigningKey
    let name: AuthorityName
    let software: String
    let note: String?
    let parameters: TreeParameters
    var journal: SigningJournal

    /// Attests statements of one epoch. A block that the tree has an attestation of keeps it; it must say the same.
    /// Gives the number of signatures made.
    mutating func attest(_ statements: [Statement], now: Int64) throws -> Int {
        // Before the journal: what contradicts the tree is not about to be signed, and must not stand there as if it were.
        let isAttested = try statements.map(isAttested)
        let times = try journal.record(statements, now: now)
        var files: [Folder.Staged] = []
        for (i, statement) in statements.enumerated() where !isAttested[i] {
            let relative = TreePath.attestation(statement.blockID, parameters)
            let attestation = Attestation(
                statement: statement, authority: name, key: key.publicKey, time: times[i], software: software,
                note: note)
            // The signature gets its name first: an attestation that can be seen is complete, and never made anew.
            files.append(try folder.stage(try key.sign(attestation.digest), at: TreePath.signature(relative)))
            files.append(try folder.stage(attestation.text, at: relative))
        }
        try folder.install(files)
        return files.count / 2
    }

    /// Whether the tree has an attestation of this very statement; throws where it has one of another.
    private func isAttested(_ statement: Statement) throws(FileError) -> Bool {
        let relative = TreePath.attestation(statement.blockID, parameters)
        guard folder.contains(relative), folder.contains(TreePath.signature(relative)) else { return false }
        let known = try Tree(folder.root)
            .attestation(of: statement.blockID, parameters: parameters, key: key.publicKey).statement
        guard known == statement else {
            throw FileError(
                folder.path(relative),
                "says something else than the chain data, in «"
                    + known.differences(from: statement).joined(separator: ", ")
                    + "»; nothing was signed. Check the node and the tree before you go on",
                kind: .conflict)
        }
        return true
    }
}
