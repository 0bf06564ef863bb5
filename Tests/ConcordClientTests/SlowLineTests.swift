import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// A slow line: as long as something comes nothing is given up, and what has come is not fetched again.
@Suite struct SlowLineTests {
    /// With shards of 150 kB and more.
    static let trees = Result {
        let alice = try MadeTree(MadeChain(tip: 65, outputs: 500), name: "alice")
        return [alice, try alice.signed(as: "bob"), try alice.signed(as: "carol")]
    }

    private let trees: [MadeTree]
    private let chain: MadeChain

    init() throws {
        trees = try Self.trees.get()
        chain = trees[0].chain
    }

    private func scenario() throws -> ClientScenario {
        let scenario = try ClientScenario(trees)
        scenario.bandwidth = 10_000
        return scenario
    }

    @Test func fetch() throws {
        let scenario = try scenario()
        let fast = try ClientScenario(trees).fetch()
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.faults.isEmpty, "\(run.faults)")
        #expect(try scenario.installed(chain) == 65)
        #expect(run.bytes < fast.bytes * 115 / 100)
        // Long enough for every shard to take longer than a host is waited for that sends nothing.
        #expect(run.time > .seconds(90))
        #expect(run.time < .seconds(Double(fast.bytes) / 10_000 * 1.2))
        #expect(scenario.leftovers.isEmpty)
    }

    @Test func mirror() throws {
        let scenario = try scenario()
        let url = ClientScenario.url("alice")
        let fast = try ClientScenario(trees).mirror(url)
        let run = scenario.mirror(url)
        #expect(run.end == .done(65), "\(run.end)")
        #expect(run.bytes < fast.bytes * 115 / 100)
        #expect(run.time < .seconds(Double(fast.bytes) / 10_000 * 1.2))
    }

    enum End: CaseIterable, Sendable {
        case cancelled, refused, vanished, broken
    }

    /// However a run ends, the next one goes on where it stood.
    @Test(arguments: End.allCases, [0.1, 0.35, 0.6, 0.9]) func interrupted(end: End, at part: Double) throws {
        let whole = try scenario().fetch()
        let scenario = try scenario()
        scenario.interrupt(end, at: part, of: whole.time)
        let first = scenario.fetch()
        switch end {
        case .cancelled: #expect(first.end == .cancelled)
        case .refused, .vanished, .broken:
            guard case .notThere = first.end else {
                Issue.record("\(first.end)")
                return
            }
        }
        #expect(try scenario.installed(chain) == nil)
        for tree in trees { scenario.serve(tree) }
        scenario.cancelAt = nil
        let second = scenario.fetch()
        #expect(second.end == .done(65))
        #expect(try scenario.installed(chain) == 65)
        #expect(first.bytes + second.bytes < whole.bytes * 115 / 100)
        #expect(scenario.leftovers.isEmpty)
    }
}

extension ClientScenario {
    /// Ends what comes over the line when a part of the time is over that all of it would take.
    fileprivate func interrupt(_ end: SlowLineTests.End, at part: Double, of time: Duration) {
        guard end != .cancelled else { return cancelAt = time * part }
        bendAll { site in
            site.bent { request, answer in
                // The shards are all on their way by then.
                if request.time < .seconds(5) {
                    if request.path.hasPrefix("snapshots/"), answer.body.count > 10_000 {
                        answer.breaksAfter = Int(Double(answer.body.count) * part)
                    }
                    return
                }
                switch end {
                case .refused: answer = ScriptedAnswer(.refuses)
                case .vanished: answer = ScriptedAnswer(.vanishes)
                case .broken, .cancelled: answer = ScriptedAnswer(.hangsUp)
                }
            }
        }
    }
}
