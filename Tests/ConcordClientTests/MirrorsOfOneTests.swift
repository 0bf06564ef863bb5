import Concord
import ConcordFiles
import TestSupport
import Testing

@testable import ConcordClient

/// Hosts of one authority that are not alike: what its key signed last is what it says.
@Suite struct MirrorsOfOneTests {
    private let trees: [MadeTree]
    private let behind = ClientScenario.url("behind")

    init() throws { trees = try MadeTree.all() }

    /// One mirror of alice's is behind, by some blocks, an epoch, or all but the first.
    @Test(arguments: [64, 60, 59, 41, 20, 1, 0], [true, false]) func aMirrorThatIsBehind(
        height: Int, isFirst: Bool
    ) throws {
        let scenario = try ClientScenario([trees[1], trees[2]])
        scenario.serve(trees[0].cut(to: height).site, at: behind)
        let good = ClientScenario.url("alice")
        try scenario.trust(trees[0], at: isFirst ? [behind, good] : [good, behind])
        for _ in 0..<2 {
            let run = scenario.fetch()
            #expect(run.end == .done(65))
            #expect(run.verdict(of: "alice") == .agrees)
        }
        #expect(try scenario.installed() == 65)
    }

    /// What a key was seen to sign stays signed, whatever its hosts show later.
    @Test(arguments: [64, 60, 41, 1]) func anOlderState(height: Int) throws {
        let scenario = try ClientScenario(trees)
        #expect(scenario.fetch().end == .done(65))
        for tree in trees { scenario.serve(tree.cut(to: height)) }
        for _ in 0..<2 {
            let run = scenario.fetch()
            #expect(run.end == .done(65))
            for tree in trees {
                let faults = run.faults(of: "\(tree.name)")
                #expect(faults.map(\.kind) == [.behind(shown: height, signed: 65, time: MadeTree.time)])
            }
        }
        #expect(try scenario.installed() == 65)
        // Nor does a client that knows of it only from one of them.
        #expect(scenario.check().end == .done(65))
    }

    /// The host that shows an older state is named, not the one that could not be asked; also where others attest the newest
    /// block, of which the authority is then remembered first.
    @Test func whoShowsAnOlderState() throws {
        let scenario = try ClientScenario([trees[1], trees[2]])
        let good = ClientScenario.url("alice")
        scenario.serve(trees[0].cut(to: 60).site, at: behind)
        try scenario.trust(trees[0], at: [good, behind])
        #expect(scenario.fetch().end == .done(65))
        scenario.serve(.refusing, at: good)
        let run = scenario.fetch()
        #expect(run.end == .done(65))
        let older = run.faults(of: "alice").filter {
            if case .behind = $0.kind { true } else { false }
        }
        #expect(older.map(\.url) == [behind], "\(run.faults)")
    }

    /// An older state at the first look is believed, and the newer one later.
    @Test func anOlderStateAtFirst() throws {
        let scenario = try ClientScenario(trees)
        for height in [10, 30, 65] {
            for tree in trees { scenario.serve(tree.cut(to: height)) }
            #expect(scenario.fetch().end == .done(height))
            #expect(try scenario.installed() == height)
        }
    }

    /// Signed at a time that is not yet: as if it was not there, and said so.
    @Test(arguments: [7000, 7201, 100_000]) func aClockThatIsAhead(seconds: Int64) throws {
        var alice = trees[0]
        try alice.change(time: scenarioTime + seconds) { _ in }
        let scenario = try ClientScenario(trees)
        scenario.serve(alice)
        let run = scenario.fetch()
        #expect(run.end == .done(65))
        let isTaken = seconds <= 7200
        #expect(run.verdict(of: "alice") == (isTaken ? .agrees : .invalid))
        #expect(run.observation(of: "alice")?.ahead == (isTaken ? nil : scenarioTime + seconds))
        #expect(run.faults(of: "alice").map(\.kind) == (isTaken ? [] : [.ahead(scenarioTime + seconds)]))
        // When that time has come it counts.
        scenario.now += seconds
        #expect(scenario.check().verdict(of: "alice") == .agrees)
    }

