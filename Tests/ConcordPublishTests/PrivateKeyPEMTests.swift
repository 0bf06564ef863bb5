import Concord
import Foundation
import Testing

@testable import ConcordPublish

@Suite struct PrivateKeyPEMTests {
    static func reason(_ pem: String) -> SigningKeyError.Reason? {
        do throws(SigningKeyError.Reason) {
            _ = try SigningKey(pem: pem)
            return nil
        } catch {
            return error
        }
    }

    @Test func keysThatOpenSSLMakesAreRead() throws {
        let sec1 = try openssl("ecparam", "-name", "secp256k1", "-genkey")
        #expect(sec1.contains("-----BEGIN EC PARAMETERS-----"))
        let forms = [
            sec1,
            try openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout"),
            try openssl("ec", "-conv_form", "compressed", input: sec1),
            try openssl("ec", "-no_public", input: sec1),
            try openssl("pkcs8", "-topk8", "-nocrypt", input: sec1),
            try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
            "A note before the key.\n" + sec1.replacing("\n", with: "\r\n"),
        ]
        for pem in forms {
            let key = try SigningKey(pem: pem)
            let expected = try openssl("ec", "-pubout", "-conv_form", "uncompressed", input: pem)
            #expect(key.publicKey.pem == expected)
        }
    }

