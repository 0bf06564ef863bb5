import CSecp256k1

/// A public key that verifies attestations and trustnets: a point of secp256k1, 33 bytes compressed (SEC 1,
/// section 2.3.3). A value of this type is always a point of the curve.
public struct PublicKey: Hashable, Sendable {
    /// 0x02 or 0x03 for an even or odd y, then x, 32 bytes big endian.
    public let bytes: [UInt8]

    /// Exactly 33 bytes that are a compressed point of the curve, or nil.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 33 else { return nil }
        let copy = Array(bytes)
        guard copy.withBytes({ Secp256k1.parsed($0) }) != nil else { return nil }
        self.bytes = copy
    }

    /// 66 lower-case hex digits that are a compressed point of the curve, as `key:` lines have it; nil for anything
    /// else.
    public init?(hex: some StringProtocol) {
        guard hex.utf8.count == 66, let bytes = [UInt8](hex: hex) else { return nil }
        self.init(bytes)
    }

    /// 66 lower-case hex digits.
    public var hex: String { bytes.hex }

    /// The same point in 65 bytes: 0x04, then x and y, each 32 bytes big endian.
    public var uncompressed: [UInt8] {
        let point = point
        return [UInt8](unsafeUninitializedCapacity: 65) { buffer, count in
            Secp256k1.serialize(
                point, into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: 65))
            count = 65
        }
    }

    private var point: secp256k1_pubkey {
        guard let point = bytes.withBytes({ Secp256k1.parsed($0) }) else {
            preconditionFailure("a public key was a point when it was made")
        }
        return point
    }
}

extension PublicKey {
    /// Returns if `signature` is this key's ECDSA signature over `digest`, in the only form Concord knows: strict DER
    /// (BIP 66's rules, without a hash type behind it), r and s from 1 to the order less one, s in the lower half
    /// (BIP 62, BIP 146). Throws what is wrong with it otherwise.
    public func verify(_ signature: [UInt8], over digest: Digest) throws(SignatureError) {
        var parsed = try Signature.parse(signature)
        var point = point
        let good = digest.withBytes { hash in
            secp256k1_ecdsa_verify(
                Secp256k1.context, &parsed,
                hash.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self), &point)
        }
        guard good == 1 else { throw .wrong }
    }

    /// Whether `verify` returns.
    public func isValid(signature: [UInt8], over digest: Digest) -> Bool {
        do {
            try verify(signature, over: digest)
            return true
        } catch {
            return false
        }
    }
}

extension PublicKey {
    /// `authority.pem`: the key as SubjectPublicKeyInfo (RFC 5480, named curve, uncompressed point) in PEM (RFC 7468),
    /// ending in a line feed. `openssl dgst -sha256 -verify` reads it.
    public var pem: String {
        // SEQUENCE { SEQUENCE { id-ecPublicKey 1.2.840.10045.2.1, secp256k1 1.3.132.0.10 }, BIT STRING { 65 bytes } }
        let prefix: [UInt8] = [
            0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
            0x81,
            0x04, 0x00, 0x0a, 0x03, 0x42, 0x00,
        ]
        var text = "-----BEGIN PUBLIC KEY-----\n"
        var rest = Self.base64(prefix + uncompressed)[...]
        while !rest.isEmpty {
            text += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        return text + "-----END PUBLIC KEY-----\n"
    }

    /// RFC 4648, section 4.
    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? digits[bits >> 18 & 63] : UInt8(ascii: "="))
                bits <<= 6
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension PublicKey: CustomStringConvertible {
    public var description: String { hex }
}
