/// Walks a block's undo record: the coins its transactions spent, in the order of its inputs (Bitcoin Core's
/// `CBlockUndo`, the bytes between a record's length and its checksum).
public struct SpentCoins {
    /// A spent coin where it lies in the record.
    public struct Coin {
        /// height · 2 + coinbase.
        public let code: UInt32
        /// In satoshi.
        public let amount: UInt64
        public let script: ScriptCompression.Compressed
    }

    private var cursor: ByteCursor

    /// Bytes from the start of the record up to what comes next.
    public var offset: Int { cursor.offset }

    /// `transactions` is the number of the block's transactions, the coinbase included, which has no entry here.
    public init(_ record: UnsafeRawBufferPointer, transactions: Int) throws(ParseError) {
        cursor = ByteCursor(record)
        guard try cursor.readCompactSize() == UInt64(transactions - 1) else {
            throw ParseError(.malformed("is the undo record of another block"), at: 0)
        }
    }

    /// Begins the next transaction, which spends `inputs` coins.
    public mutating func beginTransaction(inputs: Int) throws(ParseError) {
        let start = cursor.offset
        guard try cursor.readCompactSize() == UInt64(inputs) else {
            throw ParseError(.malformed("is the undo record of another block"), at: start)
        }
    }

    /// The next coin (`TxInUndoFormatter`).
    public mutating func next() throws(ParseError) -> Coin {
        let start = cursor.offset
        guard let code = UInt32(exactly: try cursor.readVarInt()) else {
            throw ParseError(.outOfRange("a height"), at: start)
        }
        // No coin of height 0 can be spent. Bitcoin Core before 0.15 wrote 0 for all but the last spent output of a
        // transaction; the height is then known to the node's chainstate alone.
        guard code > 1 else {
            throw ParseError(
                .malformed("was written by Bitcoin Core before version 0.15 and lacks the height of a coin"),
                at: start)
        }
        // Once the transaction's version; written as zero since Bitcoin Core 0.15.
        _ = try cursor.readVarInt()
        let amountStart = cursor.offset
        guard let amount = Amount.decompress(try cursor.readVarInt()) else {
            throw ParseError(.outOfRange("an amount"), at: amountStart)
        }
        return Coin(code: code, amount: amount, script: try ScriptCompression.read(from: &cursor))
    }

    public func finish() throws(ParseError) {
        try cursor.finish()
    }
}

extension ByteBuffer {
    /// Appends a coin as an undo record holds it (`TxInUndoFormatter`): code = height · 2 + coinbase, satoshi, the
    /// script decompressed.
    public mutating func appendSpentCoin(code: UInt32, amount: UInt64, script: UnsafeRawBufferPointer) {
        appendVarInt(UInt64(code))
        if code > 1 { appendVarInt(0) }
        appendVarInt(Amount.compress(amount))
        ScriptCompression.append(script, to: &self)
    }
}
