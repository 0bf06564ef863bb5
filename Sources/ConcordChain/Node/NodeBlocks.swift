import Concord
import ConcordFiles

/// Blocks that a node has given, and some that are in a folder beside it; what came as JSON is taken apart by whoever
/// reads it.
struct NodeBlocks: BlockReader {
    enum Item {
        case stored(BlockEntry, BlockFolder)
        case given(Answer)
    }

    /// A block as the node gave it.
    struct Answer {
        let block: BlockID
        let bytes: Bytes
        /// The reply to `getblock HASH 3`; nil for the genesis block, which spends nothing.
        let spent: (reply: [UInt8], id: Int)?

        enum Bytes {
            case plain([UInt8])
            /// The reply to `getblock HASH 0`.
            case reply([UInt8], id: Int)
        }
    }

    /// The node's.
    let name: String
    /// By height.
    let items: [Int: Item]

    func read(_ height: Int, block: inout ByteBuffer, undo: inout ByteBuffer) throws {
        switch items[height] {
        case .stored(let entry, let folder):
            try folder.read(entry, height: height, block: &block, undo: &undo)
        case .given(let answer): try read(answer, &block, &undo)
        case nil: preconditionFailure("a block that was not asked for")
        }
    }

    private func read(
        _ item: Answer, _ block: inout ByteBuffer, _ undo: inout ByteBuffer
    ) throws(NodeError) {
        block.removeAll()
        switch item.bytes {
        case .plain(let bytes): block.append(bytes)
        case .reply(let reply, let id):
            let subject = subject("getblock", item)
            let digits: String = try NodeJSON.result(of: reply, id: id, subject)
            guard let bytes = [UInt8](hex: digits) else {
                throw NodeError(.garbage, subject, "the answer is no block in hex")
            }
            block.append(bytes)
        }
        let hash =
            block.bytes.count < BlockHeader.size
            ? nil : SHA256.double(UnsafeRawBufferPointer(rebasing: block.bytes[..<BlockHeader.size]))
        guard hash == item.block.hash else {
            throw NodeError(
                .contradiction, subject("block", item),
                "the answer is \(hash.map { "the block \($0.reversedHex)" } ?? "no block"): another block than "
                    + "was asked for")
        }
        undo.removeAll()
        if let (reply, id) = item.spent {
            try SpentReply(reply, id: id, of: item.block.hash, subject("getblock", item)).append(to: &undo)
        }
    }

    private func subject(_ what: String, _ item: Answer) -> String {
        "\(name) \(what) \(item.block.hash.reversedHex) (height \(item.block.height))"
    }

    func damaged(_ height: Int, _ error: BlockError) -> FileError {
        switch items[height] {
        case .stored(let entry, let folder): return folder.damaged(entry, height: height, error)
        case .given(let answer):
            let (what, error) =
                switch error {
                case .block(let error): ("block", error)
                case .undo(let error): ("list of spent coins", error)
                }
            return FileError(
                subject("getblock", answer),
                "the node's \(what) \(error.description): its data is damaged, or this is no Bitcoin Core node; try "
                    + "another one")
        case nil: preconditionFailure("a block that was not asked for")
        }
    }
}
