import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// The first time there are many headers: what has come of them stays, however the run ends.
@Suite struct FarHeadersTests {
    private static let parameters = TreeParameters(shards: 4, epoch: 5)
    /// 200 epochs.
    private static let headers = TestHeaders.genesis + TestHeaders.chain(999)

    private static let trees = Result {
        let base = try MadeTree(MadeChain(tip: 6), name: "alice", parameters: parameters)
        return try [base, base.signed(as: "bob"), base.signed(as: "carol")].map { tree in
            var tree = tree
            try tree.lead(headers)
            return tree
        }
    }

    private let trees: [MadeTree]

    init() throws { trees = try Self.trees.get() }

    private func stored(_ scenario: ClientScenario, next: Bool = false) -> Int? {
        let file = "headers/regtest\(next ? ".next" : "").bin"
        return (try? PlainTree(scenario.home).read(file))?.count
    }

    @Test func allAtOnce() throws {
        let scenario = try ClientScenario(trees)
        let run = scenario.check()
        #expect(run.end == .done(999) && run.faults.isEmpty)
        #expect(run.wholeHeaderFiles.count < 205)
        #expect(stored(scenario) == 80_000 && stored(scenario, next: true) == nil)
        let again = scenario.check()
        #expect(again.end == .done(999) && again.wholeHeaderFiles.isEmpty)
    }

    enum End: CaseIterable, Sendable {
        case cancelled, refused
    }

    /// Hosts that go away, or a client that is ended, after so many files of headers.
    private func interrupted(_ end: End, after files: Int) throws -> ClientScenario {
        let scenario = try ClientScenario(trees)
        let counter = RequestCounter()
        scenario.bendAll { site in
            site.bent { request, answer in
                guard request.path.hasPrefix("headers/"), request.range == nil, counter.next() > files else {
                    return
                }
                if end == .cancelled { counter.run() } else { answer = ScriptedAnswer(.refuses) }
            }
        }
        scenario.prepare = { client in counter.onRun { client.cancel() } }
        let run = scenario.check()
        counter.onRun {}
        #expect(run.end == (end == .cancelled ? .cancelled : .noHeaders), "\(run.end)")
        scenario.prepare = { _ in }
        for tree in trees { scenario.serve(tree) }
        return scenario
    }

    @Test(arguments: End.allCases, [3, 70, 140, 170]) func goesOn(end: End, files: Int) throws {
        let scenario = try interrupted(end, after: files)
        // Groups of 64 files are kept.
        let kept = files / 64 * 64 * 5 * 80
        #expect(stored(scenario, next: true) ?? 0 == kept)
        let run = scenario.check()
        #expect(run.end == .done(999))
        #expect(run.wholeHeaderFiles.count <= 200 - files / 64 * 64 + 3, "\(run.wholeHeaderFiles.count)")
        #expect(stored(scenario) == 80_000 && stored(scenario, next: true) == nil)
    }

    /// Meanwhile the chain has another end.
    @Test(arguments: [100, 500, 640, 900], [70, 140]) func anotherChainMeanwhile(fork: Int, files: Int) throws
    {
        let scenario = try interrupted(.refused, after: files)
        let shared = Array(Self.headers.prefix((fork + 1) * 80))
        let other = shared + TestHeaders.chain(1100 - fork, on: Self.headers.header(fork), salt: 4)
        for tree in trees {
            var tree = tree
            try tree.lead(other, time: MadeTree.time + 100)
            scenario.serve(tree)
        }
        #expect(scenario.check().end == .done(1100))
        #expect(try PlainTree(scenario.home).read("headers/regtest.bin") == other)
        #expect(stored(scenario, next: true) == nil)
    }

    /// What a host made up on the way is not in the way of the next one.
    @Test(arguments: [0, 300, 700]) func whatWasMadeUp(fork: Int) throws {
        let shared = Array(Self.headers.prefix((fork + 1) * 80))
        var lying = trees[0]
        lying.serve(headers: shared + TestHeaders.chain(1200, on: Self.headers.header(fork), salt: 5))
        let scenario = try ClientScenario([trees[0]])
        scenario.serve(lying)
        let run = scenario.check()
        #expect(run.end == .noHeaders)
        #expect(run.faults.contains { $0.url == ClientScenario.url("alice") && $0.isInvalid })
        for tree in trees { scenario.serve(tree) }
        #expect(scenario.check().end == .done(999))
        #expect(try PlainTree(scenario.home).read("headers/regtest.bin") == Self.headers)
    }
}
