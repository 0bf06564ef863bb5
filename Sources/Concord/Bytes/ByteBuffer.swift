/// A growing run of bytes that is kept and filled again: one a worker, no allocation a record.
public struct ByteBuffer: ~Copyable {
    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    public private(set) var count = 0

    public init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        storage = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit {
        storage.deallocate()
    }

    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }
    public var mutableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: storage, count: count)
    }

    public mutating func removeAll() {
        count = 0
    }

    public mutating func reserve(_ extra: Int) {
        if capacity - count >= extra { return }
        grow(extra)
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: storage, byteCount: count)
        storage.deallocate()
        storage = moved
        capacity = larger
    }

    /// Makes the buffer `count` bytes long; bytes that this adds are undefined until they are written.
    public mutating func resize(to count: Int) {
        if count > self.count { reserve(count - self.count) }
        self.count = count
    }

    /// `count` undefined bytes more, to be written at once.
    public mutating func extend(by count: Int) -> UnsafeMutableRawBufferPointer {
        reserve(count)
        defer { self.count &+= count }
        return UnsafeMutableRawBufferPointer(start: storage + self.count, count: count)
    }

    @inline(__always)
    private mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        storage.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
        count &+= MemoryLayout<T>.size
    }

    public mutating func append(_ value: UInt8) { store(value) }
    public mutating func append(_ value: UInt16) { store(value) }
    public mutating func append(_ value: UInt32) { store(value) }
    public mutating func append(_ value: UInt64) { store(value) }

    public mutating func append(_ digest: Digest) {
        reserve(32)
        storage.storeBytes(of: digest, toByteOffset: count, as: Digest.self)
        count &+= 32
    }

    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (storage + count).copyMemory(from: base, byteCount: bytes.count)
        count &+= bytes.count
    }

    public mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Bitcoin Core's CompactSize, shortest form.
    public mutating func appendCompactSize(_ value: UInt64) {
        switch value {
        case 0..<253: append(UInt8(value))
        case 253..<0x1_0000:
            append(253 as UInt8)
            append(UInt16(value))
        case 0x1_0000..<0x1_0000_0000:
            append(254 as UInt8)
            append(UInt32(value))
        default:
            append(255 as UInt8)
            append(value)
        }
    }

    /// Bitcoin Core's VARINT (`WriteVarInt`).
    public mutating func appendVarInt(_ value: UInt64) {
        let out = extend(by: 10)
        var rest = value
        var start = 9
        out[9] = UInt8(rest & 0x7f)
        while rest > 0x7f {
            rest = (rest >> 7) &- 1
            start &-= 1
            out[start] = UInt8(rest & 0x7f) | 0x80
        }
        let used = 10 &- start
        if start > 0, let base = out.baseAddress {
            base.copyMemory(from: base + start, byteCount: used)
        }
        count &-= start
    }
}
