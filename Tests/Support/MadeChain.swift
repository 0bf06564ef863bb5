import Concord
import ConcordChain
import ConcordFiles

/// A regtest chain in memory, with proof of work, coinbases with many scripts, and spends: what a publisher
/// reads, and nothing that a node would check beyond that.
public struct MadeChain: ChainSource {
    public struct Block: Sendable {
        public let id: BlockID
        public let bytes: [UInt8]
        let undo: [UInt8]
        /// What its coinbase makes.
        let coins: [Coin]

        public var header: [UInt8] { Array(bytes.prefix(BlockHeader.size)) }
    }

    /// An output of a coinbase.
    struct Coin: Sendable {
        let outpoint: Outpoint
        let height: Int
        let amount: UInt64
        let script: [UInt8]
    }

    /// By height.
    public private(set) var blocks: [Block]
    private let outputs: Int
    /// Scripts that coinbases pay to besides, in front of the others, by height.
    private let paying: [Int: [[UInt8]]]

    /// Regtest's first block alone.
    ///
    /// - Parameters:
    ///   - outputs: how many a coinbase has, at least two.
    ///   - paying: what it pays to besides, in front of the others, by height.
    public init(outputs: Int = 6, paying: [Int: [[UInt8]]] = [:]) {
        (self.outputs, self.paying) = (outputs, paying)
        let header = TestHeaders.genesis
        let genesis = BlockID(height: 0, hash: header.withBytes { SHA256.double($0) })
        blocks = [Block(id: genesis, bytes: PinnedChain.genesis, undo: [], coins: [])]
    }

    /// - Parameter salt: another chain for each.
    public init(tip: Int, outputs: Int = 6, salt: UInt64 = 0, paying: [Int: [[UInt8]]] = [:]) {
        self.init(outputs: outputs, paying: paying)
        grow(to: tip, salt: salt)
    }

    public var network: Network { .regtest }
    public var name: String { "made" }
    public var tip: Int { blocks.count - 1 }
    public var newest: BlockID { blocks[tip].id }
    /// All headers, from the first on.
    public var headers: [UInt8] { blocks.flatMap(\.header) }

    public func blockID(at height: Int) -> BlockID { blocks[height].id }
    public func header(at height: Int) -> [UInt8] { blocks[height].header }
    public func knows(_ block: BlockID) -> Bool { true }
    public func batch(from height: Int) -> Int { 32 }
    public func blocks(_ heights: Range<Int>) -> any BlockReader { Reader(blocks: blocks) }

    private struct Reader: BlockReader {
        let blocks: [Block]

        func read(_ height: Int, block: inout ByteBuffer, undo: inout ByteBuffer) {
            block.removeAll()
            block.append(blocks[height].bytes)
            undo.removeAll()
            undo.append(blocks[height].undo)
        }

        func damaged(_ height: Int, _ error: BlockError) -> FileError { FileError("made", "\(error)") }
    }

    /// The chain up to a height, that block included.
    public func cut(to height: Int) -> MadeChain {
        var chain = self
        chain.blocks.removeLast(tip - height)
        return chain
    }

    /// A chain that shares all blocks up to a height, and no other one.
    public func forked(at height: Int, tip: Int, salt: UInt64) -> MadeChain {
        var chain = cut(to: height)
        chain.grow(to: tip, salt: salt)
        return chain
    }

    /// Makes more blocks.
    public mutating func grow(to tip: Int, salt: UInt64 = 0) {
        while self.tip < tip { append(salt) }
    }

    /// Makes one more block, whose coinbase pays to these scripts, at least two: 1,000 satoshi to the first, and to each other
    /// one more than to the one before.
    public mutating func grow(paying scripts: [[UInt8]]) { append(0, scripts) }

    /// The scripts of all coins that a block's coinbase makes: a set is known by them.
    public func scripts(at height: Int) -> [[UInt8]] { blocks[height].coins.map(\.script) }

    /// One more block. It spends the second coin that the coinbase three blocks before made.
    private mutating func append(_ salt: UInt64, _ paid: [[UInt8]]? = nil) {
        let height = tip + 1
        let old = height > 3 ? blocks[height - 3].coins[1] : nil
        var script = SeededScripts(seed: salt << 32 | UInt64(height))
        let scripts =
            paying[height, default: []] + (paid ?? (0..<outputs).map { _ in script.next() })
        let coinbase = TestSupport.bytes { out in
            out.append(hex("02000000 01") + [UInt8](repeating: 0, count: 32) + hex("ffffffff 10"))
            out.append(UInt64(height))
            out.append(salt)
            out.append(hex("ffffffff"))
            out.appendCompactSize(UInt64(scripts.count))
            for (i, script) in scripts.enumerated() { out.append(output: 1000 + UInt64(i), script) }
            out.append(0 as UInt32)
        }
        var transactions = [coinbase]
        if let old {
            transactions.append(
                TestSupport.bytes { out in
                    out.append(hex("02000000 01"))
                    out.append(old.outpoint.txid)
                    out.append(old.outpoint.index)
                    out.append(hex("00 ffffffff 01"))
                    out.append(output: old.amount - 1, script.next())
                    out.append(0 as UInt32)
                })
        }
        let txids = transactions.map { $0.withBytes { SHA256.double($0) } }
        let root =
            txids.count == 1 ? txids[0] : (txids[0].bytes + txids[1].bytes).withBytes { SHA256.double($0) }
        let header = TestHeaders.child(of: blocks[tip].header, merkleRoot: root)
        blocks.append(
            Block(
                id: BlockID(height: height, hash: header.withBytes { SHA256.double($0) }),
                bytes: header + [UInt8(transactions.count)] + transactions.joined(),
                undo: TestSupport.bytes { out in
                    out.appendCompactSize(UInt64(transactions.count - 1))
                    guard let old else { return }
                    out.appendCompactSize(1)
                    old.script.withBytes {
                        out.appendSpentCoin(code: UInt32(old.height * 2 + 1), amount: old.amount, script: $0)
                    }
                },
                coins: scripts.enumerated().map { i, script in
                    Coin(
                        outpoint: Outpoint(txid: txids[0], index: UInt32(i)), height: height,
                        amount: 1000 + UInt64(i), script: script)
                }))
    }
}

/// Scripts of one kind, each another one: what pays to a hash of 20 bytes.
private struct SeededScripts {
    private var state: Digest

    init(seed: UInt64) { state = SHA256.hash(TestSupport.bytes { $0.append(seed) }) }

    mutating func next() -> [UInt8] {
        state = SHA256.hash(state.bytes)
        return [0x00, 20] + state.bytes.prefix(20)
    }
}

extension ByteBuffer {
    fileprivate mutating func append(output amount: UInt64, _ script: [UInt8]) {
        append(amount)
        appendCompactSize(UInt64(script.count))
        append(script)
    }
}
