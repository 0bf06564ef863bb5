import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

/// The vectors for other implementations, of which ours are two: `concord verify` and `audit.sh`.
@Suite(.waits) struct ConformanceTests {
    static let folder = "\(ChainFixture.repository)/Tests/Conformance"

    struct Case: Sendable, CustomTestStringConvertible {
        var name = "", verify = "", deep = "", path = "", because = ""
        var removed: [String] = []
        var testDescription: String { name }
    }

    static let cases: [Case] = {
        let text = (try? String(contentsOfFile: "\(folder)/trees.txt", encoding: .utf8)) ?? ""
        return text.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { block in
            var one = Case()
            for line in block.split(separator: "\n") {
                let value = String(line.split(separator: " ", maxSplits: 1)[1])
                switch line.prefix(while: { $0 != ":" }) {
                case "case": one.name = value
                case "verify": one.verify = value
                case "deep": one.deep = value
                case "path": one.path = value
                case "because": one.because = value
                default: one.removed.append(value)
                }
            }
            return one
        }
    }()

    private static let unpacked = Result {
        let scratch = try Scratch.ofProcess()
        let tar = try Program.installed("zstd").print("-dcq", "\(folder)/trees.tar.zst")
        try Program.installed("tar").print("-x", "-C", scratch.folder, input: tar)
        return PlainTree(scratch.path("trees"))
    }

    /// The tree of a case.
    private func tree(_ one: Case) throws -> (PlainTree, Scratch) {
        let trees = try Self.unpacked.get()
        let scratch = try Scratch()
        let tree = PlainTree(scratch.path("tree"))
        try PlainTree(trees.path("good")).link(to: tree.root)
        let files = one.name == "good" ? [] : trees.files(under: one.name)
        // A case that changes nothing would be the good tree once more.
        try #require(one.name == "good" || !files.isEmpty || !one.removed.isEmpty)
        for path in files {
            let place = String(path.dropFirst(one.name.count + 1))
            let bytes = try trees.read(path)
            #expect(try !tree.files().contains(place) || tree.read(place) != bytes, "\(place)")
            try tree.replace(place, bytes)
        }
        for path in one.removed { try tree.remove(path) }
        return (tree, scratch)
    }

    @Test(arguments: cases) func verify(one: Case) throws {
        let (tree, scratch) = try tree(one)
        for (arguments, expected) in [([], one.verify), (["--deep"], one.deep)] {
            let outcome = try Client.program().run(["verify", tree.root] + arguments)
            #expect(outcome.status == (expected == "right" ? 0 : 4), "\(outcome.said)")
            if expected == "wrong" {
                #expect(outcome.wrong.contains { $0.contains("\(tree.path(one.path)): ") }, "\(outcome.said)")
            }
        }
        _ = scratch
    }

    /// Of the coins it knows nothing.
    @Test(arguments: cases) func auditByHand(one: Case) throws {
        let (tree, scratch) = try tree(one)
        let turn = Self.cases.firstIndex { $0.name == one.name } ?? 0
        let outcome = try HandAudit.allCases[turn % 2].run([tree.root])
        // It reads digests, and not what sections say.
        let isWrong = one.verify == "wrong" && one.name != "patch-height"
        #expect(outcome.status == (isWrong ? 4 : 0), "\(outcome.said)")
        if isWrong {
            #expect(outcome.wrong.contains { $0.contains("\(tree.path(one.path)): ") }, "\(outcome.said)")
        }
        _ = scratch
    }

    @Test func thereAreMany() { #expect(Self.cases.count > 40) }

    private static var target: String? { ProcessInfo.processInfo.environment["CONCORD_CONFORMANCE"] }

    /// Makes the trees anew, in the folder that is named: for a change of the format.
    @Test(.enabled(if: target != nil)) func write() throws {
        let key = try SigningKey(readingFrom: "\(Self.folder)/key.pem", othersMayRead: true)
        try ConformanceWriter(key).write(into: try #require(Self.target))
    }
}
