import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `concord-publish restore`: what a publisher lost comes back from its own hosts.
@Suite(.waits) struct RestoreTests {
    private static func serve(_ tree: String, directives: String = "") throws -> WebServer {
        try WebServer(serving: URL(fileURLWithPath: tree), directives: directives)
    }

    /// A publisher with the same node and key, and nothing else.
    private static func loser(of publication: Publication) throws -> Publication {
        var publication = try Publication(
            .regtestRich, datadir: publication.datadir, key: publication.key)
        publication.name = "alpha"
        return publication
    }

    private static func arguments(_ publication: Publication, _ urls: [String]) -> [String] {
        ["restore", "--key", publication.key, "--tree", publication.tree.root] + urls
    }

    private static func restore(_ publication: Publication, _ urls: String...) throws -> Program.Outcome {
        try Publication.program().run(arguments(publication, urls))
    }

    /// From servers, which live that long.
    private static func restore(_ publication: Publication, from servers: WebServer...) throws
        -> Program.Outcome
    {
        try withExtendedLifetime(servers) {
            try Publication.program().run(arguments(publication, servers.map(\.base)))
        }
    }

    private static func journal(_ publication: Publication) throws -> Set<Substring> {
        Set(
            try publication.journal.files().flatMap {
                try publication.journal.text($0).split(separator: "\n")
            })
    }

    private static func expectSame(
        _ one: Publication, _ other: Publication, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let files = try one.tree.look().files.mapValues(\.digest)
        let others = try other.tree.look().files.mapValues(\.digest)
        #expect(files.keys.sorted() == others.keys.sorted(), sourceLocation: sourceLocation)
        for (path, digest) in files where path != "index.html" {
            #expect(others[path] == digest, "\(path)", sourceLocation: sourceLocation)
        }
        #expect(try journal(one) == journal(other), sourceLocation: sourceLocation)
    }

    /// Replaces an attestation.
    private static func sign(
        _ attestation: Attestation, _ path: String, in tree: PlainTree, with key: String
    ) throws {
        try Data(attestation.text.utf8).write(to: URL(fileURLWithPath: tree.path(path)))
        try Data(try SigningKey(readingFrom: key).sign(attestation.digest))
            .write(to: URL(fileURLWithPath: tree.path(path + ".sig")))
    }

