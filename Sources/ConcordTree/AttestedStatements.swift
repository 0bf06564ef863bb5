import Concord

/// The statements that a tree attests, on all branches.
struct AttestedStatements {
    private var byBlock: [BlockID: Statement] = [:]

    var isEmpty: Bool { byBlock.isEmpty }

    subscript(_ block: BlockID) -> Statement? { byBlock[block] }

    mutating func add(_ statement: Statement) { byBlock[statement.blockID] = statement }

    /// By height; of one height in the order of their blocks.
    var ascending: [Statement] {
        byBlock.values.sorted { ($0.height, $0.block) < ($1.height, $1.block) }
    }

    func parent(of statement: Statement) -> Statement? {
        byBlock[BlockID(height: statement.height - 1, hash: statement.parent)]
    }

    /// The statement so many blocks below, nil where one on the way is missing.
    func ancestor(of statement: Statement, _ span: Int) -> Statement? {
        var found: Statement? = statement
        for _ in 0..<span { found = found.flatMap(parent) }
        return found
    }
}
