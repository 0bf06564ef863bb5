import Concord
import ConcordFiles
import ConcordTransfers
import Synchronization

/// The best chain of a running node; blocks that a folder beside it has are read from there.
struct NodeChain: ChainSource {
    let node: Node
    let headers: HeaderList
    /// What the folder has, if there is one.
    let stored: StoredBlocks?
    let comparison: SetComparison
    let weight: BlockWeight

    /// How many bytes a block and its JSON came to lately.
    final class BlockWeight: Sendable {
        private let bytes = Atomic(0)

        /// How many such blocks fit in a memory of so many bytes; none where nothing is known yet.
        func blocks(in memory: Int) -> Int {
            let one = bytes.load(ordering: .relaxed)
            return one > 0 ? memory / one : 0
        }

        func note(_ total: Int, of blocks: Int) {
            // Twice as many at once, at most: small blocks say little of those behind them.
            let last = bytes.load(ordering: .relaxed)
            bytes.store(max(total / max(blocks, 1), last / 2, 1), ordering: .relaxed)
        }
    }

    /// A folder's blocks that have their undo record, whatever chain they are of.
    struct StoredBlocks: Sendable {
        let folder: BlockFolder
        let entries: [Digest: BlockEntry]

        init(_ folder: BlockFolder, _ scan: BlockFolder.Scan) {
            self.folder = folder
            // The genesis block has none.
            let whole = scan.entries.lazy.filter { $0.hasUndo || $0.parent == .zero }
            self.entries = Dictionary(whole.map { ($0.hash, $0) }) { first, _ in first }
        }
    }

    /// Blocks asked of the node at once, at least, and at most from node or folder.
    private static let fewBlocks = 8
    private static let manyBlocks = 128
    /// Bytes of blocks and JSON, which is ten times a block's size, that may be held at once.
    private static let memory = 64 << 20
    /// The most bytes of the reply to `getblock HASH 0`.
    private static let maxHexBytes = 2 * BlockFolder.maxBlockBytes + 1000

    var network: Network { node.network }
    var name: String { node.address.description }
    var tip: Int { headers.count - 1 }

    func blockID(at height: Int) -> BlockID { BlockID(height: height, hash: headers.hashes[height]) }

    func header(at height: Int) -> [UInt8] { Array(headers.header(at: height)) }

    func knows(_ block: BlockID) throws -> Bool {
        if headers.contains(block) { return true }
        do throws(NodeError) {
            _ = try node.call(
                "getblockheader", .text(block.hash.reversedHex), as: NodeHeaders.Block.self)
            return true
        } catch {
            if error.kind == .refused(-5) { return false }
            throw error
        }
    }

    /// A node that knows no header above its tip, and is no longer catching up, would have connected the block if it
    /// could.
    func hasLeft(_ block: BlockID) throws -> Bool {
        let said: NodeHeaders.Block
        do throws(NodeError) {
            said = try node.call("getblockheader", .text(block.hash.reversedHex))
        } catch {
            if error.kind == .refused(-5) { return false }
            throw error
        }
        guard said.confirmations < 0 else { return false }
        let info = try node.chainInfo()
        return !info.initialblockdownload && info.headers <= info.blocks
            && info.bestblockhash == blockID(at: tip).hash.reversedHex
    }

    func batch(from height: Int) -> Int {
        let there = headers.hashes[height...].prefix(Self.manyBlocks).prefix { stored?.entries[$0] != nil }
        if there.count >= Self.fewBlocks { return there.count }
        return min(max(weight.blocks(in: Self.memory), Self.fewBlocks), Self.manyBlocks)
    }

    func confirm(_ statements: [Statement]) throws { try comparison.confirm(statements) }

    func ownMuHash(of block: BlockID) throws -> Digest? { try comparison.muhash(of: block) }

    func blocks(_ heights: Range<Int>) throws -> any BlockReader {
        var items: [Int: NodeBlocks.Item] = [:]
        var wanted: [BlockID] = []
        for height in heights {
            let block = blockID(at: height)
            if let stored, let entry = stored.entries[block.hash] {
                items[height] = .stored(entry, stored.folder)
            } else {
                wanted.append(block)
            }
        }
        for answer in try answers(wanted) { items[answer.block.height] = .given(answer) }
        return NodeBlocks(name: name, items: items)
    }

    /// Asks the node for blocks and for what they spent, all at once.
    private func answers(_ blocks: [BlockID]) throws(NodeError) -> [NodeBlocks.Answer] {
        if blocks.isEmpty { return [] }
        let byREST = try node.hasREST()
        let bodies = blocks.map { block in
            let hash = block.hash.reversedHex
            return byREST
                ? (.rest("/rest/block/\(hash).bin", limit: BlockFolder.maxBlockBytes), id: 0)
                : node.exchange("getblock", [.text(hash), 0], limit: Self.maxHexBytes)
        }
        let spenders = blocks.filter { $0.height > 0 }
        let spent = spenders.map {
            node.exchange("getblock", [.text($0.hash.reversedHex), 3], limit: SpentReply.maxBytes)
        }
        let asked = bodies + spent
        let replies = try node.ask(asked.map(\.0)) { (i, body) throws(NodeError) -> [UInt8]? in
            if body.status == 200 { return body.bytes }
            if byREST, i < bodies.count { return nil }
            // The node's own error, or one of what is no node.
            let _: Ignored = try NodeJSON.result(
                of: body.bytes, status: body.status, id: asked[i].id, node.subject(asked[i].0.name))
            throw NodeJSON.garbage(node.subject(asked[i].0.name), body.bytes, body.status)
        }
        weight.note(replies.reduce(0) { $0 + ($1?.count ?? 0) }, of: blocks.count)
        guard byREST, replies.contains(where: { $0 == nil }) else {
            return blocks.enumerated().map { i, block in
                let spent = block.height == 0 ? nil : spenders.firstIndex(of: block).map { bodies.count + $0 }
                let bytes = replies[i] ?? []
                return NodeBlocks.Answer(
                    block: block, bytes: byREST ? .plain(bytes) : .reply(bytes, id: bodies[i].id),
                    spent: spent.map { (replies[$0] ?? [], asked[$0].id) })
            }
        }
        // The node was started again without REST, or RPC says better why it has not got the block.
        node.giveUpREST()
        return try answers(blocks)
    }
}
