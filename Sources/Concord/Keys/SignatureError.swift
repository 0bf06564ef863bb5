/// Why a detached signature is refused.
public enum SignatureError: Error, Equatable, Sendable {
    /// The bytes are not strict DER: what is wrong, and at which byte of the signature.
    case notStrictDER(ParseError)
    /// r or s is zero.
    case zero
    /// r or s is not below the order of the curve.
    case outOfRange
    /// s is in the upper half: the form that anybody can make from a good signature (BIP 62).
    case highS
    /// Well formed, but not this key's signature over this digest.
    case wrong
}

extension SignatureError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notStrictDER(let error): "the signature is not strict DER: \(error)"
        case .zero: "the signature has a zero for r or s"
        case .outOfRange: "the signature has an r or s that is not below the order of the curve"
        case .highS:
            "the signature has its s in the upper half of the curve's order; only the lower half is accepted"
        case .wrong: "the signature is not by this key over these bytes"
        }
    }
}
