/// SipHash-2-4 of Aumasson and Bernstein, with 64 bits of output: what BIP158 hashes scripts with (Bitcoin Core:
/// `CSipHasher`).
public struct SipHash: Sendable {
    private let k0: UInt64
    private let k1: UInt64

    /// - Parameter k0: the first eight bytes of the key, little endian.
    public init(k0: UInt64, k1: UInt64) {
        (self.k0, self.k1) = (k0, k1)
    }

    /// The key is the first 16 bytes of a block's hash in internal order, as in BIP158.
    public init(keyedBy block: Digest) {
        self = block.withBytes {
            SipHash(
                k0: UInt64(littleEndian: $0.load(as: UInt64.self)),
                k1: UInt64(littleEndian: $0.load(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    public func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = State(
            a: k0 ^ 0x736f_6d65_7073_6575, b: k1 ^ 0x646f_7261_6e64_6f6d, c: k0 ^ 0x6c79_6765_6e65_7261,
            d: k1 ^ 0x7465_6462_7974_6573)
        let whole = bytes.count & ~7
        var offset = 0
        while offset < whole {
            state.add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset &+= 8
        }
        // What is left, and the length in the highest byte.
        var last = UInt64(truncatingIfNeeded: bytes.count) &<< 56
        for i in 0..<bytes.count - whole { last |= UInt64(bytes[whole + i]) &<< UInt64(8 * i) }
        state.add(last)
        state.c ^= 0xff
        for _ in 0..<4 { state.round() }
        return state.a ^ state.b ^ state.c ^ state.d
    }

    private struct State {
        var a: UInt64, b: UInt64, c: UInt64, d: UInt64

        @inline(__always)
        mutating func add(_ word: UInt64) {
            d ^= word
            round()
            round()
            a ^= word
        }

        @inline(__always)
        mutating func round() {
            a &+= b
            b = b &<< 13 | b &>> 51
            b ^= a
            a = a &<< 32 | a &>> 32
            c &+= d
            d = d &<< 16 | d &>> 48
            d ^= c
            a &+= d
            d = d &<< 21 | d &>> 43
            d ^= a
            c &+= b
            b = b &<< 17 | b &>> 47
            b ^= c
            c = c &<< 32 | c &>> 32
        }
    }
}
