import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// A host that does not answer, or hardly, takes a bounded time of everybody's, and less once nothing hangs
/// on it.
@Suite struct SurveyTimeTests {
    /// How a host holds others up.
    enum Delay: CaseIterable, Sendable {
        case hangs, vanishes, trickles, stallsInBodies, stallsInAttestations, asksForPatience, delays,
            dripsByte

        func bend(_ site: ScriptedSite) -> ScriptedSite {
            switch self {
            case .hangs: .hanging
            case .vanishes: .vanished
            case .trickles: site.rate(101)
            case .stallsInBodies: site.stalling(after: 30)
            case .stallsInAttestations:
                site.bent { if $0.path.hasPrefix("attestations/") { $1.stallsAfter = 100 } }
            case .asksForPatience: ScriptedSite { _ in ScriptedAnswer(503, headers: ["Retry-After": "40"]) }
            case .delays: site.delayed(.seconds(25))
            case .dripsByte: site.rate(1)
            }
        }

        /// Whether what it says comes, if it is waited for.
        var isHeardAtLast: Bool { self == .trickles || self == .delays }
    }

    private let trees: [MadeTree]
    private let settings = TreeReader.Settings()

    init() throws { trees = try MadeTree.all() }

    /// - Parameter urls: hosts of the slow authority that are all slow.
    private func scenario(_ delay: Delay, urls: Int = 1) throws -> ClientScenario {
        let scenario = try ClientScenario([trees[0], trees[1]])
        let hosts = (0..<urls).map { ClientScenario.url("carol\($0)") }
        for url in hosts { scenario.serve(delay.bend(trees[2].site), at: url) }
        try scenario.trust(trees[2], at: hosts)
        return scenario
    }

    @Test(arguments: Delay.allCases, [1, 8]) func takesNoMoreThanItsTime(delay: Delay, urls: Int) throws {
        let scenario = try scenario(delay, urls: urls)
        let run = delay.isHeardAtLast ? scenario.check() : scenario.fetch()
        #expect(run.end == .done(65))
        #expect(run.time <= settings.surveyTime + .seconds(2), "\(run.time)")
        #expect(run.requests.count < 100)
        if delay.isHeardAtLast, run.verdict(of: "carol") == .agrees { return }
        #expect(run.verdict(of: "carol") == .unreachable)
        let faults = run.faults(of: "carol")
        for url in 0..<urls { #expect(faults.contains { $0.url == ClientScenario.url("carol\(url)") }) }
    }

    /// A contradiction stands whatever else is said.
    @Test(arguments: Delay.allCases) func aContradictionEndsTheWaiting(delay: Delay) throws {
        let scenario = try scenario(delay)
        var bob = trees[1]
        try bob.change { $0.coins += 1 }
        scenario.serve(bob)
        let run = scenario.check()
        #expect(run.end == .contradiction(65))
        #expect(run.time < .seconds(12), "\(run.time)")
        #expect(run.faults(of: "carol").contains { $0.kind == .givenUp }, "\(run.faults(of: "carol"))")
        #expect(run.session?.evidence != nil)
    }

    /// Nor is anybody waited for where too few are left.
    @Test(arguments: Delay.allCases) func tooFewAreLeft(delay: Delay) throws {
        let scenario = try scenario(delay)
        for name in ["alice", "bob"] { scenario.serve(.refusing, at: ClientScenario.url(name)) }
        let run = scenario.check()
        #expect(run.end == .noAgreement)
        #expect(run.time < .seconds(5), "\(run.time)")
    }
}
