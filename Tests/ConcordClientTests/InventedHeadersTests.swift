import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// A host can make up headers, also some with more work than there is; only what an authority signs leads
/// anywhere.
@Suite struct InventedHeadersTests {
    /// What alice's host serves beside what she signed.
    enum Invention: CaseIterable, Sendable {
        /// More headers on top of her newest block.
        case above
        /// Another chain that leaves hers.
        case instead
        case insteadFromTheFirst
        /// Another chain that leaves hers a few blocks below her newest, so that the last headers are of it.
        case insteadAtTheEnd

        var headers: [UInt8] {
            let chain = MadeTree.chain
            return switch self {
            case .above: chain.headers + TestHeaders.chain(90, on: chain.header(at: 65))
            case .instead: branch(35)
            case .insteadFromTheFirst: branch(0)
            case .insteadAtTheEnd: branch(62)
            }
        }

        private func branch(_ fork: Int) -> [UInt8] {
            let chain = MadeTree.chain.cut(to: fork)
            return chain.headers + TestHeaders.chain(150, on: chain.header(at: fork), salt: 5)
        }
    }

    private let lying: (Invention) throws -> ScriptedSite = { invention in
        var tree = try MadeTree.alice.get()
        tree.serve(headers: invention.headers)
        return tree.site
    }

    @Test(arguments: Invention.allCases, [false, true])
    func nobodyIsMisledByThem(invention: Invention, isKnown: Bool) throws {
        let scenario = try ClientScenario.ofThree()
        if isKnown { #expect(scenario.check().end == .done(65)) }
        scenario.serve(try lying(invention), at: ClientScenario.url("alice"))
        #expect(scenario.fetch().end == .done(65))
        #expect(try scenario.installed() == 65)
        scenario.serve(try MadeTree.alice.get())
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.faults.isEmpty)
    }

    /// Whoever is asked alone is blamed, and has the next word.
    @Test(arguments: Invention.allCases, [false, true])
    func whereNobodyElseIsThere(invention: Invention, isKnown: Bool) throws {
        let alice = try MadeTree.alice.get()
        let scenario = try ClientScenario([alice])
        if isKnown { #expect(scenario.check().end == .done(65)) }
        scenario.serve(try lying(invention), at: ClientScenario.url("alice"))
        let run = scenario.check()
        if isKnown || invention == .above {
            #expect(run.end == .done(65))
        } else {
            #expect(run.end == .noHeaders)
            #expect(
                run.faults.contains { $0.url == ClientScenario.url("alice") && $0.isInvalid }, "\(run.faults)"
            )
        }
        scenario.serve(alice)
        #expect(scenario.fetch().end == .done(65))
        #expect(try scenario.installed() == 65)
    }

    /// One of two mirrors is enough.
    @Test(arguments: Invention.allCases) func theOtherMirrorHasThem(invention: Invention) throws {
        let scenario = try ClientScenario()
        let alice = try MadeTree.alice.get()
        scenario.serve(try lying(invention), at: ClientScenario.url("bad"))
        try scenario.trust(alice, at: [ClientScenario.url("bad"), ClientScenario.url("good")])
        #expect(scenario.fetch().end == .done(65))
        #expect(try scenario.installed() == 65)
    }

    /// A key can lead anywhere, for as long as it is in the list.
    @Test(arguments: [0, 20, 40, 59, 62, 64], [false, true])
    func anAuthorityThatWasRemoved(fork: Int, isKnown: Bool) throws {
        let scenario = try ClientScenario.ofThree()
        if isKnown { #expect(scenario.check().end == .done(65)) }
        var mallory = try MadeTree.alice.get().signed(as: "mallory")
        let chain = MadeTree.chain.cut(to: fork)
        try mallory.lead(chain.headers + TestHeaders.chain(150, on: chain.header(at: fork), salt: 6))
        try scenario.trust(mallory, at: [ClientScenario.url(mallory)])
        for _ in 0..<2 {
            let run = scenario.check()
            #expect(run.end == .lessWork(depth: 65 - fork))
            #expect(run.rivals == ["mallory"])
        }
        try scenario.distrust(mallory)
        #expect(scenario.fetch().end == .done(65))
        #expect(try scenario.installed() == 65)
    }

    /// What it signed on top of the others' block is in nobody's way.
    @Test func anAuthorityThatIsAhead() throws {
        let scenario = try ClientScenario.ofThree()
        var mallory = try MadeTree.alice.get().signed(as: "mallory")
        try mallory.lead(InventedHeadersTests.Invention.above.headers)
        try scenario.trust(mallory, at: [ClientScenario.url(mallory)])
        for _ in 0..<2 { #expect(scenario.check().end == .done(65)) }
        try scenario.distrust(mallory)
        #expect(scenario.fetch().end == .done(65))
    }
}
