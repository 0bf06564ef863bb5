/// A trustnet that the bootstrap key it names has signed, with the very bytes that were signed. Whether that key is the
/// right one is for `TrustnetHistory` to say.
public struct SignedTrustnet: Hashable, Sendable {
    public let trustnet: Trustnet
    public let bytes: [UInt8]
    public let signature: [UInt8]
    /// Where this version replaces the bootstrap key: the signature that should be by the key before. Not checked yet.
    public let previousSignature: [UInt8]?

    /// A signature file longer than this is none.
    public static let maxSignatureBytes = SignedAttestation.maxSignatureBytes

    /// Throws what is wrong with the document, and after that what is wrong with the signature.
    public init(
        checking bytes: [UInt8], signature: [UInt8], previousSignature: [UInt8]? = nil
    ) throws(SignedTrustnetError) {
        do throws(TrustnetError) { trustnet = try Trustnet(parsing: bytes) } catch { throw .trustnet(error) }
        do throws(SignatureError) {
            try trustnet.bootstrap.verify(signature, over: SHA256.hash(bytes))
        } catch {
            throw .signature(error)
        }
        self.bytes = bytes
        self.signature = signature
        self.previousSignature = previousSignature
    }

    /// SHA-256 of the bytes: what the signatures sign.
    public var digest: Digest { SHA256.hash(bytes) }

    /// Whether a key has signed it: the one it names, or the one that this replaces.
    public func isSigned(by key: PublicKey) -> Bool {
        trustnet.bootstrap == key
            || previousSignature.map { key.isValid(signature: $0, over: digest) } ?? false
    }
}

/// Why a signed trustnet is none.
public enum SignedTrustnetError: Error, Equatable, Sendable, CustomStringConvertible {
    case trustnet(TrustnetError)
    case signature(SignatureError)

    public var description: String {
        switch self {
        case .trustnet(let error): error.description
        case .signature(let error): "the trustnet is not signed by the key it names: \(error)"
        }
    }
}
