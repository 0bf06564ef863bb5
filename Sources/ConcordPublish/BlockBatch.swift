import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// The first step of the way: neighbouring blocks of the chain, turned into changes and patches on all cores. Nothing
/// here depends on the set before them.
struct BlockBatch: Sendable {
    /// What came of one block.
    struct Item: Sendable {
        let block: BlockID
        /// The 80 bytes.
        let header: [UInt8]
        let totals: BlockChanges.Totals
        /// Nil where the tree has the patch already.
        let patch: Folder.Staged?
    }

    let source: BlockFolder
    let chain: BestChain
    let folder: Folder
    let parameters: TreeParameters
    let level: Int

    /// What a worker keeps from block to block.
    private struct Tools: ~Copyable {
        var block = ByteBuffer(capacity: 4 << 20)
        var undo = ByteBuffer(capacity: 1 << 20)
        var changes = BlockChanges()
        var packed = ByteBuffer(capacity: 1 << 20)
        let compressor: ZstdCompressor
    }

    func work(_ heights: Range<Int>) throws -> [Item] {
        let level = level
        return try Parallel.map(
            heights.count, tools: { Tools(compressor: ZstdCompressor(level: level)) }
        ) { i, tools in
            try work(heights.lowerBound + i, &tools)
        }
    }

    private func work(_ height: Int, _ tools: inout Tools) throws -> Item {
        let entry = chain[height]
        let block = BlockID(height: height, hash: entry.hash)
        try source.read(entry, height: height, block: &tools.block, undo: &tools.undo)
        let totals: BlockChanges.Totals
        do throws(BlockError) {
            totals = try tools.changes.work(
                block: tools.block.bytes, undo: tools.undo.bytes, height: height, network: source.network,
                parameters: parameters)
        } catch {
            throw source.damaged(entry, height: height, error)
        }
        guard totals.header.hash == entry.hash else {
            throw FileError(
                source.path, "changed while it was read, at height \(height): run the command again")
        }
        return Item(
            block: block, header: [UInt8](tools.block.bytes.prefix(BlockHeader.size)), totals: totals,
            patch: try stage(block, totals.patchRoot, &tools))
    }

    /// Writes the patch aside; one that the tree has must be the same.
    private func stage(
        _ block: BlockID, _ root: Digest, _ tools: inout Tools
    ) throws(FileError) -> Folder.Staged? {
        let relative = TreePath.patch(block, parameters)
        if folder.contains(relative) {
            _ = try PatchFile.read(
                folder.path(relative), shards: parameters.shards, root: root, into: &tools.packed)
            return nil
        }
        SeekablePatch.pack(
            tools.changes.patch.bytes, shards: parameters.shards, with: tools.compressor, into: &tools.packed)
        return try folder.stage(tools.packed.bytes, at: relative)
    }
}
