import Concord
import ConcordFiles
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
        let known = try statements.map(timeOfAttestation)
        let times = try journal.record(statements, times: known.map { $0 ?? now })
        var files: [Folder.Staged] = []
        for (i, statement) in statements.enumerated() where known[i] == nil {
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

    /// The time of the attestation that the tree has of this very statement, nil if it has none; throws where it has one
    /// of another.
    private func timeOfAttestation(_ statement: Statement) throws(FileError) -> Int64? {
        let relative = TreePath.attestation(statement.blockID, parameters)
        guard try folder.contains(relative), try folder.contains(TreePath.signature(relative)) else {
            return nil
        }
        let known = try Tree(folder.root)
            .attestation(of: statement.blockID, parameters: parameters, key: key.publicKey).attestation
        guard known.statement == statement else {
            throw FileError(
                folder.path(relative),
                "says something else than the chain data, in «"
                    + known.statement.differences(from: statement).joined(separator: ", ")
                    + "»; nothing was signed. Check the node and the tree before you go on",
                kind: .conflict)
        }
        return known.time
    }
}
