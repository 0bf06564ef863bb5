import Concord
import TestSupport

/// Makes blocks of regtest one after the other, always the same ones of a seed: what they spend and create is of the main
/// network's kind, and nothing is signed.
///
/// Half of the outputs are spent one to ten blocks later, by transactions of one or two inputs and two to four outputs. The
/// first blocks, which have nothing to spend yet, pay as many from their coinbases.
struct BlockMaker {
    /// A script that a block's coinbase pays to besides.
    struct Payment: Sendable {
        let script: [UInt8]
        /// How many blocks later the coin is spent; never if nil.
        var spentAfter: Int?
    }

    struct Block: Sendable {
        let id: BlockID
        let header: [UInt8]
        let bytes: [UInt8]
        /// Its undo record, without the checksum.
        let undo: [UInt8]
        /// The bytes of its BIP158 filter.
        let filterBytes: Int
        /// Satoshi of the payments, in their order.
        let paid: [UInt64]
    }

    private struct Output {
        let amount: UInt64
        let script: [UInt8]
        let spentAfter: Int?
    }

    /// An output that a later block spends.
    private struct Coin {
        let outpoint: Outpoint
        let height: Int
        let isCoinbase: Bool
        let amount: UInt64
        let script: [UInt8]
    }

    /// Some transactions of a block under way.
    private struct Transactions: ~Copyable {
        var bytes = ByteBuffer()
        var txids: [Digest] = []
        var undo = ByteBuffer()
        /// Of all outputs and of all coins that are spent.
        var scripts: [[UInt8]] = []
        var outputs = 0
    }

    private let seed: UInt64
    /// How many scripts there are that come again.
    private let recurring: UInt64
    private var random: SeededRandom
    /// What a block spends, by its height.
    private var due: [Int: [Coin]] = [:]
    /// Of the newest block.
    private var height = 0
    private var header = TestHeaders.genesis

    /// - Parameter outputs: of the whole chain, about.
    init(seed: UInt64, outputs: Int) {
        self.seed = seed
        recurring = UInt64(max(1, outputs / 160))
        random = SeededRandom(seed: seed)
    }

    /// Regtest's first block.
    static var genesis: Block {
        let id = BlockID(height: 0, hash: TestHeaders.genesis.withBytes { SHA256.double($0) })
        // One output.
        let script = Array(PinnedChain.genesis.suffix(71).prefix(67))
        return Block(
            id: id, header: TestHeaders.genesis, bytes: PinnedChain.genesis, undo: [],
            filterBytes: BasicFilter.bytes(of: [script], block: id.hash).count, paid: [])
    }

    /// The next block, with about so many outputs besides its payments.
    mutating func next(outputs wanted: Int, paying payments: [Payment]) -> Block {
        height += 1
        var rest = Transactions()
        var coins = (due.removeValue(forKey: height) ?? [])[...]
        coins.shuffle(using: &random)
        while !coins.isEmpty {
            let inputs = Array(coins.prefix(Int.random(in: 1...2, using: &random)))
            coins = coins.dropFirst(inputs.count)
            let count = inputs.count + Int.random(in: 1...2, using: &random)
            add(inputs, outputs(count, worth: inputs.reduce(0) { $0 + $1.amount }), to: &rest)
        }
        var first = Transactions()
        var left = Network.regtest.subsidy(at: height)
        let paid = payments.map { payment in
            let output = Output(
                amount: amount(atMost: left / 8), script: payment.script, spentAfter: payment.spentAfter)
            left -= output.amount
            return output
        }
        // What commits to witnesses stands in every coinbase.
        let commitment = Output(amount: 0, script: [0x6a, 0x24] + random.bytes(36), spentAfter: nil)
        add(nil, paid + outputs(max(1, wanted - rest.outputs), worth: left) + [commitment], to: &first)
        return assemble(first, rest, paid: paid.map(\.amount))
    }

    private mutating func assemble(
        _ first: borrowing Transactions, _ rest: borrowing Transactions, paid: [UInt64]
    ) -> Block {
        let txids = first.txids + rest.txids
        header = TestHeaders.child(of: header, merkleRoot: Self.merkleRoot(of: txids))
        let id = BlockID(height: height, hash: header.withBytes { SHA256.double($0) })
        let scripts = first.scripts + rest.scripts
        return Block(
            id: id, header: header,
            bytes: header
                + bytes { out in
                    out.appendCompactSize(UInt64(txids.count))
                    out.append(first.bytes.bytes)
                    out.append(rest.bytes.bytes)
                },
            undo: bytes { out in
                out.appendCompactSize(UInt64(rest.txids.count))
                out.append(rest.undo.bytes)
            }, filterBytes: BasicFilter.bytes(of: scripts, block: id.hash).count, paid: paid)
    }

