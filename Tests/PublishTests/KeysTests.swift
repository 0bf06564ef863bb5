import Concord
import Foundation
import TestSupport
import Testing

/// Keys as people make them.
@Suite(.waits) struct KeysTests {
    @Test(arguments: [
        ["ecparam", "-name", "secp256k1", "-genkey", "-noout"],
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    ])
    func keysThatOpenSSLMakesPublish(arguments: [String]) throws {
        let scratch = try Scratch()
        let openssl = try Program.installed("openssl")
        let key = try scratch.write(try openssl.print(arguments), to: "key.pem")
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir, key: key)
        try publication.publish("--to", "3")
        for paths in publication.tree.attestations().values {
            let path = try #require(paths.first)
            let fields = try publication.tree.fields(path)
            #expect(fields["key"] == publication.publicKey)
            let verified = try openssl.print(
                "dgst", "-sha256", "-verify", publication.tree.path("authority.pem"), "-signature",
                publication.tree.path(path + ".sig"), publication.tree.path(path))
            #expect(String(decoding: verified, as: UTF8.self) == "Verified OK\n")
        }
        #expect(publication.tree.attestations().count == 4)
        #expect(try publication.tree.read("authority.pem") == openssl.print("ec", "-in", key, "-pubout"))
    }

    @Test func opensslReadsTheKeysOfKeygen() throws {
        let scratch = try Scratch()
        let program = try Publication.program()
        let key = scratch.path("key.pem")
        let made = try program.run("keygen", "--key", key)
        let printed = made.standardOutput
        let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let openssl = try Program.installed("openssl")
        #expect(try openssl.print("ec", "-in", key) == scratch.read("key.pem"))
        let der = try openssl.print(
            "ec", "-in", key, "-pubout", "-conv_form", "compressed", "-outform", "DER")
        #expect(String(decoding: printed, as: UTF8.self) == Array(der.suffix(33)).hex + "\n")
        let words = try #require(PublicKey(der.suffix(33))).words.joined(separator: " ")
        #expect(made.isSuccess && made.errors == "its words: \(words)\n")

        // Never overwritten.
        let before = try scratch.read("key.pem")
        let again = try program.run("keygen", "--key", key)
        #expect(again.status == 1 && again.errors.contains("exists already") && again.output.isEmpty)
        #expect(try scratch.read("key.pem") == before)
    }
}
