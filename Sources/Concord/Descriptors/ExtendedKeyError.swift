/// Why a text is not the extended public key that was asked for. It never holds the text, which may be a secret.
public enum ExtendedKeyError: Error, Equatable, Sendable {
    /// A character that base 58 does not have, or a checksum that does not fit.
    case mistyped
    /// This many bytes instead of 78.
    case length(Int)
    /// A private key, of BIP 32 or SLIP 132.
    case privateKey
    /// `Ypub`, `Zpub`, `Upub` or `Vpub` of SLIP 132: one key of a multisig script.
    case multisig
    /// Version bytes of no network of `Network`.
    case version(UInt32)
    /// The bytes of the key are no compressed point of the curve.
    case point
    /// Depth 0 with the fingerprint of a parent, or a child's number: BIP 32 calls such a key invalid.
    case root
}

extension ExtendedKeyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .mistyped: "it is no extended key with a checksum that fits: it is mistyped or cut off"
        case .length(let count): "the extended key has \(count) bytes instead of 78"
        case .privateKey: "this is an extended private key, which nobody who looks for coins needs"
        case .multisig:
            "Ypub, Zpub, Upub and Vpub are keys of multisig scripts (SLIP 132), which do not say how many keys there are, and "
                + "how many must sign: write the descriptor with the xpub of each key, like wsh(sortedmulti(2,KEY,KEY,KEY))"
        case .version(let version):
            "the extended key has the version bytes \(withUnsafeBytes(of: version.bigEndian) { Array($0).hex }), which no known network has"
        case .point: "the extended key holds no point of the curve"
        case .root: "the extended key is said to have no parent, and names one (BIP 32)"
        }
    }
}