    private static func signatures(_ outcome: Program.Outcome) throws -> Int? {
        let object = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput)) as? [String: Any]
        return object?["signatures"] as? Int
    }

    @Test func theWholeTreeComesBack() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let server = try Self.serve(reference.tree.root)
        let publication = try Self.loser(of: reference)
        let outcome = try Self.restore(publication, server.base + "/")
        #expect(outcome.isSuccess, "\(outcome.errors)")
        #expect(
            outcome.output.contains(
                "the journal has 331 attestations, up to height 330; concord-publish run goes on")
                && outcome.errors.contains("is not in the journal"), "\(outcome.output)")
        #expect(try Self.journal(publication) == Self.journal(reference))
        #expect(!publication.state.files().contains { $0.hasPrefix("restore") })
        // The next run has the last epoch to work out, and nothing to sign.
        let run = try publication.publish("--json")
        #expect(try Self.signatures(run) == 0)
        try Self.expectSame(publication, reference)
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
        // And nothing is restored into that.
        let again = try Self.restore(publication, from: server)
        #expect(again.status == 1 && again.errors.contains("this state has begun"), "\(again.errors)")
    }

    /// Of two hosts one has stopped long ago, on a branch that the chain has left since.
    @Test func whatOneHostAloneHasIsNotForgotten() throws {
        let original = try Publication(.regtestRich)
        let files = try original.coreFiles()
        let best = Set(try ChainFixture.regtestRich.answers().map(\.block))
        let stale = try ReorganisationTests.branches(files, best: best)[0]
        try files.rewind(to: stale.tip)
        try original.publish("--level", "1")
        let old = original.scratch.path("old-host")
        try FileManager.default.copyItem(atPath: original.tree.root, toPath: old)
        try FollowTests.replace(original, files, tip: nil)
        try original.publish("--level", "1")
        let servers = try [original.tree.root, old].map { try Self.serve($0) }

        let publication = try Self.loser(of: original)
        let outcome = try Self.restore(publication, from: servers[0], servers[1])
        #expect(outcome.isSuccess, "\(outcome.errors)")
        #expect(try Self.journal(publication) == Self.journal(original))
        #expect(try Self.journal(publication).contains { $0.contains(stale.tip) })
        let run = try publication.publish("--level", "1", "--json")
        #expect(try Self.signatures(run) == 0)
        try Self.expectSame(publication, original)
    }

    /// What was signed since the last upload is worked out and signed again: the same statements, and --follow goes on.
    @Test func whatNoHostHasIsSaidAgain() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let original = try Publication(.regtestRich, key: reference.publication.key)
        let files = try original.coreFiles()
        let answers = try ChainFixture.regtestRich.answers()
        try original.publish("--to", "305")
        let server = try Self.serve(original.tree.root)
        let publication = try Self.loser(of: original)
        #expect(try Self.restore(publication, from: server).isSuccess)
        try files.rewind(to: answers[320].block)
        let run = try publication.start("--follow")
        try FollowTests.wait(for: "320 \(answers[320].block)", in: publication.tree, run)
        try FollowTests.replace(original, files, tip: nil)
        try FollowTests.wait(for: "330 \(answers[330].block)", in: publication.tree, run)
        run.send(SIGTERM)
        let outcome = try run.wait()
        #expect(outcome.isSuccess, "\(outcome.errors)")
        try PublishTests.expectSame(publication.tree, reference.tree)
    }

    enum Fault: String, CaseIterable, Sendable {
        case attestation, shard, patch, hint, otherKey

        func spoil(_ tree: PlainTree) throws {
            switch self {
            case .attestation: try Self.flip(tree, try #require(tree.attestations()[123]?.first))
            case .shard:
                try Self.flip(
                    tree, try #require(tree.files(under: "snapshots").last { $0.hasSuffix(".zst") }))
            case .patch: try Self.flip(tree, try #require(tree.files(under: "patches").last))
            case .hint: try FileManager.default.removeItem(atPath: tree.path("latest.txt"))
            case .otherKey:
                let own = try Publication(.regtestRich, datadir: "/none").publicKey
                let text = try tree.text("authority.txt")
                let key = try #require(try tree.fields("authority.txt")["key"])
                try text.replacing(key, with: own).write(
                    toFile: tree.path("authority.txt"), atomically: true, encoding: .utf8)
            }
        }

        static func flip(_ tree: PlainTree, _ path: String) throws {
            var bytes = try tree.read(path)
            bytes[bytes.count / 2] ^= 4
            try Data(bytes).write(to: URL(fileURLWithPath: tree.path(path)))
        }
    }

    /// Nothing can be signed before all of it is back; with a host that has what was signed it goes on.
    @Test(arguments: Fault.allCases) func aHostThatLies(fault: Fault) throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let publication = try Self.loser(of: reference)
        let copy = PlainTree(publication.scratch.path("host"))
        try FileManager.default.copyItem(atPath: reference.tree.root, toPath: copy.root)
        try fault.spoil(copy)
        let server = try Self.serve(copy.root)
        let outcome = try Self.restore(publication, from: server)
        #expect(outcome.status == 4 && outcome.errors.contains(server.base), "\(outcome.errors)")
        let refused = try publication.run()
        #expect(
            refused.status == 1 && refused.errors.contains("a restore has begun here"), "\(refused.errors)")
        #expect(!publication.tree.files().contains("latest.txt"))
        let good = try Self.serve(reference.tree.root)
        let again = try Self.restore(publication, from: good)
        #expect(again.isSuccess, "\(again.errors)")
        #expect(try Self.signatures(try publication.publish("--json")) == 0)
        try Self.expectSame(publication, reference)
    }

    @Test func twoStatementsOfOneBlockAreSaid() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let publication = try Self.loser(of: reference)
        let copy = PlainTree(publication.scratch.path("host"))
        try FileManager.default.copyItem(atPath: reference.tree.root, toPath: copy.root)
        let path = try #require(copy.attestations()[330]?.first)
        var attestation = try Attestation(parsing: try copy.read(path))
        attestation.statement.amount -= 1
        try Self.sign(attestation, path, in: copy, with: reference.key)
        let servers = try [copy.root, reference.tree.root].map { try Self.serve($0) }
        let outcome = try Self.restore(publication, from: servers[0], servers[1])
        #expect(outcome.status == 2, "\(outcome.errors)")
        for words in ["two statements of height 330", "differ in amount", servers[0].base, servers[1].base] {
            #expect(outcome.errors.contains(words), "\(outcome.errors)")
        }
        #expect(try publication.run().errors.contains("a restore has begun here"))
    }

    @Test func aWitnessComesBack() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let original = try Publication(.regtestRich, datadir: reference.datadir)
        try original.publish("--attest-only", "--first", "200")
        let server = try Self.serve(original.tree.root)
        let publication = try Self.loser(of: original)
        let outcome = try Self.restore(publication, from: server)
        #expect(outcome.isSuccess && outcome.output.contains("attestations only"), "\(outcome.errors)")
        #expect(try Self.journal(publication) == Self.journal(original))
        #expect(try publication.run().errors.contains("add --attest-only"))
        #expect(try Self.signatures(try publication.publish("--attest-only", "--json")) == 0)
        try Self.expectSame(publication, original)
        #expect(try publication.publish("--attest-only").output.hasPrefix("nothing new: "))
    }

    @Test func aKilledRestoreIsContinued() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let slow = try Self.serve(
            reference.tree.root, directives: "location /patches/0000200/ { limit_rate 1; }")
        let publication = try Self.loser(of: reference)
        for files in [1, 200, 900] {
            let run = try Publication.program().start(Self.arguments(publication, [slow.base]))
            // It never has all of it.
            while run.isRunning(),
                publication.tree.files().count + publication.state.files().count < files
            { usleep(2000) }
            run.send(SIGKILL)
            #expect(try run.wait().signal == SIGKILL)
        }
        #expect(try publication.run().errors.contains("a restore has begun here"))
        let other = try Publication(.regtestRich, datadir: reference.datadir)
        let another = try Publication.program().run(
            "restore", "--key", other.key, "--tree", publication.tree.root, slow.base)
        #expect(
            another.status == 1 && another.errors.contains("with another key has begun"), "\(another.errors)")
        let server = try Self.serve(reference.tree.root)
        let outcome = try Self.restore(publication, from: server)
        #expect(outcome.isSuccess, "\(outcome.errors)")
        #expect(try Self.signatures(try publication.publish("--json")) == 0)
        try Self.expectSame(publication, reference)
    }

    /// One that was killed while it counted has the tree of the newest host, and the others are behind it.
    @Test func aTreeThatIsNewerThanAHost() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let original = try Publication(.regtestRich, datadir: reference.datadir, key: reference.key)
        try original.publish("--to", "305")
        let publication = try Self.loser(of: reference)
        let (old, new) = ("file://\(original.tree.root)", try Self.ahead(of: reference, in: publication))
        #expect(try Self.restore(publication, "file://\(new.root)").isSuccess)
        try publication.scratch.write("\(reference.publicKey)\n", to: "tree.state/restore/key")
        let outcome = try Self.restore(publication, old)
        #expect(outcome.isSuccess, "\(outcome.errors)")
        #expect(outcome.output.contains("the tree of alpha up to height 330\n"), "\(outcome.output)")
        #expect(try publication.tree.text("latest.txt").hasPrefix("330 "))
    }

    /// A copy of a tree whose newest attestation is of the year 2100.
    private static func ahead(of reference: Publication, in other: Publication) throws -> PlainTree {
        let copy = PlainTree(other.scratch.path("host"))
        try FileManager.default.copyItem(atPath: reference.tree.root, toPath: copy.root)
        let path = try #require(copy.attestations()[330]?.first)
        var attestation = try Attestation(parsing: try copy.read(path))
        attestation.time = 4_102_444_800
        try Self.sign(attestation, path, in: copy, with: reference.key)
        return copy
    }

    /// A tree of attestations that one host gave before does not stand for data, which another has.
    @Test func attestationsAreNoData() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let publication = try Self.loser(of: reference)
        let new = try Self.ahead(of: reference, in: publication)
        for folder in ["patches", "snapshots"] {
            try FileManager.default.removeItem(atPath: new.path(folder))
        }
        #expect(try Self.restore(publication, "file://\(new.root)").isSuccess)
        try publication.scratch.remove("tree.state")
        try publication.scratch.write("\(reference.publicKey)\n", to: "tree.state/restore/key")
        let outcome = try Self.restore(publication, "file://\(reference.tree.root)")
        #expect(outcome.status == 4, "\(outcome.errors)")
        #expect(try publication.run().errors.contains("a restore has begun here"))
    }

    /// An upload that the loss cut off, to a folder: a statement without its signature says nothing.
    @Test func anAttestationWithoutItsSignature() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let original = try Publication(.regtestRich, datadir: reference.datadir, key: reference.key)
        try original.publish("--to", "305")
        let path = try #require(reference.tree.attestations()[306]?.first)
        try FileManager.default.copyItem(
            atPath: reference.tree.path(path), toPath: original.tree.path(path))
        let publication = try Self.loser(of: reference)
        let outcome = try Self.restore(publication, "file://\(original.tree.root)")
        #expect(outcome.isSuccess && outcome.output.contains("has 306 attestations"), "\(outcome.errors)")
    }

    /// What a clock that was ahead has signed is one's own all the same. The key comes from standard input.
    @Test func whatWasSignedAhead() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let publication = try Self.loser(of: reference)
        let copy = try Self.ahead(of: reference, in: publication)
        let outcome = try Publication.program().run(
            "restore", "--json", "--key", "-", "--tree", publication.tree.root, "file://\(copy.root)",
            input: Array(try String(contentsOfFile: reference.key, encoding: .utf8).utf8))
        #expect(outcome.isSuccess, "\(outcome.errors)")
        // The note is there beside the object.
        #expect(outcome.output.hasPrefix("{") && outcome.errors.hasPrefix("note: "), "\(outcome.errors)")
        #expect(try Self.journal(publication).contains { $0.contains("2100-01-01T00:00:00Z") })
    }

    @Test func nothingIsRestoredIntoWhatHasBegun() throws {
        let reference = try ReferenceTree.of(.regtestRich).publication
        let url = "file://\(reference.tree.root)"
        let publication = try Self.loser(of: reference)
        try publication.scratch.write("mine", to: "tree/letter")
        let outcome = try Self.restore(publication, url)
        #expect(outcome.status == 1 && outcome.errors.contains("holds letter"), "\(outcome.errors)")
        #expect(publication.tree.files() == ["letter"] && publication.state.files() == ["lock"])
        #expect(try Self.restore(publication, "alice.example").status == 64)
        #expect(try Publication.program().run(Self.arguments(publication, [])).status == 64)
        try FileManager.default.removeItem(atPath: publication.tree.path("letter"))
        #expect(try Self.restore(publication, url).isSuccess)
    }

    /// A folder can be listed, which a web server cannot: what it attests of branches that were left is noted too.
    @Test func aFolderShowsStaleBranchesToo() throws {
        let node = try TestNode(mining: 24)
        var original = try Publication(.regtestRich, datadir: node.folder)
        original.epoch = 20
        try original.publish()
        let left: String = try node.result("getbestblockhash")
        try node.reorganise(depth: 2)
        try original.publish()
        let publication = try Self.loser(of: original)
        let folder = publication.scratch.path("back up")
        try FileManager.default.copyItem(atPath: original.tree.root, toPath: folder)
        let url = "file://" + folder.replacing(" ", with: "%20")
        let outcome = try Self.restore(publication, url)
        #expect(outcome.isSuccess, "\(outcome.errors)")
        #expect(try Self.journal(publication).contains { $0.contains(left) })
        #expect(try Self.journal(publication) == Self.journal(original))
    }
}
