import Concord
import ConcordTree
import TestSupport
import Testing

@testable import ConcordClient

/// Mirrors of trees that have not all data, from hosts that say in all the ways there are that a file is
/// not there.
@Suite struct MirrorOfPartTests {
    /// What a host says of what it has not.
    enum Absence: CaseIterable, Sendable {
        case notFound, gone, forbidden, unauthorized, page, pageInCapitals, pageOf403

        func site(_ tree: MadeTree) -> ScriptedSite {
            tree.site.bent { _, answer in
                guard answer.status == 404 else { return }
                let page = ScriptedAnswer(200, Array("\n <!DOCTYPE html><title>Oh</title>".utf8))
                switch self {
                case .notFound: break
                case .gone: answer = ScriptedAnswer(410)
                case .forbidden: answer = ScriptedAnswer(403, Array("<Error>AccessDenied</Error>".utf8))
                case .unauthorized: answer = ScriptedAnswer(401)
                case .page: answer = page
                case .pageInCapitals:
                    answer = ScriptedAnswer(200, Array("<HTML><BODY>No.</BODY></HTML>".utf8))
                case .pageOf403: answer = ScriptedAnswer(403, page.body)
                }
            }
        }
    }

    enum Part: CaseIterable, Sendable {
        case witness, pruned, everything

        static let trees = Result {
            let key = try MadeTree.alice.get().key
            return [
                Part.everything: try MadeTree.alice.get(),
                .witness: try MadeTree(MadeTree.chain, name: "alice", key: key, extent: .witness),
                .pruned: try MadeTree(MadeTree.chain, name: "alice", key: key, extent: .pruned(keep: 2)),
            ]
        }

        var dataFrom: Int? {
            switch self {
            case .witness: nil
            case .pruned: 40
            case .everything: 0
            }
        }
    }

    private let url = ClientScenario.url("alice")

    /// What is in the mirror is what was published, and the other way round.
    private func expect(_ scenario: ClientScenario, _ tree: MadeTree) throws {
        let mirror = PlainTree(scenario.scratch.path("mirror"))
        let files = Set(mirror.files())
        for path in files { #expect(try mirror.read(path) == tree.files[path], "\(path)") }
        let wanted = tree.files.keys.filter { path in
            ["attestations/", "headers/", "patches/", "snapshots/"].contains(where: path.hasPrefix)
                && !path.contains("snapshot.")
        }
        #expect(files.isSuperset(of: wanted), "\(Set(wanted).subtracting(files))")
        #expect(scenario.leftovers.isEmpty)
    }

    @Test(arguments: Part.allCases, Absence.allCases) func allThatThereIs(part: Part, absence: Absence) throws
    {
        let tree = try #require(Part.trees.get()[part])
        let scenario = try ClientScenario()
        scenario.serve(absence.site(tree.cut(to: 47)), at: url)
        #expect(scenario.mirror(url, key: tree.key.publicKey).mirrored?.dataFrom == part.dataFrom)
        scenario.serve(absence.site(tree), at: url)
        for _ in 0..<2 {
            let run = scenario.mirror(url, key: tree.key.publicKey)
            #expect(run.end == .done(65), "\(run.end)")
            #expect(run.mirrored?.dataFrom == part.dataFrom)
            try expect(scenario, tree)
        }
    }

    @Test(arguments: Absence.allCases) func attestationsOnly(absence: Absence) throws {
        let trees = try Part.trees.get()
        let scenario = try ClientScenario()
        for part in Part.allCases {
            scenario.serve(absence.site(try #require(trees[part])), at: url)
            #expect(scenario.mirror(url, extent: .attestations).end == .done(65))
            try expect(scenario, try #require(trees[.witness]))
        }
    }

    @Test(arguments: Absence.allCases) func theNewestEpochs(absence: Absence) throws {
        let trees = try Part.trees.get()
        let scenario = try ClientScenario()
        let pruning = try #require(TreePruning(keep: 2))
        for part in [Part.everything, .pruned] {
            scenario.serve(absence.site(try #require(trees[part])), at: url)
            let run = scenario.mirror(url, extent: .epochs(pruning))
            #expect(run.end == .done(65) && run.mirrored?.dataFrom == 40)
            try expect(scenario, try #require(trees[.pruned]))
        }
    }

    /// Data that is here is not taken away because a host has none.
    @Test(arguments: Absence.allCases) func aWitnessIsNoMirrorOfData(absence: Absence) throws {
        let trees = try Part.trees.get()
        let scenario = try ClientScenario()
        let early = try #require(trees[.everything]).cut(to: 47)
        scenario.serve(early.site, at: url)
        #expect(scenario.mirror(url).end == .done(47))
        scenario.serve(absence.site(try #require(trees[.witness])), at: url)
        for _ in 0..<2 { #expect(scenario.mirror(url).end == .refused) }
        try expect(scenario, early)
        scenario.serve(try #require(trees[.everything]).site, at: url)
        #expect(scenario.mirror(url).end == .done(65))
    }
}
