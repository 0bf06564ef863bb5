/// Which of several chains has most work, what lies on it, and how far the others are from it. All of them are branches
/// of one trunk.
public struct MostWork: Sendable {
    public let branches: [HeaderBranch]
    /// The one with most work, by its place; of several with as much the first, so put the chain that was known before
    /// in front, as a node keeps the one that it saw first.
    public let best: Int

    /// Nil for no branches.
    public init?(among branches: [HeaderBranch]) {
        guard
            let best = branches.indices.max(by: {
                (branches[$0].work, $1) < (branches[$1].work, $0)
            })
        else { return nil }
        self.branches = branches
        self.best = best
    }

    /// Whether a block lies on the chain with most work.
    ///
    /// - Parameter trunk: gives the trunk's block at a height.
    public func contains<E: Error>(
        _ block: BlockID, trunk: (Int) throws(E) -> BlockID?
    ) throws(E) -> Bool {
        let chain = branches[best]
        return block.height > chain.fork
            ? chain.block(at: block.height) == block : try trunk(block.height) == block
    }

    /// How many blocks of a branch do not lie on the chain with most work: 0 for one that only lags.
    public func depth(of branch: Int) -> Int {
        let chain = branches[branch]
        return chain.tip.height - chain.lastCommon(with: branches[best])
    }
}
