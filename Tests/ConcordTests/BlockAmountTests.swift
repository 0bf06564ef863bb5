import TestSupport
import Testing

@testable import Concord

/// What a miner may take, and what a transaction may make, by the coins that an undo record says were spent.
@Suite struct BlockAmountTests {
    /// A block of regtest with one payment: what it spends by the undo record, what it creates, what the miner takes.
    private func work(
        spends: [UInt64], creates: [UInt64], miner: UInt64, height: Int = 1, network: Network = .regtest
    ) throws(BlockError) -> BlockChanges.Totals {
        let inputs = spends.indices.map { i in
            [UInt8](repeating: 7, count: 32) + bytes { $0.append(UInt32(i)) } + hex("00 ffffffff")
        }
        let outputs = { (amounts: [UInt64]) in
            amounts.flatMap { amount in bytes { $0.append(amount) } + hex("01 51") }
        }
        let coinbase =
            hex("02000000 01") + [UInt8](repeating: 0, count: 32) + hex("ffffffff 02 0101 ffffffff 01")
            + outputs([miner]) + hex("00000000")
        let payment =
            hex("02000000") + [UInt8(inputs.count)] + inputs.joined() + [UInt8(creates.count)]
            + outputs(creates)
            + hex("00000000")
        let txids = [coinbase, payment].map { $0.withBytes { SHA256.double($0) } }
        let root = (txids[0].bytes + txids[1].bytes).withBytes { SHA256.double($0) }
        let header =
            hex("00000020") + [UInt8](repeating: 1, count: 32) + root.bytes
            + hex("00000000 ffff7f20 00000000")
        let undo = bytes { out in
            out.append(hex("01") + [UInt8(spends.count)])
            for amount in spends {
                out.append(hex("02 00"))
                out.appendVarInt(Amount.compress(amount))
                out.append(hex("07 51"))
            }
        }
        var changes = BlockChanges()
        let block = header + [2] + coinbase + payment
        return try block.withBytes { block throws(BlockError) in
            try undo.withBytes { undo throws(BlockError) in
                try changes.process(
                    block: block, undo: undo, height: height, network: network,
                    parameters: TreeParameters(shards: 16, epoch: 100))
            }
        }
    }

    private let subsidy: UInt64 = 5_000_000_000

    @Test func theMinerMayTakeSubsidyAndFees() throws {
        #expect(try work(spends: [1000], creates: [900], miner: subsidy + 100).amount == Int64(subsidy))
        #expect(try work(spends: [1000], creates: [900], miner: subsidy).amount == Int64(subsidy) - 100)
        #expect(try work(spends: [1000], creates: [900], miner: 0).amount == -100)
    }

    @Test func noSatoshiMore() throws {
        for (creates, miner) in [([900], subsidy + 101), ([1000], subsidy + 1), ([0], subsidy + 1001)]
            as [([UInt64], UInt64)]
        {
            let error = #expect(throws: BlockError.self) {
                try work(spends: [1000], creates: creates, miner: miner)
            }
            guard case .undo(let reason) = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            #expect(
                reason.description.contains("the miner may take") && reason.description.contains("\(miner)"))
        }
    }

    @Test func noTransactionMakesMoreThanItSpends() throws {
        _ = try work(spends: [600, 400], creates: [500, 500], miner: subsidy)
        let error = #expect(throws: BlockError.self) {
            try work(spends: [600, 400], creates: [500, 501], miner: subsidy)
        }
        guard case .undo(let reason) = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
        #expect(
            reason.description.contains("transaction 1 spends 1000 satoshi, but its outputs come to 1001"))
    }

    /// Sums that would not fit are refused, not trapped on.
    @Test func moreThanThereCanBe() throws {
        let most = Amount.most
        _ = try work(spends: [most], creates: [most], miner: subsidy)
        #expect(throws: BlockError.self) { try work(spends: [most, 1], creates: [most], miner: subsidy) }
        #expect(throws: BlockError.self) {
            try work(spends: [UInt64](repeating: most, count: 200), creates: [1], miner: subsidy)
        }
        let error = #expect(throws: BlockError.self) {
            try work(spends: [most], creates: [most, 1], miner: subsidy)
        }
        guard case .block = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }

    /// `GetBlockSubsidy`.
    @Test func theSubsidyHalves() throws {
        for (network, interval) in [
            (Network.main, 210_000), (.testnet4, 210_000), (.signet, 210_000), (.regtest, 150),
        ] {
            #expect(network.subsidy(at: 1) == 5_000_000_000)
            #expect(network.subsidy(at: interval - 1) == 5_000_000_000)
            #expect(network.subsidy(at: interval) == 2_500_000_000)
            #expect(network.subsidy(at: 2 * interval - 1) == 2_500_000_000)
            #expect(network.subsidy(at: 32 * interval) == 1)
            #expect(network.subsidy(at: 33 * interval) == 0)
            #expect(network.subsidy(at: 64 * interval) == 0)
        }
        _ = try work(spends: [1], creates: [1], miner: subsidy / 2, height: 150)
        #expect(throws: BlockError.self) {
            try work(spends: [1], creates: [1], miner: subsidy / 2 + 1, height: 150)
        }
        _ = try work(spends: [1], creates: [1], miner: subsidy, height: 150, network: .main)
    }
}
