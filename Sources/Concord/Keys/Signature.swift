import CSecp256k1

/// The bytes of a `.sig` file: ECDSA on secp256k1, `SEQUENCE { INTEGER r, INTEGER s }` in strict DER.
enum Signature {
    /// r and s in libsecp256k1's form, ready for `secp256k1_ecdsa_verify`.
    ///
    /// The rules are BIP 66's, which has 9 to 73 bytes with a hash type at the end; here nothing follows s. They are
    /// spelled out instead of left to `secp256k1_ecdsa_signature_parse_der`, so that the reader learns which one fails.
    static func parse(_ bytes: [UInt8]) throws(SignatureError) -> secp256k1_ecdsa_signature {
        let numbers: (r: [UInt8], s: [UInt8])
        do {
            numbers = try bytes.withBytes { raw throws(ParseError) in
                var cursor = ByteCursor(raw)
                try readTag(0x30, "a SEQUENCE", from: &cursor)
                let start = cursor.offset
                let length = try readLength(from: &cursor)
                guard length <= cursor.remaining else { throw ParseError(.truncated, at: start) }
                guard length == cursor.remaining else {
                    throw ParseError(.trailingBytes, at: cursor.offset + length)
                }
                let r = try readInteger(from: &cursor)
                let s = try readInteger(from: &cursor)
                try cursor.finish()
                return (r, s)
            }
        } catch {
            throw .notStrictDER(error)
        }
        return try signature(r: numbers.r, s: numbers.s)
    }

    private static func readTag(_ tag: UInt8, _ name: String, from cursor: inout ByteCursor)
        throws(ParseError)
    {
        let start = cursor.offset
        guard try cursor.readUInt8() == tag else {
            throw ParseError(.malformed("has no \(name) there"), at: start)
        }
    }

    /// One byte: nothing in a signature is as long as 128 bytes, and DER forbids longer forms of shorter lengths.
    private static func readLength(from cursor: inout ByteCursor) throws(ParseError) -> Int {
        let start = cursor.offset
        let length = try cursor.readUInt8()
        guard length < 0x80 else { throw ParseError(.notCanonical, at: start) }
        return Int(length)
    }

    /// A positive integer, big endian, without the zero byte that DER puts before a set first bit. Empty for zero.
    private static func readInteger(from cursor: inout ByteCursor) throws(ParseError) -> [UInt8] {
        try readTag(0x02, "an INTEGER", from: &cursor)
        let length = try readLength(from: &cursor)
        let start = cursor.offset
        let bytes = try cursor.readBytes(length)
        guard let first = bytes.first else {
            throw ParseError(.malformed("has an INTEGER without bytes"), at: start)
        }
        guard first < 0x80 else { throw ParseError(.malformed("has a negative INTEGER"), at: start) }
        guard first == 0 else { return Array(bytes) }
        if length > 1, bytes[1] < 0x80 { throw ParseError(.notCanonical, at: start) }
        return Array(bytes.dropFirst())
    }

    private static func signature(r: [UInt8], s: [UInt8]) throws(SignatureError) -> secp256k1_ecdsa_signature
    {
        guard !r.isEmpty, !s.isEmpty else { throw .zero }
        guard r.count <= 32, s.count <= 32 else { throw .outOfRange }
        let compact = [r, s].flatMap { [UInt8](repeating: 0, count: 32 - $0.count) + $0 }
        var signature = secp256k1_ecdsa_signature()
        guard secp256k1_ecdsa_signature_parse_compact(Secp256k1.context, &signature, compact) == 1 else {
            throw .outOfRange
        }
        guard secp256k1_ecdsa_signature_normalize(Secp256k1.context, nil, &signature) == 0 else {
            throw .highS
        }
        return signature
    }
}
