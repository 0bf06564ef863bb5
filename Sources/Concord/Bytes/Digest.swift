/// 32 bytes: a SHA-256 digest, a txid, a block hash, a Merkle root.
///
/// Four words instead of an array, so that millions of them live without an allocation each. The words hold the
/// bytes in memory order; digests are ordered byte by byte, as FORMAT.md orders txids.
public struct Digest: Hashable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// 32 zero bytes.
    public static let zero = Digest()

    public init() {
        words = (0, 0, 0, 0)
    }

    /// The 32 bytes at `pointer`, which need no alignment.
    @inlinable
    public init(at pointer: UnsafeRawPointer) {
        self = pointer.loadUnaligned(as: Digest.self)
    }

    /// Exactly 32 bytes, or nil.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init()
        withUnsafeMutableBytes(of: &self) { $0.copyBytes(from: bytes) }
    }

    /// 64 lower-case hex digits in the order of the bytes, as `sha256sum` prints them; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64, let bytes = [UInt8](hex: hex) else { return nil }
        self.init(bytes)
    }

    /// 64 lower-case hex digits with the bytes reversed, as Bitcoin Core prints hashes; nil for anything else.
    public init?(reversedHex: some StringProtocol) {
        guard reversedHex.utf8.count == 64, let bytes = [UInt8](hex: reversedHex) else { return nil }
        self.init(bytes.reversed())
    }

    /// As `sha256sum` prints it.
    public var hex: String { bytes.hex }

    /// As Bitcoin Core prints block hashes, txids and MuHash: the bytes reversed.
    public var reversedHex: String { bytes.reversed().hex }

    public var bytes: [UInt8] { withBytes { [UInt8]($0) } }

    @inlinable
    public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBytes(of: self, body)
    }

    /// The first eight bytes as a little-endian integer: a ready-made hash, and the low end of a shard's number.
    public var lowWord: UInt64 { UInt64(littleEndian: words.0) }

    public static func == (a: Digest, b: Digest) -> Bool {
        a.words == b.words
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

extension Digest: Comparable {
    /// Byte by byte, first byte first.
    public static func < (a: Digest, b: Digest) -> Bool {
        if a.words.0 != b.words.0 { return a.words.0.bigEndian < b.words.0.bigEndian }
        if a.words.1 != b.words.1 { return a.words.1.bigEndian < b.words.1.bigEndian }
        if a.words.2 != b.words.2 { return a.words.2.bigEndian < b.words.2.bigEndian }
        return a.words.3.bigEndian < b.words.3.bigEndian
    }
}

extension Array where Element == UInt8 {
    /// The bytes that lower-case hex digits stand for; nil for an odd number of digits or any other character.
    public init?(hex: some StringProtocol) {
        let digits = hex.utf8
        guard digits.count.isMultiple(of: 2) else { return nil }
        self = []
        reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
    }
}

extension Collection where Element == UInt8 {
    /// Lower-case hex digits, two a byte.
    public var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 2 * count) { buffer in
            var i = 0
            for byte in self {
                buffer[i] = digits[Int(byte >> 4)]
                buffer[i + 1] = digits[Int(byte & 15)]
                i += 2
            }
            return i
        }
    }
}

extension Array where Element == UInt8 {
    /// The bytes in place; unlike `withUnsafeBytes`, an error keeps its type.
    @inlinable
    public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try span.bytes.withUnsafeBytes(body)
    }
}
