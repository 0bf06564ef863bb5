import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A tree that begins at a height: as if it had been cut out of one that begins with the genesis block.
@Suite(.waits) struct StartTests {
    static let first = 150

    /// What a tree from `first` on has of the whole one.
    static func isKept(_ path: String) -> Bool {
        if path.hasPrefix("headers/") || !path.contains("/") { return true }
        let digits = path.split(separator: "/")[1].prefix(7)
        return Int(digits).map { $0 >= first } ?? false
    }

    static func expectCut(_ tree: PlainTree, from whole: PlainTree) throws {
        let kept = whole.files().filter(isKept)
        #expect(tree.files() == kept)
        // The page and these tell the key.
        let isOwn = { (path: String) in
            path.hasSuffix(".sig") || path.hasPrefix("authority.") || path == "index.html"
        }
        for path in kept where !isOwn(path) {
            if path.hasPrefix("attestations/") {
                let (own, others) = (try tree.text(path), try whole.text(path))
                #expect(own.components(separatedBy: "\n\n")[0] == others.components(separatedBy: "\n\n")[0])
            } else {
                #expect(try tree.read(path) == whole.read(path), "\(path)")
            }
        }
    }

    /// The smallest memory there may be has the changes merged with the set on the disk again and again.
    @Test(arguments: ["1M", "2G"])
    func theSameIsPublishedFromThereOn(memory: String) throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        let outcome = try publication.publish("--first", "\(Self.first)", "--memory", memory)
        #expect(outcome.output.hasPrefix("published 181 blocks and 4 snapshots"), "\(outcome.output)")
        try Self.expectCut(publication.tree, from: reference.tree)
        #expect(try publication.tree.text("authority.txt").hasSuffix("\nfirst: \(Self.first)\n"))
        #expect(publication.state.files(under: "replay").isEmpty)

        let look = try publication.tree.look()
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
        #expect(try publication.publish("--first", "\(Self.first)").output.hasPrefix("nothing new: "))
        #expect(try publication.tree.look() == look)
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess && verified.output.contains("everything is right"), "\(verified.output)")
    }

    @Test func aTreeKeepsItsBeginning() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        try publication.publish("--first", "300")
        let look = try publication.tree.look()
        let outcome = try publication.run("--first", "250")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.contains("authority.txt: begins at height 300: leave --first out"),
            "\(outcome.errors)")
        #expect(try publication.tree.look() == look)
    }

    /// The running value is in the state; without it the beginning is worked out once more, to the same bytes.
    @Test func aLostStateIsMadeAgain() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        try publication.publish("--first", "\(Self.first)")
        let look = try publication.tree.look()
        try FileManager.default.removeItem(atPath: publication.state.path("muhash"))
        try publication.publish()
        #expect(try publication.tree.look() == look)
    }

    @Test(arguments: [
        (["--first", "149"], "--first is the first height of an epoch, a multiple of 50."),
        (["--memory", "1000"], "--memory is 1M or more."),
        (["--memory", "2X"], "2X"),
    ])
    func wrongNumbersAreRefused(arguments: [String], words: String) throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        let outcome = try Publication.program().run(publication.arguments(arguments))
        #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
        #expect(publication.tree.files().isEmpty)
    }

    @Test func aBeginningThatIsNotThereYetIsRefused() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        let outcome = try publication.run("--first", "350")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.contains("the tree begins at height 350; the node's chain ends at 330"),
            "\(outcome.errors)")
        #expect(outcome.errors.contains("--first may be another"), "\(outcome.errors)")
        // Nothing is attested, and nothing is remembered.
        #expect(publication.tree.files().isEmpty)
        let outcomeOfAll = try publication.publish("--to", "60")
        #expect(outcomeOfAll.output.hasPrefix("published 61 blocks"), "\(outcomeOfAll.output)")
    }

    /// Neither is the kind of the tree.
    @Test func aWitnessThatDidNotBeginMayBecomeAnother() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        #expect(try publication.run("--attest-only", "--first", "350").status == 1)
        try publication.publish("--first", "300")
        #expect(!publication.tree.files(under: "snapshots").isEmpty)
        #expect(!FileManager.default.fileExists(atPath: publication.state.path("set")))
    }

    /// A tree has one name, unless whoever has its key says that it is to have another.
    @Test func anotherNameIsRefused() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        var publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        try publication.publish("--to", "60")
        let look = try publication.tree.look()
        publication.name = "bob"
        let outcome = try publication.run("--to", "61")
        #expect(outcome.status == 1)
        for words in ["authority.txt: is the tree of alpha, not of bob", "--name alpha", "--rename"] {
            #expect(outcome.errors.contains(words), "\(outcome.errors)")
        }
        #expect(try publication.tree.look() == look)
        try publication.publish("--to", "61", "--rename")
        #expect(try publication.tree.fields("authority.txt")["name"] == "bob")
        try publication.publish("--to", "62")
        let names = try [60, 61, 62].map { height in
            try publication.tree.fields(#require(publication.tree.attestations()[height]?.first))["authority"]
        }
        #expect(names == ["alpha", "bob", "bob"])
        publication.name = "alpha"
        #expect(try publication.run().status == 1)
    }

    /// A reorganisation that leaves the first snapshot's block leaves all of the tree.
    @Test func aChainThatLeavesTheBeginningEndsTheTree() throws {
        var publication = try Publication(.regtestRich)
        publication.epoch = 17
        let files = try publication.coreFiles()
        let best = Set(try ChainFixture.regtestRich.answers().map(\.block))
        let stale = try ReorganisationTests.branches(files, best: best)[2]
        try files.rewind(to: stale.tip)
        try publication.publish("--first", "221")
        let look = try publication.tree.look()
        try FileManager.default.removeItem(atPath: publication.datadir)
        try publication.fixture.unpack(into: publication.datadir)
        let outcome = try publication.run()
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.contains("begins at height 221, and the best chain has left all of it"),
            "\(outcome.errors)")
        #expect(try publication.tree.look() == look)
    }

    /// Kills in all parts of the work before the first statement, and after it.
    @Test func aKilledStartIsGoneOnWith() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        for round in 0..<3 {
            let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
            let arguments = publication.arguments(["--first", "\(Self.first)", "--memory", "1M"])
            var kills = 0
            while kills < 8 {
                let run = try Publication.program().start(arguments)
                usleep(useconds_t(20_000 + 37_000 * kills + 11_000 * round))
                run.send(SIGKILL)
                if try run.wait().signal == nil { break }
                kills += 1
            }
            try publication.publish("--first", "\(Self.first)")
            try Self.expectCut(publication.tree, from: reference.tree)
            #expect(publication.state.files(under: "replay").isEmpty)
        }
    }
}
