import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// What a worker keeps from block to block.
struct BlockProcessor: ~Copyable {
    private(set) var block = ByteBuffer(capacity: 4 << 20)
    private var undo = ByteBuffer(capacity: 1 << 20)
    private(set) var changes: BlockChanges

    init(hasElements: Bool) {
        changes = BlockChanges(hasElements: hasElements)
    }

    /// Works out what a block of the chain does; its bytes and its patch are here until the next one.
    mutating func run(
        _ id: BlockID, _ blocks: any BlockReader, _ source: any ChainSource, _ parameters: TreeParameters
    ) throws -> BlockChanges.Totals {
        try blocks.read(id.height, block: &block, undo: &undo)
        let totals: BlockChanges.Totals
        do throws(BlockError) {
            totals = try changes.process(
                block: block.bytes, undo: undo.bytes, height: id.height, network: source.network,
                parameters: parameters)
        } catch {
            throw blocks.damaged(id.height, error)
        }
        guard totals.header.hash == id.hash else {
            throw NodeError.changed(source.name, height: id.height)
        }
        return totals
    }
}
