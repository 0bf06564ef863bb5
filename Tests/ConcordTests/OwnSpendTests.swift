import TestSupport
import Testing

@testable import Concord

/// Coins that one transaction of a block makes and another one of the same block spends.
@Suite struct OwnSpendTests {
    /// An output of one of the payments.
    private typealias Own = (payment: Int, output: UInt32)

    /// The changes of a block. Each payment spends an old coin of 1000 satoshi and the outputs that it names of payments
    /// before it in the list, and makes two coins of 100 satoshi. They lie in the block in the order given.
    private func work(_ payments: [[Own]], order: [Int]) throws(BlockError) -> BlockChanges.Totals {
        let made = bytes { out in
            for _ in 0..<2 { out.append(bytes { $0.append(UInt64(100)) } + hex("01 51")) }
        }
        func input(_ txid: Digest, _ index: UInt32) -> [UInt8] {
            txid.bytes + bytes { $0.append(index) } + hex("00 ffffffff")
        }
        var transactions: [[UInt8]] = []
        var txids: [Digest] = []
        for (i, own) in payments.enumerated() {
            let inputs = own.map { input(txids[$0.payment], $0.output) }
            let transaction =
                hex("02000000") + [UInt8(1 + own.count)] + input(Digest(every: 7), UInt32(i))
                + inputs.joined()
                + [2] + made + hex("00000000")
            transactions.append(transaction)
            txids.append(transaction.withBytes { SHA256.double($0) })
        }
        let coinbase =
            hex("02000000 01") + input(.zero, .max).dropLast(5) + hex("02 0101 ffffffff 01")
            + made.prefix(10) + hex("00000000")
        let root = BlockTransactions.merkleRoot(
            of: [coinbase.withBytes { SHA256.double($0) }] + order.map { txids[$0] })
        let header = hex("00000020") + Digest(every: 1).bytes + (root ?? .zero).bytes
        let block =
            header + hex("00000000 ffff7f20 00000000") + [UInt8(1 + order.count)] + coinbase
            + order.flatMap { transactions[$0] }
        let undo = bytes { out in
            out.append([UInt8(order.count)])
            for own in order.map({ payments[$0] }) {
                out.append([UInt8(1 + own.count)])
                for (code, amount) in [(2, 1000)] + own.map({ _ in (4, 100) }) {
                    out.append([UInt8(code), 0])
                    out.appendVarInt(Amount.compress(UInt64(amount)))
                    out.append(hex("07 51"))
                }
            }
        }
        var changes = BlockChanges()
        return try block.withBytes { block throws(BlockError) in
            try undo.withBytes { undo throws(BlockError) in
                try changes.process(
                    block: block, undo: undo, height: 2, network: .regtest,
                    parameters: TreeParameters(shards: 16, epoch: 100))
            }
        }
    }

    private func refusal(_ payments: [[Own]], order: [Int]) -> String {
        do throws(BlockError) {
            _ = try work(payments, order: order)
            return ""
        } catch {
            // Whatever the undo record says, it is the block that is wrong.
            guard case .block(let error) = error else { return "" }
            return error.description
        }
    }

    /// They come and go within the block: the set never has them.
    @Test func theyAreNoCoinsOfTheSet() throws {
        // Made: the coinbase's coin and two of each payment. Gone: an old one for each payment, and the own ones.
        #expect(try work([[], []], order: [0, 1]).coins == 1 + 4 - 2)
        #expect(try work([[], [(0, 0)]], order: [0, 1]).coins == 1 + 4 - 2 - 1)
        #expect(try work([[], [(0, 0), (0, 1)]], order: [0, 1]).coins == 1 + 4 - 2 - 2)
        #expect(try work([[], [(0, 0)], [(0, 1), (1, 0)]], order: [0, 1, 2]).coins == 1 + 6 - 3 - 3)
        // In another order, as long as what is spent comes first.
        #expect(try work([[], [(0, 0)], []], order: [2, 0, 1]).coins == 1 + 6 - 3 - 1)
    }

    /// Bitcoin Core's rules (`CheckTxInputs`, bad-txns-inputs-missingorspent), which no undo record can make good.
    @Test func whatIsNotThereCannotBeSpent() throws {
        let words = "which its own transactions do not leave to spend"
        // An output that its transaction does not have, by one and by far.
        #expect(refusal([[], [(0, 2)]], order: [0, 1]).contains(words))
        #expect(refusal([[], [(0, .max)]], order: [0, 1]).contains(words))
        // One of a transaction that comes later.
        #expect(refusal([[], [(0, 0)]], order: [1, 0]).contains(words))
        // One that is spent already: by another transaction, and by the same.
        #expect(refusal([[], [(0, 0)], [(0, 0)]], order: [0, 1, 2]).contains(words))
        #expect(refusal([[], [(0, 1), (0, 1)]], order: [0, 1]).contains(words))
    }
}
