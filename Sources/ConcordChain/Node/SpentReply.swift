import Concord
import Foundation

/// The coins that a block spent, from the reply to `getblock HASH 3`: Bitcoin Core 23 and newer.
struct SpentReply {
    private struct Block: Decodable {
        let hash: String
        let tx: [Transaction]
    }

    private struct Transaction: Decodable {
        let vin: [Input]
    }

    private struct Input: Decodable {
        let prevout: Coin?
    }

    private struct Coin: Decodable {
        let generated: Bool
        let height: UInt32
        let value: Decimal
        let scriptPubKey: Script
    }

    private struct Script: Decodable {
        let hex: String
    }

    private let block: Block
    private let subject: String

    /// The most bytes of a reply. A block of a megabyte comes to some ten.
    static let maxBytes = 256 << 20

    init(_ reply: [UInt8], id: Int, of hash: Digest, _ subject: String) throws(NodeError) {
        block = try NodeJSON.result(of: reply, id: id, subject)
        self.subject = subject
        guard block.hash == hash.reversedHex else {
            throw NodeError(
                .contradiction, subject,
                "the answer is the block \(NodeJSON.shown(block.hash)): another block than was asked for")
        }
    }

    /// Appends the undo record that a node writes for this block (`CBlockUndo`).
    func append(to out: inout ByteBuffer) throws(NodeError) {
        guard !block.tx.isEmpty else { throw wrong("has no transactions") }
        out.appendCompactSize(UInt64(block.tx.count - 1))
        for transaction in block.tx.dropFirst() {
            out.appendCompactSize(UInt64(transaction.vin.count))
            for input in transaction.vin {
                guard let coin = input.prevout else {
                    throw NodeError(
                        .unsuitable, subject,
                        "the answer lacks the coins that were spent («prevout»): the node is older than Bitcoin Core "
                            + "23, or has pruned or lost its undo data. Use a newer node that keeps all blocks "
                            + "(prune=0), or give a folder that has the block with --datadir")
                }
                guard let script = [UInt8](hex: coin.scriptPubKey.hex) else {
                    throw wrong("has a script that is no hex")
                }
                guard coin.height < 1 << 31 else { throw wrong("has a height out of range") }
                guard let amount = NodeAmount.satoshi(coin.value) else {
                    throw wrong("has an amount out of range")
                }
                script.withBytes {
                    out.appendSpentCoin(
                        code: coin.height << 1 | (coin.generated ? 1 : 0), amount: amount, script: $0)
                }
            }
        }
    }

    private func wrong(_ words: String) -> NodeError {
        NodeError(.garbage, subject, "the answer \(words)")
    }
}

/// Amounts in a node's JSON, which are decimal numbers of bitcoin.
enum NodeAmount {
    /// Exact; nil for what is no whole number of satoshi from 0 to 21 million bitcoin.
    static func satoshi(_ bitcoin: Decimal) -> UInt64? {
        let satoshi = bitcoin * 100_000_000
        guard satoshi >= 0, satoshi <= Decimal(Amount.most), let amount = UInt64("\(satoshi)") else {
            return nil
        }
        return amount
    }
}
