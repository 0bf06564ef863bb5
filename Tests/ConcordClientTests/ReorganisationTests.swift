import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// Authorities whose nodes leave blocks: what is installed goes with them, once there is more work.
@Suite struct ReorganisationTests {
    /// Where the new chain leaves the old one, of which 65 is the newest, and how far it goes.
    struct Case: Sendable, CustomTestStringConvertible {
        let fork: Int
        let tip: Int
        var testDescription: String { "from \(fork) to \(tip)" }

        var chain: MadeChain { MadeTree.chain.forked(at: fork, tip: tip, salt: 1) }

        /// The three trees after it.
        func made() throws -> [MadeTree] {
            let keys = try MadeTree.all().map(\.key)
            let alice = try MadeTree(
                [(MadeTree.chain, MadeTree.time), (chain, MadeTree.time + 100)], name: "alice", key: keys[0])
            return [
                alice, try alice.signed(as: "bob", by: keys[1]), try alice.signed(as: "carol", by: keys[2]),
            ]
        }
    }

    /// By one to three blocks, and across an epoch's first.
    static let cases = [
        Case(fork: 64, tip: 66), Case(fork: 63, tip: 66), Case(fork: 62, tip: 66), Case(fork: 62, tip: 81),
        Case(fork: 59, tip: 66), Case(fork: 58, tip: 66), Case(fork: 38, tip: 66), Case(fork: 60, tip: 80),
        Case(fork: 64, tip: 65), Case(fork: 59, tip: 65),
    ]
    private static let trees = Result {
        try cases.reduce(into: [:]) { $0[$1.testDescription] = try $1.made() }
    }

    private func trees(_ test: Case) throws -> [MadeTree] {
        try #require(Self.trees.get()[test.testDescription])
    }

    /// - Parameter ranges: whether hosts serve ranges.
    @Test(arguments: cases, [true, false]) func allFollow(test: Case, ranges: Bool) throws {
        let scenario = try ClientScenario.ofThree()
        #expect(scenario.fetch().end == .done(65))
        let trees = try trees(test)
        for tree in trees {
            scenario.serve(ranges ? tree.site : tree.site.withoutRanges, at: ClientScenario.url(tree))
        }
        let run = scenario.fetch()
        #expect(run.end == .done(test.tip), "\(run.end)")
        #expect(run.faults.isEmpty, "\(run.faults)")
        #expect(try scenario.installed(test.chain) == test.tip)
        #expect(run.requests.count < 100)
        let again = scenario.fetch()
        #expect(again.end == .done(test.tip))
        // Of two chains with as much work the first is stored.
        if test.tip > 65 { #expect(again.wholeHeaderFiles.isEmpty) }
        #expect(scenario.leftovers.isEmpty)
    }

    /// One after the other: a chain with more work leaves a block that was agreed on, another one does not.
    @Test(arguments: cases) func oneAfterTheOther(test: Case) throws {
        let scenario = try ClientScenario.ofThree()
        #expect(scenario.fetch().end == .done(65))
        let trees = try trees(test)
        // As deep as branches may differ.
        let isShared = test.fork >= 65 - Agreement.defaultDepth
        var ends: [ClientRun.End] = [.done(test.fork), .done(test.tip), .done(test.tip)]
        if !isShared { ends[0] = .noAgreement }
        if test.tip == 65 { ends = [.rolledBack, .rolledBack, .done(65)] }
        for (tree, end) in zip(trees, ends) {
            let before = try scenario.installed(test.chain, or: MadeTree.chain)
            scenario.serve(tree)
            let run = scenario.fetch()
            #expect(run.end == end)
            var height = before
            if case .done(let agreed) = end { height = agreed }
            #expect(try scenario.installed(test.chain, or: MadeTree.chain) == height)
        }
        #expect(try scenario.installed(test.chain) == test.tip)
    }

    /// A chain with less work is not gone back to.
    @Test(arguments: [60, 63, 64]) func aShorterChain(tip: Int) throws {
        let scenario = try ClientScenario.ofThree()
        #expect(scenario.fetch().end == .done(65))
        let test = Case(fork: 59, tip: tip)
        for tree in try test.made() { scenario.serve(tree) }
        for _ in 0..<2 { #expect(scenario.fetch().end == .lessWork(depth: tip - 59)) }
        #expect(try scenario.installed() == 65)
        let grown = Case(fork: 59, tip: 66)
        for tree in try trees(grown) { scenario.serve(tree) }
        #expect(scenario.fetch().end == .done(66))
        #expect(try scenario.installed(grown.chain) == 66)
    }
}

extension ClientScenario {
    /// The height of the installed set, which must be that of one of two chains.
    fileprivate func installed(_ one: MadeChain, or other: MadeChain) throws -> Int? {
        do { return try installed(one) } catch is TestError { return try installed(other) }
    }
}
