import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// Every way in which a host can be no good host: it is named, nothing else suffers, and nothing of it stays.
@Suite struct HostFaultTests {
    private static let early = Result { try MadeTree.all().map { $0.cut(to: 47) } }

    private let trees: [MadeTree]
    /// As they were before.
    private let early: [MadeTree]
    private let bad = ClientScenario.url("bad")

    init() throws {
        trees = try MadeTree.all()
        early = try Self.early.get()
    }

    /// The only host of the only authority; an older state is installed.
    @Test(arguments: HostFault.cases) func alone(test: HostFault) throws {
        let scenario = try ClientScenario()
        scenario.serve(early[0].site, at: bad)
        try scenario.trust(trees[0], at: [bad])
        #expect(scenario.fetch().end == .done(47))
        scenario.serve(try test.bend(test.seenByAClient(trees[0])), at: bad)
        let check = scenario.check()
        let fetch = scenario.fetch()
        #expect(check.summary == test.check)
        #expect(fetch.summary == test.fetch)
        #expect(fetch.said == test.said)
        #expect(fetch.faults.allSatisfy { $0.url == bad && $0.authority == trees[0].name })
        // Wholly old or wholly new.
        if case .done(let height) = fetch.end {
            #expect(try scenario.installed() == height)
        } else {
            #expect(try scenario.installed() == 47)
        }
        #expect(scenario.temporaries.isEmpty)
        scenario.serve(trees[0].site, at: bad)
        let next = scenario.fetch()
        #expect(next.end == .done(65) && next.faults.isEmpty, "\(next.end) \(next.faults)")
        #expect(try scenario.installed() == 65)
        #expect(scenario.leftovers.isEmpty)
    }

    /// One of two hosts of one of three authorities.
    @Test(arguments: HostFault.cases) func amongOthers(test: HostFault) throws {
        let scenario = try ClientScenario()
        let good = ClientScenario.url("alice")
        let hosts = [[bad, good], [ClientScenario.url("bob")], [ClientScenario.url("carol")]]
        for (tree, urls) in zip(early, hosts) { try scenario.trust(tree, at: urls) }
        #expect(scenario.fetch().end == .done(47))
        scenario.serve(trees[0].site, at: good)
        for tree in trees.dropFirst() { scenario.serve(tree) }
        scenario.serve(try test.bend(trees[0]), at: bad)
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.verdict(of: "alice") == .agrees)
        #expect(run.faults.allSatisfy { $0.url == bad }, "\(run.faults)")
        if test.check == "none" {
            #expect(run.said == test.said)
        } else {
            // Whether it is asked for what it has not is chance.
            let kinds = run.faults.map(\.kind.name).filter { $0 != "givenUp" }
            #expect(kinds.allSatisfy(test.said.contains), "\(run.said)")
        }
        #expect(try scenario.installed() == 65)
        #expect(scenario.leftovers.isEmpty)
        scenario.serve(trees[0].site, at: bad)
        let next = scenario.fetch()
        #expect(next.end == .done(65) && next.faults.isEmpty, "\(next.faults)")
    }

    /// The host that is mirrored; an older state is there.
    @Test(arguments: HostFault.cases) func mirrored(test: HostFault) throws {
        let scenario = try ClientScenario()
        let key = trees[0].key.publicKey
        scenario.serve(early[0].site, at: bad)
        #expect(scenario.mirror(bad, key: key).end == .done(47))
        scenario.serve(try test.bend(trees[0]), at: bad)
        let run = scenario.mirror(bad, key: key)
        #expect(run.summary == test.mirror)
        #expect(scenario.temporaries.isEmpty)
        // What can be seen of it is a tree.
        let mirror = PlainTree(scenario.scratch.path("mirror"))
        let reader = try ClientScenario()
        try reader.trust(trees[0], at: [bad])
        reader.serve(ScriptedSite(folder: mirror.root), at: bad)
        let latest = try BlockID(parsingLatest: mirror.read(TreePath.latest))
        let read = reader.fetch()
        #expect(read.end == .done(latest.height) && read.faults.isEmpty, "\(read.end)")
        #expect(try reader.installed() == latest.height)
        scenario.serve(trees[0].site, at: bad)
        #expect(scenario.mirror(bad, key: key).end == .done(65))
        #expect(scenario.leftovers.isEmpty)
        for path in mirror.files() where !HostFault.Files.shard.contains(path) {
            #expect(try mirror.read(path) == trees[0].files[path], "\(path)")
        }
    }
}
