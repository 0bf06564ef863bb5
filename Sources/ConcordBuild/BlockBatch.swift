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
        let marks: CoinMarks
        /// Nil where the tree has the patch already.
        let patch: Folder.Staged?
    }

    let source: any ChainSource
    let folder: Folder
    let parameters: TreeParameters
    let level: Int
    let isFixed: @Sendable (BlockID) throws(FileError) -> Bool

    private struct Tools: ~Copyable {
        var work = BlockProcessor(hasMuHash: true)
        var packed = ByteBuffer(capacity: 1 << 20)
        let compressor: ZstdCompressor
    }

    func process(_ heights: Range<Int>) throws -> [Item] {
        let level = level
        let blocks = try source.blocks(heights)
        return try Parallel.map(
            heights.count, tools: { Tools(compressor: ZstdCompressor(level: level)) }
        ) { i, tools in
            try process(heights.lowerBound + i, blocks, &tools)
        }
    }

    private func process(_ height: Int, _ blocks: any BlockReader, _ tools: inout Tools) throws -> Item {
        let block = source.blockID(at: height)
        let totals = try tools.work.run(block, blocks, source, parameters)
        return Item(
            block: block, header: [UInt8](tools.work.block.bytes.prefix(BlockHeader.size)), totals: totals,
            marks: tools.work.changes.marks, patch: try stage(block, totals.patchRoot, &tools))
    }

    /// Writes the patch aside; one that the tree has must be the same, or was never signed for.
    private func stage(
        _ block: BlockID, _ root: Digest, _ tools: inout Tools
    ) throws(FileError) -> Folder.Staged? {
        let relative = TreePath.patch(block, parameters)
        if try folder.contains(relative) {
            do throws(FileError) {
                _ = try PatchFile.read(
                    folder.path(relative), shards: parameters.shards, root: root, into: &tools.packed)
                return nil
            } catch {
                if try isFixed(block) { throw error }
            }
        }
        SeekablePatch.pack(
            tools.work.changes.patch.bytes, shards: parameters.shards, with: tools.compressor,
            into: &tools.packed)
        return try folder.stage(tools.packed.bytes, at: relative)
    }
}
