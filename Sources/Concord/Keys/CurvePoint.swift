import CSecp256k1

/// The two questions that script compression asks about a point. Both are asked for each pay-to-pubkey output, so
/// they work on the caller's memory and allocate nothing.
extension Secp256k1 {
    /// Whether 64 bytes at `xy` (x, then y, each 32 bytes big endian; any alignment) are a point of the curve: Bitcoin
    /// Core's `CPubKey::IsFullyValid` for a key that starts with 0x04.
    ///
    /// A pay-to-pubkey script is compressed (cases 4 and 5 of `CompressScript`) only if this is true.
    public static func isValidUncompressed(_ xy: UnsafeRawPointer) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 65, alignment: 1) { key in
            key[0] = 4
            key.baseAddress.unsafelyUnwrapped.advanced(by: 1).copyMemory(from: xy, byteCount: 64)
            return parsed(UnsafeRawBufferPointer(key)) != nil
        }
    }

    /// Writes the 65 bytes 0x04 ‖ x ‖ y of the point with this x (32 bytes big endian at `x`, any alignment) and this
    /// parity of y to `out`: Bitcoin Core's `CPubKey::Decompress`, as `DecompressScript` calls it for cases 4 and 5.
    ///
    /// False, and `out` untouched, if no point of the curve has this x. `out` has room for 65 bytes and may not
    /// overlap `x`.
    public static func decompress(x: UnsafeRawPointer, odd: Bool, into out: UnsafeMutableRawPointer) -> Bool {
        let point = withUnsafeTemporaryAllocation(byteCount: 33, alignment: 1) { key in
            key[0] = odd ? 3 : 2
            key.baseAddress.unsafelyUnwrapped.advanced(by: 1).copyMemory(from: x, byteCount: 32)
            return parsed(UnsafeRawBufferPointer(key))
        }
        guard let point else { return false }
        serialize(point, into: UnsafeMutableRawBufferPointer(start: out, count: 65))
        return true
    }

    /// The point that 33 bytes (0x02 or 0x03 first), or 65 (0x04 first, or the hybrid 0x06 and 0x07 of old), stand
    /// for; nil if it is not on the curve.
    static func parsed(_ bytes: UnsafeRawBufferPointer) -> secp256k1_pubkey? {
        var point = secp256k1_pubkey()
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
            secp256k1_ec_pubkey_parse(context, &point, start, bytes.count) == 1
        else { return nil }
        return point
    }

    /// Fills 33 bytes with the compressed form, or 65 with the uncompressed one.
    static func serialize(_ point: secp256k1_pubkey, into out: UnsafeMutableRawBufferPointer) {
        precondition(out.count == 33 || out.count == 65)
        var point = point
        var count = out.count
        let flags = out.count == 33 ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED
        let start = out.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
        secp256k1_ec_pubkey_serialize(context, start, &count, &point, UInt32(flags))
    }

    /// The point plus `tweak` (32 bytes, big endian) times the generator, in 33 bytes; nil for a tweak that is none.
    static func add(_ tweak: UnsafeRawBufferPointer, to point: inout secp256k1_pubkey) -> [UInt8]? {
        guard tweak.count == 32, let start = tweak.baseAddress?.assumingMemoryBound(to: UInt8.self),
            secp256k1_ec_pubkey_tweak_add(context, &point, start) == 1
        else { return nil }
        let sum = point
        return [UInt8](unsafeUninitializedCapacity: 33) { buffer, count in
            serialize(sum, into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: 33))
            count = 33
        }
    }
}
