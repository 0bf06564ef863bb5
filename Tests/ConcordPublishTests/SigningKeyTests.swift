import Concord
import Foundation
import Testing

@testable import ConcordPublish

@Suite struct SigningKeyTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    static func key(_ number: UInt8) throws -> SigningKey {
        try SigningKey(secret: [UInt8](repeating: 0, count: 31) + [number])
    }

    /// RFC 6979 on secp256k1: vectors that many libraries share, as r and s.
    @Test(
        arguments: [
            (
                1, "Satoshi Nakamoto",
                "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
                    + "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
            ),
            (
                1, "All those moments will be lost in time, like tears in rain. Time to die...",
                "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b"
                    + "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21"
            ),
        ] as [(UInt8, String, String)])
    func noncesAreRFC6979s(number: UInt8, text: String, hex: String) throws {
        let signature = try Self.key(number).sign(SHA256.hash(text))
        // Both have an r that begins with a set bit, and so a zero byte before it.
        #expect(signature[5..<37].hex + signature.suffix(32).hex == hex)
    }

    @Test func signaturesVerifyAndRepeat() throws {
        let key = SigningKey.generate()
        for i in 0..<50 {
            let digest = SHA256.hash("\(i)")
            let signature = try key.sign(digest)
            try key.publicKey.verify(signature, over: digest)
            #expect(try key.sign(digest) == signature)
            #expect(!key.publicKey.isValid(signature: signature, over: .zero))
        }
    }

    @Test func threadsSignWithOneKey() async throws {
        let key = try Self.key(1)
        let digest = SHA256.hash("concord")
        let expected = try key.sign(digest)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<50).allSatisfy { _ in (try? key.sign(digest)) == expected } }
            }
            for await good in group { #expect(good) }
        }
    }

    @Test func generatedKeysDiffer() {
        #expect(Set((0..<20).map { _ in SigningKey.generate().publicKey }).count == 20)
    }

    @Test func onlyNumbersOfTheCurveAreKeys() throws {
        let order = try #require(
            [UInt8](hex: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"))
        #expect(throws: SigningKeyError.Reason.secretRange) { try SigningKey(secret: order) }
        #expect(throws: SigningKeyError.Reason.secretRange) { try Self.key(0) }
        #expect(throws: SigningKeyError.Reason.secretLength(31)) {
            try SigningKey(secret: Array(order.dropFirst()))
        }
        let largest = try SigningKey(secret: order.dropLast() + [0x40])
        #expect(try largest.publicKey.bytes.dropFirst() == Self.key(1).publicKey.bytes.dropFirst())
    }

    @Test func opensslVerifiesWhatIsSigned() throws {
        let key = SigningKey.generate()
        for i in 0..<5 {
            let text = "concord/1 statement\nnumber: \(i)\n"
            let file = try scratch.file("statement.txt", text)
            let signature = try scratch.file("statement.txt.sig", key.sign(SHA256.hash(text)))
            let publicKey = try scratch.file("authority.pem", key.publicKey.pem)
            let printed = try openssl("dgst", "-sha256", "-verify", publicKey, "-signature", signature, file)
            #expect(printed == "Verified OK\n")
        }
    }

    @Test func writtenKeysAreReadAgainByUsAndByOpenSSL() throws {
        for key in [SigningKey.generate(), try Self.key(1)] {
            let path = scratch.path("\(key.publicKey).key")
            try key.write(to: path)
            #expect(try SigningKey(readingFrom: path).publicKey == key.publicKey)
            #expect(try openssl("ec", "-in", path, "-pubout") == key.publicKey.pem)
            #expect(try openssl("ec", "-in", path) == String(contentsOfFile: path, encoding: .utf8))
            #expect(try openssl("pkey", "-in", path, "-check", "-noout") == "Key is valid\n")
        }
    }

    @Test func writtenKeysAreTheirOwnersAlone() throws {
        let path = scratch.path("key.pem")
        try SigningKey.generate().write(to: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func nothingIsOverwritten() throws {
        let path = try scratch.file("key.pem", "something dear")
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("link.pem"), withDestinationPath: scratch.path("nowhere.pem"))
        for name in [path, scratch.path("link.pem")] {
            let error = #expect(throws: SigningKeyError.self) { try SigningKey.generate().write(to: name) }
            #expect(error?.reason == .exists && error?.file == name)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "something dear")
        #expect(!FileManager.default.fileExists(atPath: scratch.path("nowhere.pem")))
    }

    @Test func aFailedWriteSaysWhichCallAndWhere() throws {
        let path = scratch.path("none/key.pem")
        let error = #expect(throws: SigningKeyError.self) { try SigningKey.generate().write(to: path) }
        #expect(error?.description == "\(path): open: No such file or directory")
    }
}
