import Concord
import ConcordFiles

/// An epoch of the chain that a mirror follows, and what the mirror has of it.
struct MirrorEpoch {
    let start: Int
    /// The blocks that the tree attests, the lowest first.
    let blocks: [BlockID]
    /// Those that are not attested here yet.
    let unattested: [BlockID]
    /// Whether the data of all its blocks is here.
    let isComplete: Bool
    /// Whether a block is attested here whose data is not.
    let isBare: Bool

    /// - Parameter first: where the tree begins.
    init(
        _ chain: HeaderChain, first: Int, in folder: Folder, _ parameters: TreeParameters
    ) throws(FileError) {
        start = chain.start
        blocks = (max(chain.start, first)..<max(chain.start, first, chain.start + chain.hashes.count))
            .compactMap(chain.block(at:))
        var (unattested, isComplete, isBare): ([BlockID], Bool, Bool) = ([], true, false)
        for block in blocks {
            let isAttested = try folder.contains(TreePath.attestation(block, parameters))
            let hasData = try Self.hasData(of: block, in: folder, parameters)
            if !isAttested { unattested.append(block) }
            if !hasData { isComplete = false }
            if isAttested, !hasData { isBare = true }
        }
        (self.unattested, self.isComplete, self.isBare) = (unattested, isComplete, isBare)
    }

    /// Whether a folder has what belongs to a block: patch, deltas, MuHashes of shards, and its snapshot where an epoch begins
    /// with it.
    static func hasData(
        of block: BlockID, in folder: Folder, _ parameters: TreeParameters
    ) throws(FileError) -> Bool {
        for span in [1] + parameters.deltaSpans(at: block.height) {
            let path = TreePath.changes(block, span: span, parameters)
            guard try folder.contains(path) else { return false }
        }
        guard try folder.contains(TreePath.muhashes(block, parameters)) else { return false }
        // The manifest is written when all shards are there.
        guard block.height == parameters.epochStart(of: block.height) else { return true }
        return try folder.contains(TreePath.manifest(block))
    }
}
