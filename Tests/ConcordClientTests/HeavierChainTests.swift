import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// An authority whose chain has more work than that of the block the others agree on: nobody may go on
/// without knowing, be it with a chain that was stored before or without.
@Suite struct HeavierChainTests {
    /// Where the chain leaves the agreed one, and how many blocks it has from there.
    struct Case: Sendable, CustomTestStringConvertible {
        let fork: Int
        let count: Int
        var testDescription: String { "\(count) from \(fork)" }
    }

    static let cases = [
        Case(fork: 64, count: 2), Case(fork: 60, count: 40), Case(fork: 62, count: 80),
        Case(fork: 59, count: 90),
        Case(fork: 30, count: 100), Case(fork: 0, count: 200),
        // More than is followed in memory.
        Case(fork: 62, count: 1500), Case(fork: 45, count: 1500), Case(fork: 0, count: 1500),
        // More than is followed at all, unless it is attested on the way.
        Case(fork: 62, count: 3000), Case(fork: 20, count: 3000),
    ]

    private static let trees = Result {
        try cases.reduce(into: [:]) { $0[$1.testDescription] = try mallory($1) }
    }

    private static func mallory(_ test: Case) throws -> MadeTree {
        var mallory = try MadeTree.alice.get().signed(as: "mallory")
        let chain = MadeTree.chain.cut(to: test.fork)
        let headers = chain.headers + TestHeaders.chain(test.count, on: chain.header(at: test.fork), salt: 7)
        try mallory.lead(headers)
        // The highest that is looked at.
        let most = 65 + 2016
        if headers.count / 80 - 1 > most { try mallory.attest(mallory.madeUp(most, of: headers)) }
        return mallory
    }

    /// - Parameter stored: up to where the client has followed the chain before; nil for not at all.
    @Test(arguments: cases, [nil, 20, 45, 64, 65]) func isNeverOverlooked(test: Case, stored: Int?) throws {
        let scenario = try ClientScenario()
        if let stored {
            try scenario.trust(try MadeTree.alice.get(), at: [ClientScenario.url("alice")])
            scenario.serve(try MadeTree.alice.get().cut(to: stored))
            #expect(scenario.check().end == .done(stored))
        }
        for tree in try MadeTree.all() { try scenario.trust(tree, at: [ClientScenario.url(tree)]) }
        scenario.serve(try MadeTree.alice.get())
        let mallory = try #require(Self.trees.get()[test.testDescription])
        try scenario.trust(mallory, at: [ClientScenario.url(mallory)])
        for _ in 0..<2 {
            let run = scenario.fetch()
            #expect(run.end == .lessWork(depth: 65 - test.fork), "\(run.faults)")
            #expect(run.rivals == ["mallory"])
        }
        #expect(try scenario.installed() == nil)
        try scenario.distrust(mallory)
        #expect(scenario.fetch().end == .done(65))
        #expect(try scenario.installed() == 65)
    }
}
