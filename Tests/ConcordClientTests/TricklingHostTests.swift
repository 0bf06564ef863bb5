import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// One host of three that sends next to nothing, but never nothing: it holds nobody up.
@Suite struct TricklingHostTests {
    /// As long a chain as gives headers their share of all the bytes.
    private static let trees = Result {
        let alice = try MadeTree(MadeChain(tip: 465, outputs: 40), name: "alice", parameters: parameters)
        return [alice, try alice.signed(as: "bob"), try alice.signed(as: "carol")]
    }
    private static let parameters = TreeParameters(shards: 16, epoch: 50)

    private let trees: [MadeTree]
    private let chain: MadeChain

    init() throws {
        trees = try Self.trees.get()
        chain = trees[0].chain
    }

    private func scenario(_ rate: Int?, _ place: Int) throws -> ClientScenario {
        let scenario = try ClientScenario(trees)
        for (i, tree) in trees.enumerated() {
            if i == place {
                scenario.serve(rate.map { tree.site.rate($0) } ?? .refusing, at: ClientScenario.url(tree))
            } else {
                scenario.serve(tree.site, at: ClientScenario.url(tree), bandwidth: 50_000)
            }
        }
        return scenario
    }

    @Test(arguments: [110, 1100, 5000], 0..<3) func amongThree(rate: Int, place: Int) throws {
        let two = try scenario(nil, place).fetch()
        #expect(two.end == .done(465))
        let scenario = try scenario(rate, place)
        let run = scenario.fetch()
        #expect(run.end == .done(465))
        #expect(try scenario.installed(chain) == 465)
        // What each says must come from its own host.
        let ownWords = Duration.seconds(1200.0 / Double(rate))
        #expect(run.time < two.time * 1.5 + ownWords, "\(run.time)")
        #expect(run.bytes < two.bytes * 5 / 4)
    }

    /// As one of two mirrors of one authority.
    @Test(arguments: [110, 1100]) func amongTwoMirrors(rate: Int) throws {
        func scenario(_ site: ScriptedSite) throws -> ClientScenario {
            let scenario = try ClientScenario()
            scenario.serve(site, at: ClientScenario.url("slow"))
            scenario.serve(trees[0].site, at: ClientScenario.url("fast"), bandwidth: 50_000)
            try scenario.trust(trees[0], at: [ClientScenario.url("slow"), ClientScenario.url("fast")])
            return scenario
        }
        let one = try scenario(.refusing).fetch()
        let both = try scenario(trees[0].site.rate(rate))
        let run = both.fetch()
        #expect(run.end == .done(465))
        #expect(run.time < one.time * 1.5 + .seconds(1200.0 / Double(rate)))
    }
}
