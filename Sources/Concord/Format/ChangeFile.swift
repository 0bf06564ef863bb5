/// A file of changes that a statement names: the patch of its block, or the delta of the last blocks up to it.
public struct ChangeFile: Hashable, Sendable {
    /// The last block.
    public let block: BlockID
    /// Blocks whose changes it holds; 1 is a patch.
    public let span: Int
    /// What the statement says.
    public let root: Digest

    public init(block: BlockID, span: Int, root: Digest) {
        (self.block, self.span, self.root) = (block, span, root)
    }

    /// The one of so many blocks that ends with a statement's; nil where the statement names none.
    public init?(_ statement: Statement, span: Int) {
        guard let root = statement.root(ofSpan: span) else { return nil }
        self.init(block: statement.blockID, span: span, root: root)
    }

    /// The heights of its blocks.
    public var heights: ClosedRange<Int> { block.height - span + 1...block.height }

    public func path(_ parameters: TreeParameters) -> String {
        TreePath.changes(block, span: span, parameters)
    }
}

extension Statement {
    /// The patch and the deltas that it names, the shortest first.
    public var changeFiles: [ChangeFile] {
        ([1] + parameters.deltaSpans(at: height)).compactMap { ChangeFile(self, span: $0) }
    }
}
