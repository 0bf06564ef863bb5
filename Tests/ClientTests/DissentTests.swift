import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

extension Site {
    /// Puts another attestation, signed by this authority's own key, in the place of one.
    func forge(_ height: Int, _ change: (inout Attestation) -> Void) throws {
        let path = try tree.attestation(height)
        var attestation = try Attestation(parsing: try tree.read(path))
        change(&attestation)
        try tree.replace(path, attestation.text)
        try tree.replace("\(path).sig", try SigningKey(readingFrom: keyFile).sign(attestation.digest))
    }

    /// Attests another block, with what it said of the one of a height, as its newest.
    func attest(_ header: some Collection<UInt8>, height: Int, like known: Int) throws {
        var attestation = try Attestation(parsing: try tree.read(try tree.attestation(known)))
        let parameters = attestation.statement.parameters
        attestation.statement.height = height
        attestation.statement.block = SHA256.hash(SHA256.hash(Array(header)).bytes)
        attestation.statement.parent = try #require(Digest(Array(header.dropFirst(4).prefix(32))))
        attestation.time += 60
        let path = TreePath.attestation(attestation.statement.blockID, parameters)
        try tree.replace(path, attestation.text)
        try tree.replace("\(path).sig", try SigningKey(readingFrom: keyFile).sign(attestation.digest))
        try tree.replace("latest.txt", "\(attestation.statement.blockID)\n")
    }

    /// The same statement but for one digit of its MuHash.
    func lie(at height: Int) throws {
        try forge(height) { $0.statement.muhash = Self.oneDigitChanged($0.statement.muhash) }
    }

    static func oneDigitChanged(_ digest: Digest) -> Digest {
        var bytes = digest.bytes
        bytes[7] ^= 1
        return Digest(bytes) ?? .zero
    }
}

/// One statement that differs stops everything, whoever signed it.
@Suite(.waits) struct DissentTests {
    /// The signed files of both sides are kept, and openssl accepts them.
    static func expectEvidence(in folder: String, signers: Set<String>) throws {
        let evidence = PlainTree(folder)
        let files = evidence.files().filter { $0.hasSuffix(".txt") && $0 != "account.txt" }
        #expect(Set(files.map { String($0.prefix { $0 != "-" }) }) == signers)
        for file in files {
            let name = file.prefix { $0 != "-" }
            let said = try Program.installed("openssl").run(
                "dgst", "-sha256", "-verify", evidence.path("\(name).pem"), "-signature",
                evidence.path("\(file).sig"), evidence.path(file))
            #expect(said.output == "Verified OK\n", "\(file): \(said.said)")
        }
        let account = try evidence.text("account.txt")
        // Nothing else differs.
        #expect(account.contains(" in:\n  muhash\n") && account.contains("openssl dgst -sha256 -verify"))
        #expect(account.contains("what the block does is the same; what is said of the whole set is not"))
    }

    @Test func oneAttestsAnotherSet() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[2].lie(at: 330)
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.result == "contradiction" && answer.height == nil)
        #expect(answer.verdicts == ["agrees", "agrees", "dissents"])
        let folder = try #require(answer.evidence)
        #expect(folder.hasPrefix(client.home.path("evidence/0000330-")))
        try Self.expectEvidence(in: folder, signers: ["alpha", "bravo", "charlie"])

        let outcome = try client.run("fetch")
        #expect(outcome.status == 2 && outcome.output.contains("CONTRADICTION at height 330"))
        #expect(outcome.output.contains(folder))
        #expect(!client.isInstalled && client.sets.files().isEmpty)
        struct Failed: Decodable {
            let network: String
            let agreement: Answer
            let error: Refused.Reason
        }
        let failed = try client.run("fetch", "--json").json(Failed.self)
        #expect(failed.agreement.result == "contradiction" && failed.agreement.error == nil)
        #expect(failed.network == "regtest" && failed.error.status == 2)
        #expect(failed.error.kind == "contradiction" && failed.error.message.contains(folder))
    }

    /// Even if two of three tell the lie: no majority makes a set.
    @Test func twoAttestAnotherSet() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[1].lie(at: 330)
        try sites[2].lie(at: 330)
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.verdicts == ["dissents", "agrees", "agrees"])
    }

    @Test func whatIsInstalledStaysAsItIs() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try client.fetch("--height", "320")
        let before = try client.sets.look()
        try sites[0].lie(at: 330)
        #expect(try client.run("fetch").status == 2)
        #expect(try client.sets.look() == before)
        #expect(try client.utxos("raw(51)", "--despite-contradiction").height == 320)
    }

    /// Its newest attestation is older than the chosen block, and differs from what the others said then.
    @Test func oneThatLagsDiffers() throws {
        let late = try PublishedTree.atTip.get()
        let sites = [
            try Site(late[0]), try Site(late[1]), try Site(try PublishedTree.fiveBlocksBefore.get()[2]),
        ]
        let client = try Client(trusting: sites)
        try sites[2].lie(at: 325)
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.result == "contradiction")
        // All who reach the height are heard, so that it is plain who stands alone.
        #expect(answer.verdicts == ["agrees", "agrees", "dissents"])
        try Self.expectEvidence(in: try #require(answer.evidence), signers: ["alpha", "bravo", "charlie"])
        #expect(try client.run("fetch").status == 2)
        #expect(!client.isInstalled)
    }

    @Test func oneKeySignsTwoStatements() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let mirror = try Site(try PublishedTree.atTip.get()[1])
        try client.trust(mirror)
        #expect(try client.check().answer.verdicts == ["agrees", "agrees", "agrees"])
        try mirror.lie(at: 330)
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.verdicts == ["agrees", "equivocates", "agrees"])
        let folder = try #require(answer.evidence)
        #expect(PlainTree(folder).files().count { $0.hasPrefix("bravo-") && $0.hasSuffix(".txt") } >= 2)
        try Self.expectEvidence(in: folder, signers: ["alpha", "bravo", "charlie"])
        #expect(try client.run("fetch").status == 2)
    }

    /// One of its mirrors is behind, and what that has is not what the key signed for the others.
    @Test func aMirrorThatLagsHasAnotherStatement() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let mirror = try Site(try PublishedTree.fiveBlocksBefore.get()[1])
        try client.trust(mirror)
        #expect(try client.check().answer.verdicts == ["agrees", "agrees", "agrees"])
        try mirror.lie(at: 325)
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.verdicts == ["agrees", "equivocates", "agrees"], "\(answer)")
    }

    /// The same statement with other metadata is no contradiction.
    @Test func metadataMayDiffer() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let mirror = try Site(try PublishedTree.atTip.get()[1])
        try client.trust(mirror)
        try mirror.forge(330) {
            $0.note = "another note"
            $0.time += 5
        }
        #expect(try client.check().status == 0)
    }
}