    @Test func encryptedKeysAreRefusedWithWhatMendsThem() throws {
        let plain = try openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout")
        for pem in [
            try openssl("ec", "-aes128", "-passout", "pass:secret", input: plain),
            try openssl("pkcs8", "-topk8", "-passout", "pass:secret", input: plain),
        ] {
            #expect(Self.reason(pem) == .encrypted)
        }
        #expect(
            "\(SigningKeyError(.encrypted, file: "a.pem"))".hasSuffix(
                "(umask 077 && openssl ec -in a.pem -out NEWFILE)"))
    }

    @Test(arguments: [
        ("prime256v1", "1.2.840.10045.3.1.7"), ("secp384r1", "1.3.132.0.34"),
        ("secp256r1", "1.2.840.10045.3.1.7"),
        ("secp224k1", "1.3.132.0.32"),
    ])
    func otherCurvesAreRefused(name: String, identifier: String) throws {
        let sec1 = try openssl("ecparam", "-name", name, "-genkey", "-noout")
        #expect(Self.reason(sec1) == .curve(identifier))
        #expect(Self.reason(try openssl("pkcs8", "-topk8", "-nocrypt", input: sec1)) == .curve(identifier))
        #expect(Self.reason(try openssl("ecparam", "-name", name, "-genkey")) == .curve(identifier))
    }

    @Test func curvesWithoutANameAreRefused() throws {
        let named = try openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout")
        let explicit = try openssl("ec", "-param_enc", "explicit", input: named)
        #expect(Self.reason(explicit) == .curveNotNamed)
        #expect(Self.reason(try openssl("pkcs8", "-topk8", "-nocrypt", input: explicit)) == .curveNotNamed)
        // The message's command mends it.
        #expect(Self.reason(try openssl("ec", "-param_enc", "named_curve", input: explicit)) == nil)
    }

    @Test func otherKindsOfKeysAreRefused() throws {
        #expect(Self.reason(try openssl("genpkey", "-algorithm", "ED25519")) == .algorithm("1.3.101.112"))
        let rsa = try openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
        #expect(Self.reason(rsa) == .algorithm("1.2.840.113549.1.1.1"))
        #expect(Self.reason(try openssl("rsa", "-traditional", input: rsa)) == .block("RSA PRIVATE KEY"))
        #expect(Self.reason(SigningKey.generate().publicKey.pem) == .block("PUBLIC KEY"))
    }

    @Test func oneKeyAFile() throws {
        let (one, two) = (SigningKey.generate().pem, SigningKey.generate().pem)
        #expect(Self.reason(one) == nil)
        #expect(Self.reason(one + two) == .keyCount(2))
        #expect(Self.reason(try openssl("ecparam", "-name", "secp256k1")) == .keyCount(0))
    }

    @Test func otherTextIsNotPEM() {
        for text in ["", "hello\n", "-----BEGIN EC PRIVATE KEY-----\n", "\u{0}\u{ff}"] {
            #expect(Self.reason(text) == .notPEM)
        }
        #expect(Self.reason(SigningKey.generate().pem.replacing("=", with: "!")) == .notPEM)
    }

    static let one = String(repeating: "0", count: 63) + "1"
    static let secp256k1 = "06052b8104000a"

    /// RFC 5915's structure from its parts, with a point.
    static func der(version: UInt8 = 1, secret: String = one, curve: String = secp256k1, point: [UInt8])
        -> [UInt8]
    {
        let secret = [UInt8](hex: secret) ?? []
        let curve = [UInt8](hex: curve) ?? []
        let fields: [[UInt8]] = [
            [0x02, 1, version], [0x04, UInt8(secret.count)] + secret, [0xa0, UInt8(curve.count)] + curve,
            [0xa1, UInt8(point.count + 3), 0x03, UInt8(point.count + 1), 0] + point,
        ]
        let body = Array(fields.joined())
        return [0x30, UInt8(body.count)] + body
    }

    static func pem(_ der: some Sequence<UInt8>, name: String = "EC PRIVATE KEY") -> String {
        let lines = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return "-----BEGIN \(name)-----\n\(lines)\n-----END \(name)-----\n"
    }

    @Test func noChangedBitGivesAnotherKey() throws {
        let key = SigningKey.generate()
        for (pem, name) in [
            (key.pem, "EC PRIVATE KEY"),
            (try openssl("pkcs8", "-topk8", "-nocrypt", input: key.pem), "PRIVATE KEY"),
        ] {
            let base64 = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
            let der = try Array(#require(Data(base64Encoded: base64)))
            #expect(Self.reason(Self.pem(der, name: name)) == nil)
            for bit in 0..<der.count * 8 {
                var changed = der
                changed[bit / 8] ^= 1 << (bit % 8)
                guard let other = try? SigningKey(pem: Self.pem(changed, name: name)) else { continue }
                #expect(other.publicKey == key.publicKey, "bit \(bit)")
            }
            for count in 1..<der.count {
                #expect(Self.reason(Self.pem(der.prefix(count), name: name)) != nil, "\(count) bytes")
            }
        }
    }

    @Test func damagedKeysAreRefused() throws {
        let key = try SigningKey(secret: [UInt8](repeating: 0, count: 31) + [1])
        let point = key.publicKey.uncompressed
        #expect(Self.pem(Self.der(point: point)) == key.pem)
        #expect(Self.reason(Self.pem(Self.der(point: key.publicKey.bytes))) == nil)

        #expect(Self.reason(Self.pem(Self.der(version: 2, point: point))) == .malformed("its version"))
        #expect(Self.reason(Self.pem(Self.der(secret: "00" + Self.one, point: point))) == .secretLength(33))
        #expect(
            Self.reason(Self.pem(Self.der(secret: String(Self.one.dropFirst(2)), point: point)))
                == .secretLength(31))
        #expect(Self.reason(Self.pem(Self.der(secret: "", point: point))) == .secretLength(0))
        #expect(
            Self.reason(Self.pem(Self.der(secret: String(repeating: "0", count: 64), point: point)))
                == .secretRange)
        #expect(
            Self.reason(Self.pem(Self.der(secret: String(repeating: "f", count: 64), point: point)))
                == .secretRange)
        #expect(
            Self.reason(Self.pem(Self.der(secret: String(Self.one.dropLast()) + "2", point: point)))
                == .otherPublicKey)
        #expect(Self.reason(Self.pem(Self.der(point: []))) == .otherPublicKey)
        let shape = SigningKeyError.Reason.malformed("its EC PRIVATE KEY is not DER of the right shape")
        #expect(Self.reason(Self.pem(Self.der(curve: "", point: point))) == shape)
        #expect(Self.reason(Self.pem(Self.der(point: point) + [0])) == shape)
        for count in 1..<Self.der(point: point).count {
            #expect(Self.reason(Self.pem(Self.der(point: point).prefix(count))) == shape, "\(count) bytes")
        }
    }

    @Test func messagesHoldNothingOfTheKey() throws {
        let secret = "7f6e5d4c3b2a1908f7e6d5c4b3a29180706f5e4d3c2b1a09f8e7d6c5b4a39281"
        let bytes = try #require([UInt8](hex: secret))
        let point = try SigningKey(secret: bytes).publicKey.uncompressed
        let pem = Self.pem(Self.der(secret: secret, point: point))
        for place in pem.utf8.indices {
            var changed = Array(pem.utf8)
            changed[pem.utf8.distance(from: pem.utf8.startIndex, to: place)] = UInt8(ascii: "~")
            guard let reason = Self.reason(String(decoding: changed, as: UTF8.self)) else { continue }
            let message = "\(SigningKeyError(reason, file: "a.pem"))"
            for start in stride(from: 28, to: pem.utf8.count - 40, by: 8) {
                let piece = pem.dropFirst(start).prefix(8)
                if piece.contains("-") || piece.contains("\n") { continue }
                #expect(!message.contains(piece))
            }
        }
    }
}
