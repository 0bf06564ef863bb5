/// Reads little-endian values from bytes that somebody else owns; it never leaves them.
///
/// Every read checks that the bytes are there and throws `ParseError` with the offset where they are not. The
/// buffer must outlive the cursor: make one inside `withUnsafeBytes`, and let it go there.
public struct ByteCursor {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    /// Bytes from the start of the buffer to the next unread one.
    public private(set) var offset: Int

    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        offset = 0
    }

    public var remaining: Int { bytes.count - offset }
    public var isAtEnd: Bool { offset == bytes.count }

    @inline(__always)
    private mutating func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(ParseError) -> T {
        guard remaining >= MemoryLayout<T>.size else { throw ParseError(.truncated, at: offset) }
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
        offset &+= MemoryLayout<T>.size
        return T(littleEndian: value)
    }

    public mutating func readUInt8() throws(ParseError) -> UInt8 { try load(UInt8.self) }
    public mutating func readUInt16() throws(ParseError) -> UInt16 { try load(UInt16.self) }
    public mutating func readUInt32() throws(ParseError) -> UInt32 { try load(UInt32.self) }
    public mutating func readUInt64() throws(ParseError) -> UInt64 { try load(UInt64.self) }

    public mutating func readDigest() throws(ParseError) -> Digest {
        guard remaining >= 32, let base = bytes.baseAddress else { throw ParseError(.truncated, at: offset) }
        defer { offset &+= 32 }
        return Digest(at: base + offset)
    }

    /// The next `count` bytes, still owned by the buffer.
    public mutating func readBytes(_ count: Int) throws(ParseError) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw ParseError(.truncated, at: offset) }
        defer { offset &+= count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    public mutating func skip(_ count: Int) throws(ParseError) {
        guard count >= 0, remaining >= count else { throw ParseError(.truncated, at: offset) }
        offset &+= count
    }

    /// Bitcoin Core's CompactSize, in its shortest form only (`ReadCompactSize` refuses the others too).
    @inline(__always)
    public mutating func readCompactSize() throws(ParseError) -> UInt64 {
        let start = offset
        let first = try readUInt8()
        if first < 253 { return UInt64(first) }
        let value: UInt64
        let least: UInt64
        switch first {
        case 253: (value, least) = (UInt64(try readUInt16()), 253)
        case 254: (value, least) = (UInt64(try readUInt32()), 0x1_0000)
        default: (value, least) = (try readUInt64(), 0x1_0000_0000)
        }
        guard value >= least else { throw ParseError(.notCanonical, at: start) }
        return value
    }

    /// A CompactSize that counts things of at least `size` bytes each that follow: more than the rest of the input
    /// can hold is refused before anybody allocates for it.
    @inline(__always)
    public mutating func readCount(ofAtLeast size: Int) throws(ParseError) -> Int {
        let start = offset
        let count = try readCompactSize()
        guard count <= UInt64(remaining / size) else { throw ParseError(.truncated, at: start) }
        return Int(count)
    }

    /// Bitcoin Core's VARINT (`ReadVarInt`): base 128, most significant group first, one subtracted from every
    /// group but the last, so that each number has one form only. Refuses what does not fit 64 bits.
    @inline(__always)
    public mutating func readVarInt() throws(ParseError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        while true {
            let byte = try readUInt8()
            guard value <= UInt64.max >> 7 else { throw ParseError(.notCanonical, at: start) }
            value = value << 7 | UInt64(byte & 0x7f)
            if byte & 0x80 == 0 { return value }
            guard value < UInt64.max else { throw ParseError(.notCanonical, at: start) }
            value &+= 1
        }
    }

    /// Throws unless everything was read.
    public func finish() throws(ParseError) {
        guard isAtEnd else { throw ParseError(.trailingBytes, at: offset) }
    }
}
