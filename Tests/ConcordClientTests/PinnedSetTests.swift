import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// Sets that are fetched where headers begin at a pinned block.
@Suite struct PinnedSetTests {
    private static let chain = MadeChain(tip: 155, outputs: 2)
    private static let alice = Result {
        try MadeTree(chain, name: "alice", parameters: TreeParameters(shards: 1, epoch: 20))
    }

    /// Of height 150, so that headers begin at 140.
    private func scenario(_ tip: Int) throws -> ClientScenario {
        let scenario = try ClientScenario([Self.alice.get().cut(to: tip)])
        PinnedHeadersTests.pin(scenario, Self.chain.headers, 150)
        return scenario
    }

    private func hasPinned(_ scenario: ClientScenario) -> Bool {
        PlainTree(scenario.home).files().contains("headers/regtest.from-140.bin")
    }

    @Test func theFirst() throws {
        let scenario = try scenario(155)
        let run = scenario.fetch()
        #expect(run.end == .done(155) && run.faults.isEmpty, "\(run.faults)")
        #expect(try scenario.installed(Self.chain) == 155)
        #expect(hasPinned(scenario) && run.requests.allSatisfy { !$0.url.hasSuffix("headers/0000120.bin") })
    }

    /// It can be gone on from only where the blocks above it are known: below 140 that takes all headers.
    @Test(arguments: [(130, 155), (139, 150), (140, 155), (145, 150), (150, 155)])
    func oneThatIsInstalled(heights: (Int, Int)) throws {
        let scenario = try scenario(heights.0)
        #expect(scenario.fetch().end == .done(heights.0))
        #expect(hasPinned(scenario) == (heights.0 == 150))
        scenario.serve(try Self.alice.get().cut(to: heights.1))
        let run = scenario.fetch()
        #expect(run.end == .done(heights.1) && run.result?.base == heights.0)
        #expect(hasPinned(scenario) == (heights.0 >= 140))
        #expect(try scenario.installed(Self.chain) == heights.1)
    }

    /// A height that is asked for, below the base and between it and the pinned block.
    @Test(arguments: [130, 145]) func aHeightBelow(height: Int) throws {
        let scenario = try scenario(155)
        #expect(scenario.fetch().end == .done(155))
        scenario.policy.height = height
        #expect(scenario.fetch().end == .done(height))
        #expect(try scenario.installed(Self.chain) == height)
        #expect(PlainTree(scenario.home).files().contains("headers/regtest.bin") && hasPinned(scenario))
    }
}
