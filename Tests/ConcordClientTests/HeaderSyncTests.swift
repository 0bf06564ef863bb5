import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// Headers come once: after that only what is new.
@Suite struct HeaderSyncTests {
    private let trees: [MadeTree]

    init() throws { trees = try MadeTree.all() }

    private func serve(_ scenario: ClientScenario, _ height: Int, ranges: Bool = true) {
        for tree in trees {
            let site = tree.cut(to: height).site
            scenario.serve(ranges ? site : site.withoutRanges, at: ClientScenario.url(tree))
        }
    }

    private func stored(_ scenario: ClientScenario) throws -> [UInt8] {
        try PlainTree(scenario.home).read("headers/regtest.bin")
    }

    /// From one height to another: with hosts that serve ranges, and with those that do not.
    @Test(
        arguments: [(0, 0), (0, 1), (5, 65), (19, 20), (20, 65), (39, 41), (59, 60), (62, 65), (65, 65)],
        [true, false])
    func onlyWhatIsNew(heights: (Int, Int), ranges: Bool) throws {
        let scenario = try ClientScenario(trees)
        for height in [heights.0, heights.1] {
            serve(scenario, height, ranges: ranges)
            let first = scenario.check()
            #expect(first.end == .done(height) && first.faults.isEmpty, "\(first.faults)")
            #expect(try stored(scenario) == MadeTree.chain.cut(to: height).headers)
            let again = scenario.check()
            #expect(again.end == .done(height) && again.wholeHeaderFiles.isEmpty)
            #expect(again.requests.count <= 15)
        }
        let scenarioOfOne = try ClientScenario(trees)
        serve(scenarioOfOne, heights.0, ranges: ranges)
        _ = scenarioOfOne.check()
        serve(scenarioOfOne, heights.1, ranges: ranges)
        // The epochs that have something new, and the one that the stored chain ends in.
        let epochs = heights.1 / 20 - heights.0 / 20 + 1
        let run = scenarioOfOne.check()
        #expect(run.wholeHeaderFiles.count <= epochs, "\(run.wholeHeaderFiles)")
        if ranges, heights.1 - heights.0 <= 5, heights.0 % 20 < heights.1 % 20 {
            #expect(run.wholeHeaderFiles.isEmpty)
        }
    }

    /// The list is another one, and those in it are not so far: the stored chain is longer than theirs.
    @Test(arguments: [21, 40, 59, 60, 64], [true, false]) func aChainThatIsShorter(height: Int, ranges: Bool)
        throws
    {
        let scenario = try ClientScenario(trees)
        #expect(scenario.check().end == .done(65))
        let others = try ["dave", "erin"].map { try trees[0].signed(as: $0).cut(to: height) }
        for tree in trees { try scenario.distrust(tree) }
        for tree in others { try scenario.trust(tree, at: [ClientScenario.url(tree)]) }
        for tree in others {
            scenario.serve(ranges ? tree.site : tree.site.withoutRanges, at: ClientScenario.url(tree))
        }
        for _ in 0..<2 {
            let run = scenario.fetch()
            #expect(run.end == .done(height))
            #expect(run.wholeHeaderFiles.isEmpty)
        }
        #expect(try scenario.installed() == height)
    }

    /// A stored file that was cut short or damaged is made whole.
    @Test(arguments: [0, 1, 80, 81, 3000, 5279]) func aDamagedStore(size: Int) throws {
        let scenario = try ClientScenario(trees)
        #expect(scenario.check().end == .done(65))
        let whole = try stored(scenario)
        var damaged = Array(whole.prefix(size))
        if size > 100 { damaged[size - 50] ^= 1 }
        try scenario.scratch.write(damaged, to: "home/headers/regtest.bin")
        #expect(scenario.fetch().end == .done(65))
        #expect(try stored(scenario) == whole)
    }

    /// One authority's hosts have no headers at all: another's will do.
    @Test(arguments: [0, 1, 2]) func aHostWithoutHeaders(place: Int) throws {
        let scenario = try ClientScenario(trees)
        let tree = trees[place]
        let site = tree.site.bent { if $0.path.hasPrefix("headers/") { $1 = .notFound } }
        scenario.serve(site, at: ClientScenario.url(tree))
        #expect(scenario.fetch().end == .done(65))
        #expect(try scenario.installed() == 65)
    }

    @Test func nobodyHasHeaders() throws {
        let scenario = try ClientScenario(trees)
        scenario.bendAll { $0.bent { if $0.path.hasPrefix("headers/") { $1 = .notFound } } }
        let run = scenario.fetch()
        #expect(run.end == .noHeaders)
        for tree in trees {
            #expect(
                run.faults(of: "\(tree.name)").contains {
                    $0.kind == .absent && $0.path.hasPrefix("headers/")
                })
        }
        for tree in trees { scenario.serve(tree) }
        #expect(scenario.fetch().end == .done(65))
    }
}

extension ClientRun {
    /// Headers that were not asked for as a range.
    var wholeHeaderFiles: [String] {
        requests.filter { $0.url.contains("/headers/") && $0.range == nil }.map(\.url)
    }
}