    private var scenarioTime: Int64 { MadeTree.time + 1000 }

    /// Headers from times that are not yet: the chain is not taken, and is when they have come.
    @Test func headersThatAreAhead() throws {
        let scenario = try ClientScenario(trees)
        scenario.now = Int64(1_296_688_602 + 65 * 600) - 7200 - 600
        for tree in trees {
            var early = tree
            try early.changeAll { $0.time = 1_296_688_602 }
            scenario.serve(early)
        }
        let run = scenario.check()
        #expect(run.end == .noHeaders)
        #expect(run.session?.headers?.ahead == Int64(1_296_688_602 + 65 * 600))
        scenario.now += 600
        #expect(scenario.check().end == .done(65))
    }

    /// A key that was withdrawn counts for nothing from its height on, and goes on to count below.
    @Test(arguments: [0, 30, 65, 66]) func aWithdrawnKey(height: Int) throws {
        let scenario = try ClientScenario(trees)
        var alice = trees[0]
        try alice.change { $0.coins += 1 }
        scenario.serve(alice)
        try scenario.change { try $0.retire(alice.name, from: height) }
        let run = scenario.fetch()
        #expect(run.end == (height > 65 ? .contradiction(65) : .done(65)), "\(run.end)")
        if height <= 65 {
            #expect(run.verdict(of: "alice") == .withdrawn)
            #expect(try scenario.installed() == 65)
        }
        scenario.policy.height = 29
        let below = scenario.check()
        #expect(below.end == (height > 65 ? .contradiction(65) : .done(29)), "\(below.end)")
        if height == 30 || height == 65 { #expect(below.verdict(of: "alice") == .agrees) }
    }

    /// Two authorities behind one URL, and one authority's URL twice.
    @Test func oneURLForTwo() throws {
        let scenario = try ClientScenario([trees[0]])
        let url = ClientScenario.url("alice")
        try scenario.trust(trees[1], at: [url, ClientScenario.url("bob")])
        try scenario.change { try $0.add(trees[1].authority(at: [url, "\(url)/"])) }
        let run = scenario.fetch()
        #expect(run.end == .done(65))
        let faults = run.faults(of: "bob")
        #expect(faults.count == 1)
        #expect(
            faults.first?.kind == .otherKey(trees[0].key.publicKey, wanted: trees[1].key.publicKey)
                && faults.first?.url == url)
        #expect(run.verdict(of: "bob") == .agrees)
    }

    /// Trees on this machine's disk beside those of hosts.
    @Test(arguments: [0, 1, 2, 3]) func filesAndHosts(files: Int) throws {
        let scenario = try ClientScenario()
        let disk = try Scratch()
        for (i, tree) in trees.enumerated() {
            if i < files {
                for (path, bytes) in tree.files { try disk.write(bytes, to: "a \(tree.name)/\(path)") }
                try scenario.change {
                    try $0.add(tree.authority(at: ["file://\(disk.folder)/a%20\(tree.name)"]))
                }
            } else {
                try scenario.trust(tree, at: [ClientScenario.url(tree)])
            }
        }
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.faults.isEmpty, "\(run.faults)")
        #expect(try scenario.installed() == 65)
        if files == 3 { #expect(run.requests.isEmpty) }
        guard files > 0 else { return }
        #expect(scenario.mirror("file://\(disk.folder)/a%20alice").end == .done(65))
    }

    /// A folder that is not there, or lacks a file, is a host that has nothing.
    @Test func filesThatAreMissing() throws {
        let scenario = try ClientScenario([trees[1], trees[2]])
        try scenario.change { try $0.add(trees[0].authority(at: ["file:///nowhere/at/all"])) }
        let run = scenario.fetch()
        #expect(run.end == .done(65))
        #expect(run.verdict(of: "alice") == .unreachable)
        #expect(run.faults(of: "alice").allSatisfy { $0.kind == .absent })
    }
}
