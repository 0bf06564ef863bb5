import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A run does what is new and leaves everything else alone.
@Suite(.waits) struct RunAgainTests {
    let reference: ReferenceTree
    let publication: Publication

    init() throws {
        reference = try ReferenceTree.of(.regtestRich)
        let own = reference.publication
        publication = try Publication(.regtestRich, datadir: own.datadir, key: own.key)
    }

    @Test func nothingNewChangesNothing() throws {
        try publication.publish()
        let (tree, state) = (try publication.tree.look(), try publication.state.look())
        let again = try publication.publish()
        #expect(again.output.hasPrefix("nothing new: \(publication.tree.root) is at height 330\n"))
        #expect(again.errors.isEmpty)
        #expect(try publication.tree.look() == tree)
        #expect(try publication.state.look() == state)
    }

    @Test func runsToHeightsMakeTheSameTreeAsOne() throws {
        for (height, blocks) in [("120", 121), ("200", 80), (nil, 130)] {
            let arguments = height.map { ["--to", $0] } ?? []
            let before = try publication.tree.look()
            let outcome = try Publication.program().run(publication.arguments(arguments))
            #expect(outcome.isSuccess && outcome.output.hasPrefix("published \(blocks) blocks"), "\(outcome)")
            #expect(try publication.tree.text("latest.txt").hasPrefix("\(height ?? "330") "))
            // The hint, the page and the newest headers are the only files that change.
            let gone = try publication.tree.look().differences(from: before).filter {
                before.files[$0] != nil
            }
            let headers = gone.filter { $0.hasPrefix("headers/") }
            #expect(headers.count <= 1)
            #expect(Set(gone).subtracting(headers).isSubset(of: ["latest.txt", "index.html"]))
        }
        try expectSame(publication.tree, reference.tree)
    }

    /// A lower `--to` than the tree's height does not take anything back.
    @Test func aLowerHeightChangesNothing() throws {
        try publication.publish()
        let tree = try publication.tree.look()
        let again = try publication.publish("--to", "120")
        #expect(
            again.output.hasPrefix("nothing new: \(publication.tree.root) is at height 330\n"),
            "\(again.output)")
        #expect(try publication.tree.look() == tree)
    }

    @Test func aHeightAboveTheTipIsSaid() throws {
        let outcome = try publication.publish("--to", "1000000")
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.first == "note: the node's chain ends at height 330, 1000000 is not there yet")
        // The other note that a run without a node has, once.
        #expect(lines.count == 2 && lines[1].hasPrefix("note: block files alone"), "\(outcome.errors)")
        #expect(outcome.output.contains("\nheight  330\n"))
    }

    @Test func jsonIsOneObject() throws {
        let answer = try #require(try ChainFixture.regtestRich.answers().last)
        for (outcome, blocks, snapshots) in [
            (reference.outcome, 331, 7), (try reference.publication.publish("--json"), 0, 0),
        ] {
            #expect(outcome.errors.isEmpty)
            let parsed =
                try JSONSerialization.jsonObject(with: Data(outcome.standardOutput)) as? [String: Any]
            let result = try #require(parsed)
            #expect(result["height"] as? Int == 330)
            #expect(result["block"] as? String == answer.block)
            #expect((result["coins"] as? Int).map(String.init) == answer.coins)
            #expect((result["amountSat"] as? Int).map(String.init) == answer.amount)
            #expect(result["muhash"] as? String == answer.muhash)
            #expect(result["muhashes"] as? String == (try ChainFixture.regtestRich.roots().last?.muhashes))
            #expect(result["key"] as? String == reference.publication.publicKey)
            #expect(result["network"] as? String == "regtest")
            #expect(result["tree"] as? String == reference.tree.root)
            #expect(result["blocks"] as? Int == blocks && result["signatures"] as? Int == blocks)
            #expect(result["snapshots"] as? Int == snapshots)
            #expect(result["seconds"] as? Double != nil)
        }
    }

    @Test func aSecondRunAtTheSameTimeIsRefused() throws {
        let first = try held()
        let tree = try publication.tree.look()
        let second = try publication.run()
        #expect(second.status == 1 && second.output.isEmpty)
        #expect(second.errors.contains("is in use by another run of this program; wait for it to end"))
        #expect(try publication.tree.look() == tree)
        try goOn(first)
        try expectSame(publication.tree, reference.tree)
    }

    /// The state can be another folder; the tree is still the same one.
    @Test func aSecondRunWithAnotherStateIsRefused() throws {
        let first = try held()
        let tree = try publication.tree.look()
        let second = try publication.run("--state", publication.scratch.path("other.state"))
        #expect(second.status == 1 && second.output.isEmpty)
        #expect(
            second.errors.contains("is in use by another run of this program; wait for it to end"),
            "\(second)")
        #expect(try publication.tree.look() == tree)
        try goOn(first)
        try expectSame(publication.tree, reference.tree)
    }

    /// A run that was stopped in its work. It does not end by itself.
    private func held() throws -> RunningProgram {
        let run = try publication.start("--follow")
        while publication.tree.files(under: "attestations").isEmpty {
            try #require(run.isRunning(), "the run has ended")
            usleep(200)
        }
        try run.hold()
        return run
    }

    /// Lets it do the rest of its work, and ends it.
    private func goOn(_ run: RunningProgram) throws {
        run.send(SIGCONT)
        try FollowTests.wait(
            for: "330 \(ChainFixture.regtestRich.answers()[330].block)", in: publication.tree, run)
        run.send(SIGTERM)
        #expect(try run.wait().isSuccess)
    }
}

/// Two trees with the same files, but for the times of their attestations and so the signatures.
func expectSame(_ tree: PlainTree, _ other: PlainTree, sourceLocation: SourceLocation = #_sourceLocation)
    throws
{
    #expect(tree.files() == other.files(), sourceLocation: sourceLocation)
    for path in tree.files() where !path.hasSuffix(".sig") {
        if path.hasPrefix("attestations/") || path == "index.html" {
            #expect(
                try timeless(tree.text(path)) == timeless(other.text(path)), "\(path)",
                sourceLocation: sourceLocation)
        } else {
            #expect(try tree.read(path) == other.read(path), "\(path)", sourceLocation: sourceLocation)
        }
    }
}

/// An attestation without the line of its time, or a page without those that tell it.
func timeless(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !$0.hasPrefix("time: ") && !$0.contains("<time ") }.joined(separator: "\n")
}
