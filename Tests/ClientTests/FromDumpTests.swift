import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A tree that begins with a dump of Bitcoin Core's: dump → tree → export → dump.
@Suite(.waits) struct FromDumpTests {
    /// A publication on the fixture's chain, and one of its dumps in a file.
    static func publication(dump height: Int, epoch: Int = 50) throws -> (Publication, dump: String) {
        let reference = try ReferenceTree.of(.regtestRich)
        var publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        publication.epoch = epoch
        let dump = try publication.scratch.write(
            ChainFixture.regtestRich.dumpFile(of: height), to: "utxo.dat")
        return (publication, dump)
    }

    /// At every height that there is a dump of, as the first of an epoch.
    @Test func everyDumpComesOutAgain() throws {
        let answers = try ChainFixture.regtestRich.answers()
        for dump in try ChainFixture.regtestRich.dumps() {
            let (publication, path) = try Self.publication(dump: dump.height, epoch: dump.height)
            try publication.publish(
                "--from-dump", path, "--to", "\(dump.height)", "--expect-muhash",
                answers[dump.height].muhash)
            let digits = String(format: "%07d", dump.height)
            let name = "attestations/\(digits)/\(digits)-\(dump.block).txt"
            let text = try publication.tree.text(name)
            let answer = answers[dump.height]
            #expect(
                text.contains(
                    "\ncoins: \(answer.coins)\namount: \(answer.amount)\nmuhash: \(answer.muhash)\n"))

            let client = try Client()
            try client.trust("alpha", publication.publicKey, "file://\(publication.tree.root)")
            try client.fetch()
            let exported: Exported = try client.succeed(
                "export", publication.scratch.path("exported.dat"), "--json"
            ).json()
            #expect(exported.hashSerialized3 == dump.hash && exported.coins == dump.coins)
            #expect(
                try publication.scratch.read("exported.dat")
                    == ChainFixture.regtestRich.dumpFile(of: dump.height), "\(dump.height)")
        }
    }

    /// From there on it is the tree of the blocks.
    @Test func theRestFollowsFromBlocks() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let (publication, path) = try Self.publication(dump: 150)
        let outcome = try publication.publish("--from-dump", path, "--unconfirmed")
        #expect(outcome.output.hasPrefix("published 181 blocks and 4 snapshots"), "\(outcome.output)")
        let kept = reference.tree.files().filter { path in
            guard path.contains("/"), !path.hasPrefix("headers/") else { return true }
            return Int(path.split(separator: "/")[1].prefix(7)).map { $0 >= 150 } ?? false
        }
        #expect(publication.tree.files() == kept)
        for path in kept where path.hasPrefix("attestations/") && path.hasSuffix(".txt") {
            #expect(
                try publication.tree.text(path).components(separatedBy: "\n\n")[0]
                    == reference.tree.text(path).components(separatedBy: "\n\n")[0], "\(path)")
        }
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        // The dump is not needed again: it is refused, not ignored.
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
        let refused = try publication.run("--from-dump", path)
        #expect(refused.status == 64)
        for words in ["has begun, at height 150", "leave --from-dump out", "begin another --tree", "--state"]
        {
            #expect(refused.errors.contains(words), "\(refused.errors)")
        }
    }

    /// A node that has pruned what the tree still lacks: another tree with the same key and state.
    @Test func aNodeThatWasPrunedPastTheTree() throws {
        let node = try TestNode(mining: 65)
        try node.set(.initialBlockDownload(false))
        var whole = try Publication(.regtestRich, datadir: node.folder)
        whole.epoch = 20
        try whole.publish("--to", "60")
        let client = try Client()
        try client.trust("alpha", whole.publicKey, "file://\(whole.tree.root)")
        try client.fetch()
        var publication = try Publication(.regtestRich, datadir: node.folder)
        publication.epoch = 20
        publication.source = ["--node", node.base, "--cookie", node.cookieFile]
        let dump = publication.scratch.path("utxo.dat")
        try client.succeed("export", dump)
        try publication.publish("--to", "30")
        let noted = try publication.journal.text("0000020.txt")
        try node.set(.pruneHeight(45))
        let pruned = try publication.run()
        #expect(pruned.status == 1)
        for words in ["pruned this block", "another --tree with the same --key and --state", "--from-dump"] {
            #expect(pruned.errors.contains(words), "\(pruned.errors)")
        }
        let tree = PlainTree(publication.scratch.path("another"))
        let arguments = ["--tree", tree.root, "--state", publication.state.root]
        let begun = try Publication.program().run(
            publication.arguments(arguments + ["--from-dump", dump, "--unconfirmed"]))
        #expect(begun.isSuccess && begun.output.hasPrefix("published 6 blocks"), "\(begun.errors)")
        #expect(!begun.errors.contains("going back"), "\(begun.errors)")
        #expect(
            try Publication.program().run(publication.arguments(arguments)).output.hasPrefix("nothing new: "))
        let verified = try Program.built("concord").run("verify", tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        #expect(try tree.text("latest.txt") == "65 \(node.result("getbestblockhash") as String)\n")
        // One journal for both.
        #expect(try publication.journal.text("0000020.txt") == noted)
        #expect(try publication.journal.text("0000060.txt").split(separator: "\n").count == 6)
    }

    /// A client that trusts a witness too fetches from the others, without a word about what a witness has not got.
    @Test func aWitnessHasNoDataToFetch() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let witness = try Publication(.regtestRich, datadir: reference.publication.datadir)
        try witness.publish("--attest-only")
        let client = try Client()
        try client.trust("witness", witness.publicKey, "file://\(witness.tree.root)")
        try client.trust("alpha", reference.publication.publicKey, "file://\(reference.tree.root)")
        let outcome = try client.succeed("fetch")
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.output.contains("agreed by 2 of 2"))
    }

    @Test func aWitnessMayBeginWithADumpToo() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let (publication, path) = try Self.publication(dump: 300)
        try publication.publish("--from-dump", path, "--unconfirmed", "--attest-only")
        #expect(publication.tree.files(under: "snapshots").isEmpty)
        #expect(try publication.tree.text("latest.txt") == reference.tree.text("latest.txt"))
    }

    /// How a dump is spoilt, and what is said of it.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: String
        let spoil: @Sendable (inout [UInt8]) -> Void

        init(_ name: String, _ words: String, _ spoil: @escaping @Sendable (inout [UInt8]) -> Void) {
            (testDescription, self.words, self.spoil) = (name, words, spoil)
        }
    }

    @Test(arguments: [
        Fault("magic", "it does not begin with «utxo» and ff (at byte 0)") { $0[2] ^= 1 },
        Fault("version", "is a dump of version 3; only version 2 is known (at byte 5)") { $0[5] = 3 },
        Fault("network", "is a dump of main, not of regtest (at byte 7)") {
            $0.replaceSubrange(7..<11, with: [0xf9, 0xbe, 0xb4, 0xd9])
        },
        Fault("block", "which is not the first of an epoch on the node's chain") { $0[20] ^= 1 },
        Fault("one coin more", "at byte") { $0[43] += 1 },
        Fault("one coin less", "at byte") { $0[43] -= 1 },
        Fault("truncated", "at byte") { $0.removeLast() },
        Fault("trailing byte", "at byte") { $0.append(0) },
        Fault("order", "out of order or twice (at byte 100)") { $0[51] = 0xff },
        Fault("empty", "(at byte 0)") { $0.removeAll() },
    ]) func whatIsNoDumpIsRefused(fault: Fault) throws {
        let (publication, path) = try Self.publication(dump: 150)
        var bytes = try publication.scratch.read("utxo.dat")
        fault.spoil(&bytes)
        _ = try publication.scratch.write(bytes, to: "utxo.dat")
        let outcome = try publication.run("--from-dump", path, "--unconfirmed")
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(
            outcome.errors.contains("utxo.dat") && outcome.errors.contains(fault.words), "\(outcome.errors)")
        #expect(publication.tree.files().allSatisfy { !$0.contains("/") }, "\(publication.tree.files())")
        // The whole one is accepted in the same place.
        try publication.scratch.write(ChainFixture.regtestRich.dumpFile(of: 150), to: "utxo.dat")
        try publication.publish("--from-dump", path, "--unconfirmed")
    }

    @Test func aHeightThatIsNoEpochsIsRefused() throws {
        let (publication, path) = try Self.publication(dump: 107)
        let outcome = try publication.run("--from-dump", path)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("a tree begins at a multiple of 50"), "\(outcome.errors)")
        let other = try Self.publication(dump: 150)
        let both = try other.0.run("--from-dump", other.dump, "--first", "100")
        #expect(
            both.status == 64 && both.errors.contains("is the set of height 150, not of 100"),
            "\(both.errors)")
    }

    /// Kills in all parts of the import and of what follows it.
    @Test func aKilledImportIsGoneOnWith() throws {
        let (publication, path) = try Self.publication(dump: 300)
        let arguments = publication.arguments(["--from-dump", path, "--unconfirmed"])
        var kills = 0
        for i in 0..<24 {
            let run = try Publication.program().start(arguments)
            // The first at once: that one cannot be done before.
            usleep(useconds_t(9000 * i))
            run.send(SIGKILL)
            if try run.wait().signal == nil { break }
            kills += 1
            // What can be seen of a snapshot is whole.
            for manifest in publication.tree.files(under: "snapshots")
            where manifest.hasSuffix("manifest.txt") {
                let folder = String(manifest.dropLast("manifest.txt".count))
                #expect(publication.tree.files(under: folder + "shards").count == publication.shards)
            }
        }
        #expect(kills > 0)
        try publication.publish("--from-dump", path, "--unconfirmed")
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        #expect(!publication.tree.files().contains { $0.contains(".tmp") })
    }

    /// Nobody's word but the file's: that is no reason to sign.
    @Test func aDumpThatNothingConfirmsIsRefused() throws {
        let answers = try ChainFixture.regtestRich.answers()
        let (publication, path) = try Self.publication(dump: 150)
        let alone = try publication.run("--from-dump", path)
        #expect(alone.status == 64 && alone.output.isEmpty)
        for words in [path, "height 150", "--expect-muhash", "--unconfirmed", "coinstatsindex"] {
            #expect(alone.errors.contains(words), "\(alone.errors)")
        }
        let other = try publication.run("--from-dump", path, "--expect-muhash", answers[149].muhash)
        #expect(other.status == 1 && other.output.isEmpty)
        for words in [answers[149].muhash, answers[150].muhash, "Nothing was signed"] {
            #expect(other.errors.contains(words), "\(other.errors)")
        }
        #expect(publication.tree.files().allSatisfy { !$0.contains("/") }, "\(publication.tree.files())")
        #expect(publication.journal.files().isEmpty)
        try publication.publish("--from-dump", path, "--expect-muhash", answers[150].muhash, "--to", "160")
        // It is held to what was signed, whenever it is said.
        let again = try publication.run("--first", "150", "--expect-muhash", answers[149].muhash)
        #expect(again.status == 1 && again.errors.contains("not the expected"), "\(again.errors)")
        try publication.publish("--first", "150", "--expect-muhash", answers[150].muhash)
    }

    @Test func theSetOfBlocksMayBeExpectedToo() throws {
        let answers = try ChainFixture.regtestRich.answers()
        let publication = try Self.publication(dump: 150).0
        let other = try publication.run("--first", "100", "--expect-muhash", answers[150].muhash)
        #expect(other.status == 1 && other.errors.contains("Nothing was signed"), "\(other.errors)")
        #expect(publication.tree.attestations().isEmpty && publication.journal.files().isEmpty)
        try publication.publish(
            "--first", "100", "--expect-muhash", answers[100].muhash.uppercased(), "--to", "120")
        for arguments in [
            ["--expect-muhash", answers[150].muhash], ["--unconfirmed"],
            ["--first", "100", "--expect-muhash", "00"],
            ["--from-dump", "x", "--unconfirmed", "--expect-muhash", answers[150].muhash],
        ] {
            let outcome = try Publication.program().run(publication.arguments(arguments))
            #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
        }
    }
}
