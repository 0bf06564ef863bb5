import CCrypto

/// The scripts that pay to a public key as wallets make them, for a person who has a key where an address is wanted.
public struct KeyScripts: Sendable {
    /// P2PK: the key and OP_CHECKSIG.
    public let key: [UInt8]
    /// P2PKH.
    public let keyHash: [UInt8]
    /// P2WPKH (BIP 141), P2SH of it, and P2TR of the key alone (BIP 86); nil for a key that is not compressed, which witness
    /// scripts do not know.
    public let witness: (keyHash: [UInt8], nested: [UInt8], taproot: [UInt8])?

    /// Nil unless the bytes are a point of the curve: 33, the first 02 or 03, or 65, the first 04 (SEC 1), or 06 or 07 as
    /// OpenSSL's hybrid form has it.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 33 || bytes.count == 65, bytes.withBytes({ Secp256k1.parsed($0) }) != nil else {
            return nil
        }
        key = [UInt8(bytes.count)] + bytes + [0xac]
        let hash = Self.hash160(bytes)
        keyHash = [0x76, 0xa9, 20] + hash + [0x88, 0xac]
        guard bytes.count == 33, let taproot = Self.taproot(x: bytes[1...]) else {
            witness = nil
            return
        }
        let program = [0, 20] + hash
        witness = (program, [0xa9, 20] + Self.hash160(program) + [0x87], taproot)
    }

    /// The P2TR script of an internal key (BIP 341), from its 32 bytes and the root of its script tree; without one, as
    /// BIP 86 has it. Nil where no point has this x.
    public static func taproot(x: ArraySlice<UInt8>, root: Digest? = nil) -> [UInt8]? {
        guard x.count == 32, var point = ([2] + x).withBytes({ Secp256k1.parsed($0) }) else { return nil }
        var hash = tweak
        x.withUnsafeBytes { hash.update($0) }
        if let root { hash.update(root) }
        let tweak = hash.finish()
        guard let output = tweak.withBytes({ Secp256k1.add($0, to: &point) }) else { return nil }
        return [0x51, 32] + output[1...]
    }

    private static let tweak = SHA256(tag: "TapTweak")

    /// RIPEMD-160 of SHA-256 (Bitcoin Core's `Hash160`), 20 bytes.
    static func hash160(_ bytes: [UInt8]) -> [UInt8] {
        let sha = SHA256.hash(bytes).bytes
        return [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
            RIPEMD160(sha, sha.count, buffer.baseAddress)
            count = 20
        }
    }
}
