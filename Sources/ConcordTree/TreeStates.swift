import Concord
import ConcordFiles

/// What every statement of a tree says of the set, from the snapshot before and the patches; that deltas are the net change
/// of their blocks; and that a snapshot is what the one before becomes (FORMAT.md, «To verify a tree»).
struct TreeStates {
    let tree: Tree
    private let folder: Folder
    let parameters: TreeParameters
    let statements: AttestedStatements
    /// What the coins of snapshots come to.
    let counted: [BlockID: SetTotals]
    /// Blocks with a patch, delta or snapshot that is not what the statement names.
    let wrong: Set<BlockID>
    /// Snapshots that have not the coins that the statement says.
    let untrue: Set<BlockID>
    let tell: (String) -> Void
    /// In words that name the file.
    private var problems: [String] = []

    init(
        tree: Tree, parameters: TreeParameters, statements: AttestedStatements, counted: [BlockID: SetTotals],
        wrong: Set<BlockID>, untrue: Set<BlockID>, tell: @escaping (String) -> Void
    ) {
        (self.tree, self.parameters, self.statements) = (tree, parameters, statements)
        folder = Folder(reading: tree.root)
        (self.counted, self.wrong, self.untrue, self.tell) = (counted, wrong, untrue, tell)
    }

    /// What is wrong from the height of the lowest snapshot on.
    mutating func run(from kept: Int) throws -> [String] {
        let all = statements.ascending
        let children = Set(all.map { BlockID(height: $0.height - 1, hash: $0.parent) })
        var checked: Set<BlockID> = []
        for tip in all where tip.height > kept {
            // Up to the last of an epoch, or the first of the next; and where a branch ends.
            guard tip.isEpochStart || !children.contains(tip.blockID) else { continue }
            try check(below: tip, &checked)
        }
        for statement in all where statement.height >= kept {
            for file in statement.changeFiles.dropFirst() { try checkDelta(file, statement) }
        }
        return problems
    }

    /// The states from the last snapshot below a block up to it.
    private mutating func check(below tip: Statement, _ checked: inout Set<BlockID>) throws {
        var way = [tip]
        while let last = way.last, last == tip || !last.isEpochStart {
            guard let next = statements.parent(of: last) else { return }
            way.append(next)
        }
        way.reverse()
        guard let before = way.first, let totals = counted[before.blockID], !untrue.contains(before.blockID),
            let root = before.snapshotRoot
        else { return }
        var statements = Array(way.dropFirst())
        if let bad = statements.firstIndex(where: { wrong.contains($0.blockID) }) {
            statements.removeSubrange(bad...)
        }
        guard statements.contains(where: { !checked.contains($0.blockID) }) else { return }
        tell("states of heights \(before.height + 1) to \(tip.height)")
        let manifest = try tree.manifest(of: before.blockID, parameters: parameters, root: root)
        let snapshot = SnapshotMerge.Before(block: before.blockID, contents: manifest.contents)
        do {
            let replay = SetReplay(
                root: tree.root, parameters: parameters, before: snapshot,
                files: statements.compactMap { ChangeFile($0, span: 1) })
            var isRight = true
            for (statement, state) in zip(statements, try replay.states(after: totals)) {
                // What follows from a patch that is wrong is wrong at all later heights; that is said once.
                let words = differences(state, statement)
                if let words, isRight, !checked.contains(statement.blockID) {
                    let path = tree.path(TreePath.attestation(statement.blockID, parameters))
                    problems.append("\(path): \(words)")
                }
                isRight = words == nil
                checked.insert(statement.blockID)
            }
            if tip.isEpochStart, statements.last == tip { try checkNext(tip, after: snapshot, way) }
        } catch let error as ChangeError {
            let block = statements.first { $0.height == error.height }?.blockID ?? tip.blockID
            try problems.note(FileError(tree.path(TreePath.patch(block, parameters)), "\(error)"))
        } catch {
            try problems.note(error)
        }
    }

    /// What a statement says otherwise than the coins; nil if nothing.
    private func differences(_ state: SetReplay.State, _ statement: Statement) -> String? {
        let fields = [
            ("coins", Int64(exactly: statement.coins) == state.coins),
            ("amount", Int128(statement.amount) == state.amount),
            ("muhash", statement.muhash == state.muhash),
            ("muhashes", statement.muhashes == state.muhashes.root),
        ].filter { !$0.1 }.map { "`\($0.0)`" }
        if fields.isEmpty { return nil }
        return
            "says other \(fields.joined(separator: ", ")) than the snapshot before and the patches since come to, which is "
            + "\(state.coins) coins, \(state.amount) satoshi, the MuHash \(state.muhash.reversedHex)"
            + tree.words(of: state.muhashes, statement)
    }

    /// The snapshot before and the fewest files since are the next snapshot.
    private mutating func checkNext(
        _ tip: Statement, after before: SnapshotMerge.Before, _ way: [Statement]
    ) throws {
        let files = parameters.steps(from: before.block.height, to: tip.height).compactMap { step in
            way.first { $0.height == step.height }.flatMap { ChangeFile($0, span: step.span) }
        }
        guard files.allSatisfy({ !wrong.contains($0.block) }), let root = tip.snapshotRoot,
            let manifest = try? tree.manifest(of: tip.blockID, parameters: parameters, root: root)
        else { return }
        let merge = SnapshotMerge(root: tree.root, parameters: parameters, before: before, files: files)
        let contents = try merge.contents()
        let others = contents.indices.filter { contents[$0] != manifest.contents[$0] }
        if let shard = others.first {
            problems.append(
                "\(tree.path(TreePath.manifest(tip.blockID))): is not what the snapshot before becomes with the deltas "
                    + "and patches since, first in shard \(TreePath.shardDigits(shard))")
        }
    }

    /// A delta is what the patches of its blocks, or shorter deltas, come to.
    private mutating func checkDelta(_ file: ChangeFile, _ statement: Statement) throws {
        guard !wrong.contains(statement.blockID) else { return }
        var parts: [ChangeFile] = []
        let step = parameters.spans.last { $0 < file.span } ?? 1
        var at = statement
        for _ in 0..<file.span / step {
            guard !wrong.contains(at.blockID), let part = ChangeFile(at, span: step),
                try folder.contains(part.path(parameters))
            else { return }
            parts.append(part)
            // The last block's parent may be missing, where the tree begins.
            if parts.count < file.span / step {
                guard let next = statements.ancestor(of: at, step) else { return }
                at = next
            }
        }
        do {
            let sections = PatchSections(root: tree.root, parameters: parameters, files: parts.reversed())
            let index = try DeltaBuilder(.files(sections), parameters).index()
            guard index.root == file.root else {
                throw FileError(
                    tree.path(file.path(parameters)),
                    "is not the net change of the \(file.span) blocks up to its own")
            }
        } catch {
            try problems.note(error)
        }
    }
}
