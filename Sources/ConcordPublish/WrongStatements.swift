import Concord
import ConcordBuild
import ConcordChain
import ConcordFiles
import ConcordTree

/// What an operator has to know where the set contradicts the undo data that statements were made from: which of what
/// the key signed is wrong, and how to go on.
struct WrongStatements {
    let builder: SetBuilder
    let tree: Folder
    let state: Folder
    let key: PublicKey
    private var source: any ChainSource { builder.source }
    private var parameters: TreeParameters { builder.parameters }

    /// The error to end with. `position` is where the last batch that was signed ended.
    func explain(_ contradiction: SetContradiction, _ position: SetBuilder.Position) throws -> FileError {
        let fault = contradiction.fault
        let last = position.statement?.height ?? -1
        if let height = contradiction.height {
            let after =
                if height <= last {
                    try consequences(from: height, last)
                } else if try isAttested(height) {
                    // Of a tree that came back from its hosts, or whose running values were lost.
                    "An earlier run has signed a statement of that height. Compare it with other authorities' "
                        + "(`concord check --height \(height)`): if theirs is the same, what is here now is wrong, so put it "
                        + "right, and run the command again. If it is not: \(try consequences(from: height, last))"
                } else {
                    "Nothing was signed of it: put it right, and run the command again"
                }
            return FileError(fault.path, "\(fault.message). \(after)", kind: .conflict)
        }
        guard position.statement != nil else {
            return FileError(
                fault.path,
                "\(fault.message). Nothing was signed now: put it right, and run the command again",
                kind: .conflict)
        }
        // The undo data is right now; it may have been another when the statements were made.
        let tree = Tree(tree.root)
        let wrong = try builder.firstWrong(position.epoch, through: last) { block, values, patchRoot in
            let said = try tree.attestation(of: block, parameters: parameters, key: key).statement
            return said.coins == values.coins && said.amount == values.amount && said.muhash == values.muhash
                && (patchRoot == nil || said.patchRoot == patchRoot)
        }
        guard let wrong else {
            return FileError(
                fault.path,
                "\(fault.message). What was signed up to height \(last) is right: "
                    + (builder.data.root == self.tree.root
                        ? "the tree's snapshots or patches are damaged; `concord verify \(tree.root) --deep` says where"
                        : "the set in \(builder.data.root) is damaged; remove that folder, and the next run works it out "
                            + "again"),
                kind: .conflict)
        }
        let path = tree.path(TreePath.attestation(wrong.block, parameters))
        return try FileError(
            path,
            "is wrong: after this block the set has \(wrong.values). It was made from other undo data than is there now. "
                + consequences(from: wrong.block.height, last), kind: .conflict)
    }

    private func consequences(from height: Int, _ newest: Int) throws(FileError) -> String {
        var last = max(newest, height)
        while last < source.tip, try isAttested(last + 1) { last += 1 }
        let heights =
            last == height
            ? "The statement of height \(height)" : "The statements of heights \(height) to \(last)"
        return
            "\(heights), which this key has signed, cannot be trusted, and a key cannot take back what it signed: see "
            + "\(tree.path("attestations")) and \(state.path("journal/\(key.hex)")). Let every trustnet that lists the key "
            + "withdraw it (`concord-publish trustnet retire --folder FOLDER NAME --from \(height)`, then `trustnet sign`), and begin another tree with a new key"
    }

    private func isAttested(_ height: Int) throws(FileError) -> Bool {
        try tree.contains(TreePath.attestation(source.blockID(at: height), parameters))
    }
}
