import CSecp256k1

/// A public key that others come from (BIP 32): `xpub` on the main network, `tpub` on the others.
///
/// `ypub` and `zpub`, `upub` and `vpub` (SLIP 132) are the same key with a word on the scripts that it is for: `kind`.
public struct ExtendedPublicKey: Sendable {
    /// The scripts that the first letter of SLIP 132 stands for.
    public enum Kind: Sendable {
        /// `xpub`, `tpub`: any.
        case any
        /// `ypub`, `upub`: P2WPKH in P2SH.
        case nested
        /// `zpub`, `vpub`: P2WPKH.
        case witness
    }

    /// Whether it is of the main network.
    public let isMain: Bool
    public let kind: Kind
    /// How many derivations it is away from the first key.
    public let depth: UInt8
    /// The first four bytes of the parent's `Hash160`; zeros at depth 0.
    public let parentFingerprint: [UInt8]
    /// Which child of its parent it is, from 2³¹ hardened; 0 at depth 0.
    public let number: UInt32
    /// 32 bytes.
    public let chainCode: [UInt8]
    /// The compressed point, 33 bytes.
    public let key: [UInt8]
    let point: secp256k1_pubkey

    /// Reads base58check: 78 bytes, a version that SLIP 132 lists for one public key, a point of the curve.
    public init(_ text: String) throws(ExtendedKeyError) {
        guard let payload = try? Base58.decode(text) else { throw .mistyped }
        guard payload.count == 78 else { throw .length(payload.count) }
        switch Self.bigEndian(payload[0..<4]) {
        case 0x0488_b21e: (isMain, kind) = (true, .any)
        case 0x049d_7cb2: (isMain, kind) = (true, .nested)
        case 0x04b2_4746: (isMain, kind) = (true, .witness)
        case 0x0435_87cf: (isMain, kind) = (false, .any)
        case 0x044a_5262: (isMain, kind) = (false, .nested)
        case 0x045f_1cf6: (isMain, kind) = (false, .witness)
        case 0x0295_b43f, 0x02aa_7ed3, 0x0242_89ef, 0x0257_5483: throw .multisig
        case 0x0488_ade4, 0x049d_7878, 0x04b2_430c, 0x0435_8394, 0x044a_4e28, 0x045f_18bc,
            0x0295_b005, 0x02aa_7a99, 0x0242_85b5, 0x0257_5048:
            throw .privateKey
        case let version: throw .version(version)
        }
        depth = payload[4]
        parentFingerprint = Array(payload[5..<9])
        number = Self.bigEndian(payload[9..<13])
        chainCode = Array(payload[13..<45])
        key = Array(payload[45...])
        guard let point = key.withBytes({ Secp256k1.parsed($0) }) else { throw .point }
        self.point = point
        guard depth > 0 || (number == 0 && parentFingerprint == [0, 0, 0, 0]) else { throw .root }
    }

    private init(
        parent: ExtendedPublicKey, number: UInt32, key: [UInt8], point: secp256k1_pubkey, chainCode: [UInt8]
    ) {
        (isMain, kind, depth) = (parent.isMain, parent.kind, parent.depth + 1)
        (parentFingerprint, self.number) = (parent.fingerprint, number)
        (self.key, self.point, self.chainCode) = (key, point, chainCode)
    }

    /// The child of this number (BIP 32's CKDpub); nil for a hardened one, from 2³¹, which a public key does not have, for
    /// one of a key at depth 255, and for the one in 2¹²⁷ that is no key.
    public func child(_ number: UInt32) -> ExtendedPublicKey? {
        guard depth < 255, let child = ChildKeys(self).child(number) else { return nil }
        return ExtendedPublicKey(
            parent: self, number: number, key: child.key, point: child.point, chainCode: child.chainCode)
    }

    /// The first four bytes of the key's `Hash160`.
    public var fingerprint: [UInt8] { Array(KeyScripts.hash160(key).prefix(4)) }

    /// The networks whose keys begin so.
    public var networks: [Network] { Network.allCases.filter { ($0 == .main) == isMain } }

    /// As BIP 32 writes it, whatever letter it was read with: `xpub…` or `tpub…`.
    public var text: String {
        let version: [UInt8] = isMain ? [0x04, 0x88, 0xb2, 0x1e] : [0x04, 0x35, 0x87, 0xcf]
        let number = withUnsafeBytes(of: number.bigEndian) { Array($0) }
        return Base58.encode(version + [depth] + parentFingerprint + number + chainCode + key)
    }

    private static func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
