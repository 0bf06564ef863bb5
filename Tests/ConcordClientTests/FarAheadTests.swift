import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// A key that signs a block far above what anybody else attests: regtest's headers cost nothing.
@Suite struct FarAheadTests {
    /// What there is below the block.
    enum Below: CaseIterable, Sendable {
        case nothing
        /// So many headers that lead to it as are ever gone down, and more.
        case linked
        /// A chain from the first block on that leads nowhere near it, beside the others' chain and on top
        /// of it.
        case beside, onTop
        /// Both ends.
        case both
    }

    static let height = TreePath.maxHeight
    /// 1600 headers that end at the height.
    static let top = TestHeaders.chain(1600, salt: 8)
    private static let fork = MadeTree.chain.header(at: 40)
    static let beside = MadeTree.chain.cut(to: 40).headers + TestHeaders.chain(2400, on: fork, salt: 9)
    static let onTop =
        MadeTree.chain.headers + TestHeaders.chain(2400, on: MadeTree.chain.header(at: 65), salt: 9)

    static func mallory(_ below: Below) throws -> MadeTree {
        var mallory = try MadeTree.alice.get().signed(as: "mallory")
        switch below {
        case .nothing: mallory.serve(headers: [])
        case .linked: break
        case .beside, .both: mallory.serve(headers: beside)
        case .onTop: mallory.serve(headers: onTop)
        }
        if below == .linked || below == .both || below == .nothing {
            let first = height + 1 - 1600
            for start in stride(from: first, through: height, by: 20) {
                let place = (start - first) * 80
                if below == .nothing { continue }
                mallory.files[TreePath.headers(epochOf: start, mallory.parameters)] = Array(
                    top[place..<place + 1600])
            }
        }
        var statement = try mallory.madeUp(1599, of: top)
        statement.height = height
        try mallory.attest(statement)
        mallory.point(to: statement.blockID)
        return mallory
    }

    @Test(arguments: Below.allCases, [nil, 45, 65]) func stopsNobody(below: Below, stored: Int?) throws {
        let plain = try ClientScenario.ofThree().fetch()
        let scenario = try ClientScenario.ofThree()
        if let stored {
            for tree in try MadeTree.all() { scenario.serve(tree.cut(to: stored)) }
            #expect(scenario.check().end == .done(stored))
            for tree in try MadeTree.all() { scenario.serve(tree) }
        }
        let mallory = try Self.mallory(below)
        try scenario.trust(mallory, at: [ClientScenario.url(mallory)])
        for run in [scenario.check(), scenario.fetch(), scenario.check()] {
            #expect(run.end == .done(65))
            #expect(run.requests.count < plain.requests.count + 200)
            #expect(run.time < plain.time + .seconds(20))
            let faults = run.faults(of: "mallory")
            #expect(!faults.isEmpty && faults.allSatisfy { $0.url == ClientScenario.url(mallory) })
            if below != .nothing { #expect(faults.contains { $0.isTooFar }, "\(faults)") }
        }
        #expect(try scenario.installed() == 65)
        #expect(scenario.leftovers.isEmpty)
    }

    /// What is not needed to agree is not waited for without end.
    @Test(arguments: [Below.beside, .onTop], [110, 400, 3000]) func aHostThatTrickles(below: Below, rate: Int)
        throws
    {
        let scenario = try ClientScenario.ofThree()
        let mallory = try Self.mallory(below)
        let site = mallory.site.bent { request, answer in
            if request.path.hasPrefix("headers/") { answer.rate = rate }
        }
        scenario.serve(site, at: ClientScenario.url(mallory))
        try scenario.trust(mallory, at: [ClientScenario.url(mallory)])
        for run in [scenario.check(), scenario.check()] {
            #expect(run.end == .done(65))
            #expect(run.time < .seconds(100), "\(run.time)")
            #expect(!run.faults(of: "mallory").isEmpty)
        }
    }

    /// As many hosts as a trustnet may list do not make it more.
    @Test(arguments: Below.allCases) func atManyHosts(below: Below) throws {
        let plain = try ClientScenario.ofThree().fetch()
        let scenario = try ClientScenario.ofThree()
        let urls = (0..<Trustnet.maxURLs).map { ClientScenario.url("mallory\($0)") }
        try scenario.trust(Self.mallory(below), at: urls)
        let run = scenario.fetch()
        #expect(run.end == .done(65))
        #expect(run.requests.count < plain.requests.count + 200, "\(run.requests.count)")
        #expect(run.time < plain.time + .seconds(20))
    }

    /// A height that was asked for is not looked for so far down either.
    @Test(arguments: Below.allCases) func aHeightThatIsAskedFor(below: Below) throws {
        let scenario = try ClientScenario.ofThree()
        let mallory = try Self.mallory(below)
        try scenario.trust(mallory, at: [ClientScenario.url(mallory)])
        scenario.policy.height = 50
        let run = scenario.check()
        #expect(run.end == .done(50))
        #expect(run.requests.count < 300 && run.time < .seconds(20))
    }
}

extension Fault {
    fileprivate var isTooFar: Bool {
        if case .tooFar = kind { true } else { false }
    }
}
