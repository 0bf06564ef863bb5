import Concord
import ConcordChain
import ConcordFiles

/// A chain in memory, as `BlockMaker` makes it, and what it pays to some scripts.
struct BenchChain: ChainSource {
    /// The same chain always.
    struct Shape: Sendable, Equatable {
        /// Above the first.
        var blocks = 2200
        /// Of all blocks together, about.
        var outputs = 4_000_000
        var seed: UInt64 = 1
    }

    /// A coin that the chain pays to a script.
    struct Paid: Sendable, Hashable {
        let script: [UInt8]
        let height: Int
        /// In satoshi.
        let amount: UInt64
    }

    private var ids: [BlockID] = []
    private var headers: [[UInt8]] = []
    /// Blocks and undo records by height, empty below those that are kept.
    private var blocks: [(bytes: [UInt8], undo: [UInt8])] = []
    /// Of the BIP158 filters of all blocks below a height.
    private var filterBytes = [0]
    private var paid: [(coin: Paid, spentAt: Int?)] = []

    /// - Parameters:
    ///   - payments: by height.
    ///   - first: the lowest height whose block is ever read.
    init(
        _ shape: Shape, paying payments: [Int: [BlockMaker.Payment]], from first: Int = 0,
        tell: (_ height: Int) -> Void = { _ in }
    ) {
        var maker = BlockMaker(seed: shape.seed, outputs: shape.outputs)
        add(BlockMaker.genesis, isKept: true)
        for height in 1...shape.blocks {
            let outputs = shape.outputs * height / shape.blocks - shape.outputs * (height - 1) / shape.blocks
            let own = payments[height] ?? []
            let block = maker.next(outputs: outputs, paying: own)
            add(block, isKept: height >= first)
            for (payment, amount) in zip(own, block.paid) {
                paid.append(
                    (
                        Paid(script: payment.script, height: height, amount: amount),
                        payment.spentAfter.map { height + $0 }
                    ))
            }
            tell(height)
        }
    }

    private mutating func add(_ block: BlockMaker.Block, isKept: Bool) {
        ids.append(block.id)
        headers.append(block.header)
        blocks.append(isKept ? (block.bytes, block.undo) : ([], []))
        filterBytes.append(filterBytes[filterBytes.count - 1] + block.filterBytes)
    }

    /// The coins of these scripts after the block at a height.
    func coins(of scripts: Set<[UInt8]>, at height: Int) -> Set<Paid> {
        Set(
            paid.filter { one in
                scripts.contains(one.coin.script) && one.coin.height <= height
                    && one.spentAt.map { $0 > height } ?? true
            }.map(\.coin))
    }

    /// What the BIP158 filters of some blocks come to.
    func filterBytes(of heights: Range<Int>) -> Int {
        filterBytes[heights.upperBound] - filterBytes[heights.lowerBound]
    }

    // MARK: ChainSource

    var network: Network { .regtest }
    var name: String { "the benchmark's chain" }
    var tip: Int { ids.count - 1 }

    func blockID(at height: Int) -> BlockID { ids[height] }
    func header(at height: Int) -> [UInt8] { headers[height] }
    func knows(_ block: BlockID) -> Bool { true }
    func batch(from height: Int) -> Int { 32 }
    func blocks(_ heights: Range<Int>) -> any BlockReader {
        Reader(first: heights.lowerBound, blocks: blocks[heights])
    }

    private struct Reader: BlockReader {
        let first: Int
        let blocks: ArraySlice<(bytes: [UInt8], undo: [UInt8])>

        func read(_ height: Int, block: inout ByteBuffer, undo: inout ByteBuffer) {
            block.removeAll()
            block.append(blocks[height].bytes)
            undo.removeAll()
            undo.append(blocks[height].undo)
        }

        func damaged(_ height: Int, _ error: BlockError) -> FileError {
            FileError("the benchmark's chain", "height \(height): \(error)")
        }
    }
}
