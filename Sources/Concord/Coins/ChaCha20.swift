/// The one use of ChaCha20 in MuHash: stretching 32 bytes to the 384 of a group element.
enum ChaCha20 {
    private typealias State = InlineArray<16, UInt32>

    /// The first 384 bytes of the keystream (RFC 8439) under `key`, with nonce 0 and counter 0, as 48 little-endian
    /// words. Bitcoin Core: `MuHash3072::ToNum3072` (crypto/muhash.cpp).
    static func keystream(key: Digest, into limbs: UnsafeMutablePointer<UInt64>) {
        // "expand 32-byte k", the key, the counter, the nonce.
        var start = State(repeating: 0)
        (start[0], start[1], start[2], start[3]) = (0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574)
        key.withBytes {
            for i in 0..<8 {
                start[4 + i] = UInt32(littleEndian: $0.load(fromByteOffset: 4 * i, as: UInt32.self))
            }
        }
        for block in 0..<6 {
            start[12] = UInt32(block)
            var x = start
            for _ in 0..<10 {
                quarterRound(&x, 0, 4, 8, 12)
                quarterRound(&x, 1, 5, 9, 13)
                quarterRound(&x, 2, 6, 10, 14)
                quarterRound(&x, 3, 7, 11, 15)
                quarterRound(&x, 0, 5, 10, 15)
                quarterRound(&x, 1, 6, 11, 12)
                quarterRound(&x, 2, 7, 8, 13)
                quarterRound(&x, 3, 4, 9, 14)
            }
            for i in 0..<8 {
                let low = x[2 * i] &+ start[2 * i]
                let high = x[2 * i + 1] &+ start[2 * i + 1]
                limbs[8 * block + i] = UInt64(high) << 32 | UInt64(low)
            }
        }
    }

    @inline(__always)
    private static func quarterRound(_ x: inout State, _ a: Int, _ b: Int, _ c: Int, _ d: Int) {
        x[a] &+= x[b]
        x[d] = rotate(x[d] ^ x[a], by: 16)
        x[c] &+= x[d]
        x[b] = rotate(x[b] ^ x[c], by: 12)
        x[a] &+= x[b]
        x[d] = rotate(x[d] ^ x[a], by: 8)
        x[c] &+= x[d]
        x[b] = rotate(x[b] ^ x[c], by: 7)
    }

    @inline(__always)
    private static func rotate(_ word: UInt32, by bits: UInt32) -> UInt32 {
        word &<< bits | word &>> (32 - bits)
    }
}
