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
        let tree = Tree(folder.root)
        let times = try journal.record(statements, now: now)
        var files: [Folder.Staged] = []
        for (statement, time) in zip(statements, times) {
            let relative = TreePath.attestation(statement.blockID, parameters)
            if folder.contains(relative), folder.contains(TreePath.signature(relative)) {
                let known = try tree.attestation(of: statement.blockID, parameters: parameters, key: key.publicKey)
                guard known.statement == statement else {
                    throw FileError(
                        folder.path(relative),
                        "says something else than the chain data, in «"
                            + known.statement.differences(from: statement).joined(separator: ", ")
                            + "»; nothing was signed. Check the node and the tree before you go on",
                        kind: .conflict)
                }
                continue
            }
            let attestation = Attestation(
                statement: statement, authority: name, key: key.publicKey, time: time, software: software,
                note: note)
            // The signature gets its name first: an attestation that can be seen is complete, and never made anew.
            files.append(try folder.stage(try key.sign(attestation.digest), at: TreePath.signature(relative)))
            files.append(try folder.stage(attestation.text, at: relative))
        }
        try folder.install(files)
        return files.count / 2
    }
}
