import Foundation
import TestSupport
import Testing

/// A tree of attestations without data.
@Suite(.waits) struct WitnessTests {
    private static func expectWitness(_ tree: PlainTree, of whole: PlainTree) throws {
        let expected = whole.files().filter { path in
            !["muhashes/", "patches/", "deltas/", "snapshots/"].contains { path.hasPrefix($0) }
        }
        #expect(tree.files() == expected)
        for path in expected where path.hasPrefix("attestations/") && path.hasSuffix(".txt") {
            #expect(
                try tree.text(path).components(separatedBy: "\n\n")[0]
                    == whole.text(path).components(separatedBy: "\n\n")[0], "\(path)")
        }
        for path in expected where path.hasPrefix("headers/") || path == "latest.txt" {
            #expect(try tree.read(path) == whole.read(path), "\(path)")
        }
    }

    @Test func itSaysTheSameAndKeepsNoData() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        try publication.publish("--attest-only", "--to", "120")
        try publication.publish("--attest-only")
        try Self.expectWitness(publication.tree, of: reference.tree)
        // Its own folder keeps what the next snapshot, or a reorganisation, needs: two epochs.
        let kept = Set(publication.state.files(under: "set").map { $0.split(separator: "/")[2].prefix(7) })
        #expect(kept == ["0000250", "0000300"])
        let verified = try Program.built("concord").run("verify", publication.tree.root, "--deep")
        #expect(verified.isSuccess, "\(verified.output)")
        let look = try publication.tree.look()
        #expect(try publication.publish("--attest-only").output.hasPrefix("nothing new: "))
        #expect(try publication.tree.look() == look)
    }

    @Test func itMayBeginAtAHeight() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        try publication.publish("--attest-only", "--first", "200")
        #expect(publication.tree.files(under: "attestations").count == 2 * 131)
        #expect(try publication.tree.text("latest.txt") == reference.tree.text("latest.txt"))
    }

    @Test func aTreeIsOfOneKind() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        for (before, after, words) in [
            (["--attest-only"], [], "is a tree of attestations only: add --attest-only"),
            ([], ["--attest-only"], "holds snapshots: leave --attest-only out"),
        ] {
            let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
            _ = try Publication.program().print(publication.arguments(before + ["--to", "60"]))
            let look = try publication.tree.look()
            let outcome = try Publication.program().run(publication.arguments(after))
            #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
            #expect(try publication.tree.look() == look)
        }
    }
}
