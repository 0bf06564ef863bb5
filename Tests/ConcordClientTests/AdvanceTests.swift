import Concord
import ConcordTree
import Foundation
import TestSupport
import Testing

@testable import ConcordClient

/// What is installed moves on: by the fewest files, across epochs too, and never to what was not agreed on.
@Suite struct AdvanceTests {
    private static func isShard(_ path: String) -> Bool { path.contains("/shards/") }

    private let trees: [MadeTree]

    init() throws { trees = try MadeTree.all() }

    private func serve(_ height: Int, _ scenario: ClientScenario) {
        for tree in trees { scenario.serve(tree.cut(to: height)) }
    }

    /// Epochs begin at 20, 40 and 60; there are deltas of ten.
    static let ways = [
        (41, 42), (41, 45), (41, 59), (47, 58), (40, 59), (47, 60), (47, 65), (40, 60), (39, 40), (39, 41),
        (59, 60),
        (10, 65), (1, 65), (20, 40), (0, 20), (0, 1),
    ]

    @Test(arguments: ways) func fromOneHeightToAnother(from: Int, to: Int) throws {
        let scenario = try ClientScenario(trees)
        serve(from, scenario)
        #expect(scenario.fetch().end == .done(from))
        serve(to, scenario)
        let run = scenario.fetch()
        #expect(run.end == .done(to) && run.faults.isEmpty, "\(run.end) \(run.faults)")
        #expect(run.result?.base == from && run.result?.shards == 0)
        #expect(!run.requests.contains { Self.isShard($0.url) })
        let files = (run.result?.patches ?? 0) + (run.result?.deltas ?? 0)
        // By way of the epochs between, or by the shortest from the snapshot.
        let steps = trees[0].parameters.steps(from: from, to: to).count
        #expect(files <= steps, "\(files) for \(steps)")
        #expect(try scenario.installed() == to)
        #expect(scenario.leftovers.isEmpty)
        try expectSameSet(scenario, at: to)
        let again = scenario.fetch()
        #expect(again.end == .done(to))
        let news = again.result.map { [$0.shards, $0.deltas, $0.patches] }
        #expect(news == [0, 0, 0])
    }

