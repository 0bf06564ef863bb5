/// A block that this program knows, from which headers are followed instead of from the genesis block.
///
/// Above it the rules judge every header, and its work goes on from there. What they look back at lies below it: the first
/// block of its period, whose time the next target depends on, and the ten blocks before it. These headers come with it, from
/// `base` on, and are held to it by their links alone.
public struct PinnedStart: Hashable, Sendable {
    public let block: BlockID
    /// The expected number of hashes for the chain up to it, that block included (`nChainWork`).
    public let work: UInt128
    /// The height of the first header: that of an epoch of a tree, for headers come in files of epochs. So whoever follows
    /// the chain from there knows all blocks of the epoch that `block` lies in.
    public let base: Int

    init(_ block: BlockID, work: UInt128, _ network: Network, _ parameters: TreeParameters) {
        let period = HeaderRules(network).interval
        let lowest = min(block.height - block.height % period, max(0, block.height - 10))
        (self.block, self.work, base) = (block, work, parameters.epochStart(of: lowest))
    }

    /// Headers from `base` to the block.
    public var count: Int { block.height - base + 1 }
}

extension Network {
    /// Where headers of trees with these parameters begin; nil where they begin with the genesis block.
    ///
    /// On the main network it is the last of `knownBlocks`, and its work is `knownWork`: Bitcoin Core takes
    /// `nMinimumChainWork` from the header of the block that it names as `defaultAssumeValid` (doc/release-process.md;
    /// kernel/chainparams.cpp as of bitcoin/bitcoin#34677, where reviewers say so of these two). Of testnet4's and signet's
    /// values that was not seen, and their headers are few.
    public func pinnedStart(_ parameters: TreeParameters) -> PinnedStart? {
        guard self == .main, let block = knownBlocks.last else { return nil }
        return PinnedStart(block, work: knownWork, self, parameters)
    }
}
