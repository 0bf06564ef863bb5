import Concord
import ConcordFiles
import ConcordPublish
import TestSupport
import Testing

@testable import ConcordClient

@Suite struct TrustnetEvidenceTests {
    let key = SigningKey.generate()

    private func version(_ version: Int, expires: Int64) throws -> SignedTrustnet {
        let member = try TrustListTests.authority("alice", 0, "https://a.example")
        let trustnet = Trustnet(
            name: try #require(AuthorityName("example")), network: .main, version: version, expires: expires,
            parameters: TreeParameters(shards: 1024, epoch: 1000), minimum: 1, bootstrap: key.publicKey,
            members: [Trustnet.Member(member)])
        return try SignedTrustnet(
            checking: Array(trustnet.text.utf8), signature: try key.sign(SHA256.hash(trustnet.text)))
    }

    /// Evidence is there to be handed to anybody.
    @Test func noPasswordIsInTheAccount() throws {
        let scratch = try Scratch()
        let folder = try Folder(scratch.path("home"))
        let evidence = try TrustnetEvidence(
            try version(3, expires: 1_900_000_000), try version(3, expires: 1_900_000_001),
            from: "http://bob:secret@net.example/list", in: folder)
        let files = try Folder.names(in: evidence.path)
        #expect(files.count == 6)
        let account = String(
            decoding: try File.read("\(evidence.path)/account.txt", atMost: 10_000), as: UTF8.self)
        #expect(account.contains("served at http://bob@net.example/list\n"), "\(account)")
        for file in files {
            let bytes = try File.read("\(evidence.path)/\(file)", atMost: 10_000)
            #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"))
        }
        #expect(try TrustnetEvidence(reading: Folder(reading: evidence.path)).version == 3)
    }
}
