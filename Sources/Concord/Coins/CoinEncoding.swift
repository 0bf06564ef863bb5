/// One coin as shards, patches and Bitcoin Core's dumps hold it, where it lies in memory: the index, then
/// VARINT(height · 2 + coinbase), the compressed amount and the compressed script (FORMAT.md, «Shards»).
public struct EncodedCoin {
    public let index: UInt32
    /// height · 2 + coinbase.
    public let code: UInt32
    /// In satoshi.
    public let amount: UInt64
    public let script: ScriptCompression.Compressed
    /// Everything behind the index, as it stands.
    public let body: UnsafeRawBufferPointer

    public var height: Int { Int(code >> 1) }
    public var isCoinbase: Bool { code & 1 == 1 }

    /// The most bytes a coin takes: index, code, amount, script length, script.
    public static let maxBytes = 5 + 5 + 9 + 3 + ScriptCompression.maxScriptBytes

    /// Bytes that the compressed script takes, at the end of `body`.
    public let scriptBytes: Int

    /// A coin that was read before.
    init(
        index: UInt32, code: UInt32, amount: UInt64, script: ScriptCompression.Compressed,
        body: UnsafeRawBufferPointer, scriptBytes: Int
    ) {
        self.index = index
        self.code = code
        self.amount = amount
        self.script = script
        self.body = body
        self.scriptBytes = scriptBytes
    }

    /// Reads a coin, index first; `buffer` is what the cursor walks.
    @inline(__always)
    public init(parsing cursor: inout ByteCursor, in buffer: UnsafeRawBufferPointer) throws(ParseError) {
        let start = cursor.offset
        let index = try cursor.readCompactSize()
        guard let index = UInt32(exactly: index) else {
            throw ParseError(.outOfRange("an output index"), at: start)
        }
        try self.init(index: index, &cursor, in: buffer)
    }

    /// Reads a coin from all that is behind its index.
    public init(index: UInt32, body: UnsafeRawBufferPointer) throws(ParseError) {
        var cursor = ByteCursor(body)
        try self.init(index: index, &cursor, in: body)
        try cursor.finish()
    }

    @inline(__always)
    private init(index: UInt32, _ cursor: inout ByteCursor, in buffer: UnsafeRawBufferPointer)
        throws(ParseError)
    {
        self.index = index
        let start = cursor.offset
        guard let code = UInt32(exactly: try cursor.readVarInt()) else {
            throw ParseError(.outOfRange("a height"), at: start)
        }
        self.code = code
        let amountStart = cursor.offset
        guard let amount = Amount.decompress(try cursor.readVarInt()) else {
            throw ParseError(.outOfRange("an amount"), at: amountStart)
        }
        self.amount = amount
        let scriptStart = cursor.offset
        script = try ScriptCompression.read(from: &cursor)
        scriptBytes = cursor.offset - scriptStart
        body = UnsafeRawBufferPointer(rebasing: buffer[start..<cursor.offset])
    }
}

extension ByteBuffer {
    /// Appends a coin from its parts: index, code = height · 2 + coinbase, satoshi, the script decompressed.
    public mutating func appendCoin(
        index: UInt32, code: UInt32, amount: UInt64, script: UnsafeRawBufferPointer
    ) {
        appendCompactSize(UInt64(index))
        appendVarInt(UInt64(code))
        appendVarInt(Amount.compress(amount))
        ScriptCompression.append(script, to: &self)
    }
}