    /// Bitcoin's own: the last hash of an odd level is paired with itself.
    private static func merkleRoot(of txids: [Digest]) -> Digest {
        var level = txids
        while level.count > 1 {
            level = stride(from: 0, to: level.count, by: 2).map { i in
                var sha = SHA256()
                sha.update(level[i])
                sha.update(level[min(i + 1, level.count - 1)])
                return sha.finishDouble()
            }
        }
        return level[0]
    }

    // MARK: transactions

    /// - Parameter inputs: nil for the coinbase.
    private mutating func add(_ inputs: [Coin]?, _ outputs: [Output], to all: inout Transactions) {
        let start = all.bytes.count
        all.bytes.append(2 as UInt32)
        all.bytes.appendCompactSize(UInt64(inputs?.count ?? 1))
        if let inputs {
            all.undo.appendCompactSize(UInt64(inputs.count))
            for coin in inputs { spend(coin, in: &all) }
        } else {
            all.bytes.append(Digest.zero)
            all.bytes.append(UInt32.max)
            // No two coinbases are the same.
            all.bytes.append(8 as UInt8)
            all.bytes.append(UInt64(height))
            all.bytes.append(UInt32.max)
        }
        all.bytes.appendCompactSize(UInt64(outputs.count))
        for output in outputs {
            all.bytes.append(output.amount)
            all.bytes.appendCompactSize(UInt64(output.script.count))
            all.bytes.append(output.script)
        }
        all.bytes.append(0 as UInt32)
        let txid = SHA256.double(UnsafeRawBufferPointer(rebasing: all.bytes.bytes[start...]))
        all.txids.append(txid)
        all.outputs += outputs.count
        for (index, output) in outputs.enumerated() {
            all.scripts.append(output.script)
            guard let age = output.spentAfter else { continue }
            due[height + age, default: []].append(
                Coin(
                    outpoint: Outpoint(txid: txid, index: UInt32(index)), height: height,
                    isCoinbase: inputs == nil, amount: output.amount, script: output.script))
        }
    }

    private func spend(_ coin: Coin, in all: inout Transactions) {
        all.bytes.append(coin.outpoint.txid)
        all.bytes.append(coin.outpoint.index)
        all.bytes.append(0 as UInt8)
        all.bytes.append(UInt32.max)
        all.scripts.append(coin.script)
        coin.script.withBytes {
            all.undo.appendSpentCoin(
                code: UInt32(coin.height * 2 + (coin.isCoinbase ? 1 : 0)), amount: coin.amount, script: $0)
        }
    }

    // MARK: outputs

    /// So many outputs that come to a sum. Half of them are spent again; these have most of it, so that there is something
    /// to pay with at all heights.
    private mutating func outputs(_ count: Int, worth sum: UInt64) -> [Output] {
        let spent = max(1, (count + Int.random(in: 0...1, using: &random)) / 2)
        var left = sum
        var outputs = (spent..<count).map { _ in
            let output = Output(amount: amount(atMost: left / 8), script: script(), spentAfter: nil)
            left -= output.amount
            return output
        }
        for others in (0..<spent).reversed() {
            let share = left / UInt64(others + 1)
            let amount = others == 0 ? left : share * UInt64.random(in: 50...150, using: &random) / 100
            left -= amount
            outputs.append(
                Output(
                    amount: amount, script: script(), spentAfter: Int.random(in: 1...10, using: &random)))
        }
        outputs.shuffle(using: &random)
        return outputs
    }

    /// Satoshi: now and then just above dust, else of any size.
    private mutating func amount(atMost most: UInt64) -> UInt64 {
        if Int.random(in: 0..<10, using: &random) < 3 { return min(546, most) }
        return min(random.next() >> UInt64.random(in: 44...54, using: &random), most)
    }

    /// One in ten comes again.
    private mutating func script() -> [UInt8] {
        guard Int.random(in: 0..<10, using: &random) == 0 else { return random.script() }
        var known = SeededRandom(seed: seed ^ UInt64.random(in: 1...recurring, using: &random) << 32)
        return known.script()
    }
}

extension SeededRandom {
    /// A scriptPubKey, in the main network's mix.
    fileprivate mutating func script() -> [UInt8] {
        switch next() % 100 {
        case 0..<28: script([0x76, 0xa9, 20], 20, [0x88, 0xac])
        case 28..<59: script([0x00, 20], 20)
        case 59..<88: script([0x51, 32], 32)
        case 88..<97: script([0xa9, 20], 20, [0x87])
        default: script([0x00, 32], 32)
        }
    }

    /// With so many random bytes between a start and an end. Eight at a time, for there are millions of them.
    private mutating func script(_ start: [UInt8], _ count: Int, _ end: [UInt8] = []) -> [UInt8] {
        var script = start
        script.reserveCapacity(start.count + count + end.count)
        for place in stride(from: 0, to: count, by: 8) {
            withUnsafeBytes(of: next()) { script.append(contentsOf: $0.prefix(count - place)) }
        }
        return script + end
    }
}