    /// What is there is what another client has that began at the snapshot, and nothing else.
    private func expectSameSet(_ scenario: ClientScenario, at height: Int) throws {
        let fresh = try ClientScenario(trees)
        serve(height, fresh)
        #expect(fresh.fetch().end == .done(height))
        let sets = [scenario, fresh].map { PlainTree("\($0.home)/sets/regtest") }
        let unpacked = try sets.map { set in
            let scratch = try Scratch()
            let folder = try set.unpack(into: scratch.path("unpacked"))
            return try folder.files(under: "snapshots").reduce(into: [:]) { $0[$1] = try folder.read($1) }
        }
        #expect(unpacked[0] == unpacked[1] && unpacked[0].count == 4)
        #expect(
            try sets.map { try $0.read($0.files(under: "numbers")[0]) }[0]
                == sets[1].read(sets[1].files(under: "numbers")[0]))
        let set = try #require(try InstalledSet(in: .init(reading: sets[0].root)))
        let expected = set.files.map { $0.path(set.statement.parameters) }
        #expect(Set(sets[0].files(under: "patches") + sets[0].files(under: "deltas")) == Set(expected))
        #expect(sets[0].files(under: "statements").count == set.statements.count - 1)
        #expect(sets[0].files(under: "authorities").count == 6)
        // Nor is a folder left that had only what went.
        let files = sets[0].files()
        let empty = try FileManager.default.subpathsOfDirectory(atPath: sets[0].root).filter { path in
            path.contains("/") && !files.contains { $0 == path || $0.hasPrefix("\(path)/") }
        }
        #expect(empty.isEmpty)
    }

    /// Hosts that have removed what is old: the new snapshot comes.
    @Test func hostsThatArePruned() throws {
        let scenario = try ClientScenario(trees)
        serve(10, scenario)
        #expect(scenario.fetch().end == .done(10))
        for tree in trees {
            let site = tree.site.bent { request, answer in
                if request.path.contains("/0000000/") || request.path.contains("/0000020/"),
                    !request.path.hasPrefix("attestations")
                {
                    answer = ScriptedAnswer(404)
                }
            }
            scenario.serve(site, at: ClientScenario.url(tree))
        }
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.result?.base == nil && run.result?.shards == 4, "\(run.end)")
        #expect(try scenario.installed() == 65)
    }

    @Test func someShards() throws {
        let scenario = try ClientScenario(trees)
        serve(47, scenario)
        #expect(scenario.fetch(.some([1, 3])).end == .done(47))
        serve(65, scenario)
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.result?.base == 47 && run.result?.shards == 0)
        // More than are held: they come with the snapshot.
        let all = scenario.fetch(.all)
        #expect(all.end == .done(65) && all.result?.shards == 2, "\(all.end)")
        #expect(try scenario.installed() == 65)
    }

    @Test func moreShardsInANewEpoch() throws {
        let scenario = try ClientScenario(trees)
        serve(47, scenario)
        #expect(scenario.fetch(.some([1, 3])).end == .done(47))
        serve(65, scenario)
        let run = scenario.fetch(.all)
        #expect(run.end == .done(65) && run.result?.base == nil && run.result?.shards == 4)
        #expect(try scenario.installed() == 65)
    }

    /// What an earlier epoch's files hang on is agreed on too: one who signed something else there is seen.
    @Test func anEarlierEpochIsAgreedOnByItself() throws {
        let scenario = try ClientScenario(trees)
        serve(47, scenario)
        #expect(scenario.fetch().end == .done(47))
        serve(65, scenario)
        // From 47 by 48, 49 and 50 to 60: 50 is the highest that is needed of its epoch.
        var liar = trees[1]
        try liar.change(liar.chain.blockID(at: 50)) { $0.coins += 1 }
        scenario.serve(liar)
        let run = scenario.fetch()
        #expect((run.error as? SetFetch.Contradicted)?.block.height == 50, "\(run.end)")
        #expect(try scenario.installed() == 47)
        #expect(scenario.fetch().end == .contradiction(50))
        #expect(try scenario.installed() == 47)
    }

    enum Lie: String, CaseIterable, Sendable {
        /// One shard's MuHash; the MuHash of the set; a patch that spends a coin that is not there.
        case shard, whole, patch
    }

    /// All authorities agree, and every file is as they sign it: nothing of it is installed all the same.
    @Test(arguments: Lie.allCases) func whatContradictsItself(lie: Lie) throws {
        let scenario = try ClientScenario(trees)
        serve(63, scenario)
        #expect(scenario.fetch().end == .done(63))
        for tree in trees {
            var liar = tree
            let block = tree.chain.newest
            switch lie {
            case .whole: try liar.change { $0.muhash = SHA256.hash("another") }
            case .shard:
                let path = TreePath.muhashes(block, tree.parameters)
                var entries = try ShardMuHashes(parsing: liar.files[path] ?? [], tree.parameters).entries
                entries[2] = SHA256.hash("another")
                let muhashes = ShardMuHashes(entries, tree.parameters)
                liar.files[path] = TestSupport.bytes { muhashes.append(to: &$0) }
                try liar.change { $0.muhashes = muhashes.root }
            case .patch:
                var sections = [[UInt8]](repeating: [0], count: tree.parameters.shards)
                sections[0] = section(spent: [Outpoint(txid: Digest(every: 9), index: 0)])
                var packed = ByteBuffer()
                let root = try TestSupport.patch(sections).withBytes { raw in
                    let index = try PatchIndex(checking: raw, shards: sections.count)
                    try PatchPacker(tree.parameters).packOnAllCores(raw, index, into: &packed)
                    return index.root
                }
                liar.files[TreePath.patch(block, tree.parameters)] = [UInt8](packed.bytes)
                try liar.change { $0.patchRoot = root }
            }
            scenario.serve(liar)
        }
        let run = scenario.fetch()
        #expect(run.end == .contradictsItself, "\(lie): \(run.end)")
        #expect(try scenario.installed() == 63)
        #expect(scenario.leftovers.isEmpty)
        // Who says something else afterwards has signed two statements.
        serve(65, scenario)
        #expect(scenario.fetch().end == .contradiction(65))
    }
}
