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
        let elements: ShardElements
        /// Nil where the tree has the patch already.
        let patch: Folder.Staged?
    }

    let source: any ChainSource
    let parameters: TreeParameters
    let data: DataFiles

    private struct Tools: ~Copyable {
        var work = BlockProcessor(hasElements: true)
        var files: DataFiles.Tools
    }

    func process(_ heights: Range<Int>) throws -> [Item] {
        let blocks = try source.blocks(heights)
        return try Parallel.map(heights.count, tools: { Tools(files: data.tools()) }) { i, tools in
            let height = heights.lowerBound + i
            let block = source.blockID(at: height)
            let totals = try tools.work.run(block, blocks, source, parameters)
            let patch = ChangeFile(block: block, span: 1, root: totals.patchRoot)
            return Item(
                block: block, header: [UInt8](tools.work.block.bytes.prefix(BlockHeader.size)),
                totals: totals,
                marks: tools.work.changes.marks, elements: tools.work.changes.elements,
                patch: try data.stage(
                    patch, tools.work.changes.patch.bytes, tools.work.changes.index,
                    isAlone: heights.count == 1, &tools.files))
        }
    }
}
