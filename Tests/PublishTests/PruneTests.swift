import Foundation
import TestSupport
import Testing

/// `concord-publish prune`, and `run --keep`.
@Suite(.waits) struct PruneTests {
    private func starts(_ tree: PlainTree, _ folder: String) -> [Int] {
        Set(tree.files(under: folder).compactMap { Int($0.split(separator: "/")[1].prefix(7)) }).sorted()
    }

    /// Both implementations, and they agree.
    private func verify(_ publication: Publication) throws -> Program.Outcome {
        let shell = try HandAudit.dash.run(["--key", publication.publicKey, publication.tree.root])
        let own = try deepVerify(publication)
        #expect(shell.isSuccess == own.isSuccess, "\(shell.output)\n\(own.output)")
        let words = own.output.split(separator: "\n").first { $0.hasPrefix("data from") }
        #expect(
            words.map { shell.output.contains($0) } ?? !shell.output.contains("data from"), "\(shell.output)")
        return own
    }

    private func deepVerify(_ publication: Publication) throws -> Program.Outcome {
        try Program.built("concord").run(
            "verify", publication.tree.root, "--key", publication.publicKey, "--deep")
    }

    private func prune(_ publication: Publication, _ keep: Int) throws -> Program.Outcome {
        try Publication.program().run("prune", "--tree", publication.tree.root, "--keep", "\(keep)")
    }

    @Test func oldEpochsGo() throws {
        let publication = try Publication(.regtestRich)
        try publication.publish("--level", "1")
        let tree = publication.tree
        let signed = tree.files(under: "attestations") + tree.files(under: "headers")
        let outcome = try prune(publication, 3)
        #expect(
            outcome.output
                == "removed 4 snapshots, and the MuHashes, patches and deltas of 4 epochs; the data begins at height 200\n"
        )
        #expect(starts(tree, "snapshots") == [200, 250, 300] && starts(tree, "patches") == [200, 250, 300])
        #expect(tree.files(under: "attestations") + tree.files(under: "headers") == signed)
        let verified = try verify(publication)
        #expect(
            verified.isSuccess && verified.output.contains("data from height 200 on"), "\(verified.output)")
        #expect(try prune(publication, 3).output == "nothing is older than height 200\n")
        #expect(try prune(publication, 10).output == "nothing is older than height 0\n")
        // The next run has nothing to do, and does nothing.
        #expect(try publication.publish("--level", "1").output.hasPrefix("nothing new"))
        #expect(starts(tree, "snapshots") == [200, 250, 300])
    }

    /// What the open epoch needs, and the one before, is never removed.
    @Test(arguments: [0, 1, -3]) func notTooMuch(keep: Int) throws {
        let publication = try Publication(.regtestRich)
        let outcome = try prune(publication, keep)
        #expect(outcome.status == 64)
        #expect(try publication.run("--keep", "\(keep)").status == 64)
    }

    /// Pruned while it is published: block by block, across epochs, and it goes on.
    @Test func keptSmallOnTheWay() throws {
        let publication = try Publication(.regtestRich)
        for height in stride(from: 40, through: 320, by: 40) {
            try publication.publish("--level", "1", "--to", "\(height)", "--keep", "2")
            let start = height / 50 * 50
            #expect(starts(publication.tree, "snapshots") == (start == 0 ? [0] : [start - 50, start]))
        }
        try publication.publish("--level", "1")
        #expect(try verify(publication).isSuccess)
        #expect(starts(publication.tree, "patches") == [250, 300])
    }

    /// A snapshot that is only partly there was being removed: nothing of it is missed.
    @Test func killedOnTheWay() throws {
        let publication = try Publication(.regtestRich)
        try publication.publish("--level", "1")
        let tree = publication.tree
        let oldest = tree.files(under: "snapshots").filter { $0.contains("/0000000-") }
        for path in oldest where path.hasSuffix("manifest.txt") || path.hasSuffix("003.zst") {
            try FileManager.default.removeItem(atPath: tree.path(path))
        }
        #expect(try verify(publication).isSuccess)
        #expect(try prune(publication, 6).isSuccess)
        #expect(starts(tree, "snapshots") == [50, 100, 150, 200, 250, 300])
        #expect(try verify(publication).isSuccess)
    }

    /// What is kept must be whole.
    @Test func whatIsKeptIsMissed() throws {
        let publication = try Publication(.regtestRich)
        try publication.publish("--level", "1")
        _ = try prune(publication, 3)
        let tree = publication.tree
        let patch = try #require(tree.files(under: "patches").first { $0.contains("/0000207-") })
        try FileManager.default.removeItem(atPath: tree.path(patch))
        #expect(try verify(publication).status == 4)
    }

    @Test func noTree() throws {
        let outcome = try Publication.program().run("prune", "--tree", "/nowhere", "--keep", "2")
        #expect(outcome.status == 1 && outcome.errors.contains("/nowhere: is no tree"))
        // What is no tree is somebody else's, all of it.
        let scratch = try Scratch()
        try scratch.write("mine", to: ".tmp/mine")
        #expect(
            try Publication.program().run("prune", "--tree", scratch.folder, "--keep", "2").status == 1)
        #expect(PlainTree(scratch.folder).files() == [".tmp/mine"])
    }

    /// A tree without data has nothing to keep.
    @Test func notOfAWitness() throws {
        let publication = try Publication(.regtestRich)
        let outcome = try publication.run("--attest-only", "--keep", "2")
        #expect(outcome.status == 64 && outcome.errors.contains("leave --keep out"), "\(outcome.errors)")
        #expect(publication.tree.files().isEmpty)
    }

    /// The tree's page lists what is left, by the template that it was made by.
    @Test func thePageFollows() throws {
        let publication = try Publication(.regtestRich)
        try publication.publish("--level", "1", "--to", "160")
        let tree = publication.tree
        func heights(in page: String) -> [String] {
            page.matches(of: /"snapshots\/([0-9]{7})-[0-9a-f]{64}\/manifest/).map { String($0.output.1) }
        }
        #expect(heights(in: try tree.text("index.html")).contains("0000000"))
        #expect(try prune(publication, 3).isSuccess)
        let page = try tree.text("index.html")
        #expect(Set(heights(in: page)) == ["0000050", "0000100", "0000150"])
        try publication.publish("--level", "1", "--to", "160")
        #expect(try tree.text("index.html") == page)
        // One of one's own; and what has no page gets none.
        try publication.scratch.write("{{#snapshots}}{{height}} {{/snapshots}}", to: "own/index.html")
        let outcome = try Publication.program().run(
            "prune", "--tree", tree.root, "--keep", "2", "--template", publication.scratch.path("own"))
        #expect(try outcome.isSuccess && tree.text("index.html") == "150 100 ", "\(outcome.errors)")
        try FileManager.default.removeItem(atPath: tree.path("index.html"))
        #expect(try prune(publication, 2).isSuccess)
        #expect(!tree.files().contains("index.html"))
    }
}
