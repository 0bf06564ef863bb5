/// An attestation whose signature was checked, with the very bytes that were signed.
public struct SignedAttestation: Hashable, Sendable {
    public let attestation: Attestation
    public let bytes: [UInt8]
    public let signature: [UInt8]

    /// A signature file longer than this is none: strict DER of two integers of 33 bytes. One that is believed has a
    /// byte less, for its s is low; that it is not, is said of a whole one.
    public static let maxSignatureBytes = 72

    public var statement: Statement { attestation.statement }

    /// The one way to believe an attestation: the file parses, names this key, and the signature is this key's.
    public init(
        checking bytes: [UInt8], signature: [UInt8], key: PublicKey
    ) throws(AttestationError) {
        do throws(ParseError) { attestation = try Attestation(parsing: bytes) } catch {
            throw .malformed(error)
        }
        guard attestation.key == key else { throw .otherKey(attestation.key) }
        do throws(SignatureError) {
            try key.verify(signature, over: SHA256.hash(bytes))
        } catch {
            throw .signature(error)
        }
        self.bytes = bytes
        self.signature = signature
    }
}

/// Why an attestation is not believed.
public enum AttestationError: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed(ParseError)
    /// It names another key than the authority's.
    case otherKey(PublicKey)
    case signature(SignatureError)

    public var description: String {
        switch self {
        case .malformed(let error): "the attestation \(error)"
        case .otherKey(let key): "the attestation is of another key, \(key.hex)"
        case .signature(let error): error.description
        }
    }
}
