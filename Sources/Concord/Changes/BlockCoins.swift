/// Walks the coins of a block in the order in which its transactions spend and create them: the slow and plain way, to
/// look closely at what a block's undo record says.
public struct BlockCoins: ~Copyable {
    /// A coin that the undo record says was spent, or that an output makes; the script is whole, and valid during the
    /// call.
    public struct Coin {
        public let isSpent: Bool
        public let outpoint: Outpoint
        /// height · 2 + coinbase.
        public let code: UInt32
        /// In satoshi.
        public let amount: UInt64
        public let script: UnsafeRawBufferPointer
        /// Where the undo record has it; 0 for an output.
        public let offset: Int

        /// Stands for the coin as a whole.
        public var hash: Digest {
            SHA256.hash(coin: outpoint, code: code, amount: amount, script: script)
        }

        public var plain: PlainCoin { PlainCoin(code: code, amount: amount, script: script) }
    }

    private var transactions = BlockTransactions()
    private var script = ByteBuffer()

    public init() {}

    /// Calls `body` with each coin that is spent or created; outputs that never enter the set are left out.
    ///
    /// - Parameters:
    ///   - block: the whole block, header first.
    ///   - undo: its undo record without the checksum; empty for the genesis block.
    public mutating func visit(
        block: UnsafeRawBufferPointer, undo: UnsafeRawBufferPointer, height: Int, network: Network,
        _ body: (Coin) -> Void
    ) throws(BlockError) {
        let header: BlockHeader
        do throws(ParseError) {
            header = try transactions.parse(block)
        } catch {
            throw .block(error)
        }
        // The genesis coinbase cannot be spent and is not in Bitcoin Core's set.
        if height == 0 { return }
        let skipsCoinbase = network.neverHasCoinbase(height: height, block: header.hash)
        do throws(ParseError) {
            var coins = try SpentCoins(undo, transactions: transactions.count)
            for transaction in 0..<transactions.count {
                if transaction > 0 { try visitSpent(by: transaction, &coins, body) }
                if transaction > 0 || !skipsCoinbase {
                    visitCreated(by: transaction, block, height: height, body)
                }
            }
            try coins.finish()
        } catch {
            throw .undo(error)
        }
    }

    private mutating func visitSpent(
        by transaction: Int, _ coins: inout SpentCoins, _ body: (Coin) -> Void
    ) throws(ParseError) {
        let inputs = transactions.firstInput[transaction]..<transactions.firstInput[transaction + 1]
        try coins.beginTransaction(inputs: inputs.count)
        for input in inputs {
            let start = coins.offset
            let coin = try coins.next()
            guard ScriptCompression.decompress(coin.script, into: &script) else {
                throw ParseError(.malformed("names a public key that is no point of the curve"), at: start)
            }
            body(
                Coin(
                    isSpent: true, outpoint: transactions.inputs[input], code: coin.code, amount: coin.amount,
                    script: script.bytes, offset: start))
        }
    }

    private func visitCreated(
        by transaction: Int, _ block: UnsafeRawBufferPointer, height: Int, _ body: (Coin) -> Void
    ) {
        let outputs = transactions.firstOutput[transaction]..<transactions.firstOutput[transaction + 1]
        for output in outputs {
            let out = transactions.outputs[output]
            let script = UnsafeRawBufferPointer(
                rebasing: block[out.scriptOffset..<out.scriptOffset + out.scriptLength])
            if ScriptCompression.isUnspendable(script) { continue }
            let index = UInt32(output - outputs.lowerBound)
            body(
                Coin(
                    isSpent: false, outpoint: Outpoint(txid: transactions.txids[transaction], index: index),
                    code: UInt32(height) << 1 | (transaction == 0 ? 1 : 0), amount: out.amount,
                    script: script,
                    offset: 0))
        }
    }
}
