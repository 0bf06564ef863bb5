import Concord
import SwiftASN1

extension SigningKey {
    /// The text of a PEM file with one private key, as `init(readingFrom:)` describes it.
    convenience init(pem text: String) throws(SigningKeyError.Reason) {
        // Both ways to encrypt: RFC 1421's header, which swift-asn1 takes for base 64, and PKCS #8's block.
        if text.contains("Proc-Type: 4,ENCRYPTED") || text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            throw .encrypted
        }
        guard var documents = try? PEMDocument.parseMultiple(pemString: text), !documents.isEmpty else {
            throw .notPEM
        }
        defer { for index in documents.indices { documents[index].derBytes.wipe() } }
        var key = try ECPrivateKey(documents)
        defer { key.secret.wipe() }
        try self.init(key)
    }

    private convenience init(_ key: ECPrivateKey) throws(SigningKeyError.Reason) {
        try self.init(secret: key.secret)
        guard let claimed = key.publicKey else { return }
        guard claimed == publicKey.uncompressed || claimed == publicKey.bytes else { throw .otherPublicKey }
    }

    /// The key as `openssl ec` writes it: SEC 1, with the curve's name and the public key, ending in a line feed.
    var pem: String {
        var serializer = DER.Serializer()
        do {
            try serializer.appendConstructedNode(identifier: .sequence) { key in
                try key.serialize(1)
                try withSecret { try key.serialize(ASN1OctetString(contentBytes: Array($0)[...])) }
                try key.serialize(
                    ASN1ObjectIdentifier.secp256k1, explicitlyTaggedWithTagNumber: 0,
                    tagClass: .contextSpecific)
                try key.serialize(
                    ASN1BitString(bytes: publicKey.uncompressed[...]), explicitlyTaggedWithTagNumber: 1,
                    tagClass: .contextSpecific)
            }
        } catch {
            preconditionFailure("a key of fixed shape did not encode")
        }
        return PEMDocument(type: "EC PRIVATE KEY", derBytes: serializer.serializedBytes).pemString + "\n"
    }
}

extension ASN1ObjectIdentifier {
    /// SEC 2, section A.2.1.
    fileprivate static let secp256k1: ASN1ObjectIdentifier = [1, 3, 132, 0, 10]
}

/// What a key file says, on secp256k1 by its own words, but not checked yet.
///
/// Copies, so that nothing shares the decoded PEM when it is wiped.
private struct ECPrivateKey {
    var secret: [UInt8]
    var publicKey: [UInt8]?

    init(_ documents: [PEMDocument]) throws(SigningKeyError.Reason) {
        var isCurveNamed = false
        var found: [PEMDocument] = []
        for document in documents {
            switch document.discriminator {
            case "EC PARAMETERS":
                try Self.checkCurve(Self.node(document.derBytes[...], in: "EC PARAMETERS"))
                isCurveNamed = true
            case "EC PRIVATE KEY", "PRIVATE KEY":
                found.append(document)
            default:
                // The name goes into a message: only one that cannot be the inside of a damaged block.
                let name = document.discriminator
                guard name.utf8.count <= 32, !name.contains(where: \.isNewline) else { throw .notPEM }
                throw .block(name)
            }
        }
        guard found.count == 1 else { throw .keyCount(found.count) }
        let der = found[0].derBytes[...]
        if found[0].discriminator == "PRIVATE KEY" {
            self = try Self.pkcs8(der)
        } else {
            self = try Self.sec1(der, isCurveNamed: isCurveNamed)
        }
    }

    private init(secret: ArraySlice<UInt8>, publicKey: ArraySlice<UInt8>?) {
        self.secret = Array(secret)
        self.publicKey = publicKey.map { Array($0) }
    }

    /// RFC 5915: `SEQUENCE { version 1, privateKey OCTET STRING, [0] parameters OPTIONAL, [1] publicKey OPTIONAL }`.
    /// The parameters may be absent where something around the structure names the curve.
    private static func sec1(
        _ der: ArraySlice<UInt8>, isCurveNamed: Bool
    ) throws(SigningKeyError.Reason) -> ECPrivateKey {
        try reading("EC PRIVATE KEY") {
            try DER.sequence(DER.parse(der), identifier: .sequence) { fields in
                guard try Int(derEncoded: &fields) == 1 else {
                    throw SigningKeyError.Reason.malformed("its version")
                }
                let secret = try ASN1OctetString(derEncoded: &fields)
                let curve: Void? = try DER.optionalExplicitlyTagged(
                    &fields, tagNumber: 0, tagClass: .contextSpecific
                ) { try checkCurve($0) }
                guard curve != nil || isCurveNamed else { throw SigningKeyError.Reason.curveNotNamed }
                let point = try DER.optionalExplicitlyTagged(
                    &fields, tagNumber: 1, tagClass: .contextSpecific
                ) {
                    try ASN1BitString(derEncoded: $0)
                }
                return ECPrivateKey(secret: secret.bytes, publicKey: point?.bytes)
            }
        }
    }

    /// RFC 5958: `SEQUENCE { version, SEQUENCE { id-ecPublicKey, curve }, OCTET STRING { the structure above }, … }`,
    /// where attributes and a public key may follow, which say nothing that is wanted.
    private static func pkcs8(_ der: ArraySlice<UInt8>) throws(SigningKeyError.Reason) -> ECPrivateKey {
        try reading("PRIVATE KEY") {
            try DER.sequence(DER.parse(der), identifier: .sequence) { fields in
                guard try (0...1).contains(Int(derEncoded: &fields)) else {
                    throw SigningKeyError.Reason.malformed("its version")
                }
                guard let algorithm = fields.next() else { throw SigningKeyError.Reason.malformed("its end") }
                try DER.sequence(algorithm, identifier: .sequence) { parts in
                    let kind = try ASN1ObjectIdentifier(derEncoded: &parts)
                    guard kind == .AlgorithmIdentifier.idEcPublicKey else {
                        throw SigningKeyError.Reason.algorithm("\(kind)")
                    }
                    guard let curve = parts.next() else { throw SigningKeyError.Reason.curveNotNamed }
                    try checkCurve(curve)
                }
                let inner = try ASN1OctetString(derEncoded: &fields)
                while fields.next() != nil {}
                return try sec1(inner.bytes, isCurveNamed: true)
            }
        }
    }

    private static func checkCurve(_ node: ASN1Node) throws(SigningKeyError.Reason) {
        // A SEQUENCE spells the curve out (SEC 1's SpecifiedECDomain).
        guard node.identifier == .objectIdentifier else { throw .curveNotNamed }
        let name = try reading("curve") { try ASN1ObjectIdentifier(derEncoded: node) }
        guard name == .secp256k1 else { throw .curve("\(name)") }
    }

    private static func node(_ der: ArraySlice<UInt8>, in what: String) throws(SigningKeyError.Reason)
        -> ASN1Node
    {
        try reading(what) { try DER.parse(der) }
    }

    /// Turns what swift-asn1 throws into words; it never has the key's bytes in them this way.
    private static func reading<R>(_ what: String, _ body: () throws -> R) throws(SigningKeyError.Reason) -> R
    {
        do {
            return try body()
        } catch let reason as SigningKeyError.Reason {
            throw reason
        } catch {
            throw .malformed("its \(what) is not DER of the right shape")
        }
    }
}
