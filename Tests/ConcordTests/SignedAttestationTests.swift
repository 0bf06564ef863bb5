import TestSupport
import Testing

@testable import Concord

@Suite struct SignedAttestationTests {
    static let bytes = Array(AttestationTests.text.utf8)
    /// By the private key 1 over the SHA-256 of the text, RFC 6979; made with a few lines of Python.
    static let signature = hex(
        """
        3045022100e4821326cff1ab300f87aedfc883d05aa49213701041c734a33c3a38ac5884af
        02202f93da050e1ec96809e47a5f2d684118a139468fece69e46ea9c008508390900
        """)
    static let key = SignatureTests.key
    static let otherKey = PublicKey(
        hex: "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")!

    static func check(
        _ bytes: [UInt8] = bytes, signature: [UInt8] = signature, key: PublicKey = key
    ) throws(AttestationError) -> SignedAttestation {
        try SignedAttestation(checking: bytes, signature: signature, key: key)
    }

    @Test func aSignedAttestationIsBelieved() throws {
        let signed = try Self.check()
        #expect(signed.bytes == Self.bytes && signed.signature == Self.signature)
        #expect(signed.attestation.text == AttestationTests.text)
        #expect(signed.statement.text == StatementTests.text)
        #expect(Self.signature.count <= SignedAttestation.maxSignatureBytes)
    }

    @Test func anAttestationOfAnotherKeyIsRefused() {
        #expect(throws: AttestationError.otherKey(Self.key)) { try Self.check(key: Self.otherKey) }
    }

    /// It names the key that is asked for, but another one signed.
    @Test func aSignatureByAnotherKeyIsRefused() throws {
        let text = AttestationTests.text.replacing(Self.key.hex, with: Self.otherKey.hex)
        #expect(throws: AttestationError.signature(.wrong)) {
            try Self.check(Array(text.utf8), key: Self.otherKey)
        }
        #expect(throws: AttestationError.otherKey(Self.otherKey)) { try Self.check(Array(text.utf8)) }
    }

    @Test func eachChangedBitOfTheTextIsRefused() {
        for bit in 0..<Self.bytes.count * 8 {
            var bytes = Self.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: AttestationError.self, "bit \(bit)") { try Self.check(bytes) }
        }
    }

    @Test func eachChangedBitOfTheSignatureIsRefused() {
        for bit in 0..<Self.signature.count * 8 {
            var signature = Self.signature
            signature[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: AttestationError.self, "bit \(bit)") { try Self.check(signature: signature) }
        }
    }

    @Test func truncationAtEachByteIsRefused() {
        for count in Self.bytes.indices {
            #expect(throws: AttestationError.self, "\(count) bytes") {
                try Self.check(Array(Self.bytes[..<count]))
            }
        }
        for count in Self.signature.indices {
            #expect(throws: AttestationError.self, "\(count) bytes") {
                try Self.check(signature: Array(Self.signature[..<count]))
            }
        }
    }

    @Test func trailingBytesAreForbidden() {
        #expect(
            throws: AttestationError.malformed(ParseError(.trailingBytes, at: Self.bytes.count))
        ) { try Self.check(Self.bytes + [0x0a]) }
        #expect(throws: AttestationError.signature(.notStrictDER(ParseError(.trailingBytes, at: 71)))) {
            try Self.check(signature: Self.signature + [0])
        }
    }

    /// The signature covers the metadata too: a note taken away is no longer what was signed.
    @Test func theMetadataIsSigned() {
        for (old, new) in [
            ("note: a note\n", ""), ("alice", "mallory"), ("11:00:00Z", "12:00:00Z"), ("0.1.0", "0.2.0"),
            ("a note", "a nope"),
        ] {
            let text = AttestationTests.text.replacing(old, with: new)
            #expect(throws: AttestationError.signature(.wrong)) { try Self.check(Array(text.utf8)) }
        }
    }

    @Test func errorsSayWhatIsWrong() {
        #expect(
            "\(AttestationError.otherKey(Self.key))" == "the attestation is of another key, \(Self.key.hex)")
        #expect(
            "\(AttestationError.malformed(ParseError(.truncated, at: 3)))"
                == "the attestation ends too early (at byte 3)")
    }
}
