import Concord
import ConcordFiles
import Foundation
import TestSupport
import Testing

@testable import ConcordClient

/// A client can be told to end at any moment, by whoever has it: what has come and was checked stays.
@Suite struct CancellationTests {
    /// - Parameter request: the number of the request whose host ends the client.
    private func scenario(at request: Int, _ counter: RequestCounter) throws -> ClientScenario {
        let scenario = try ClientScenario.ofThree()
        scenario.bendAll { site in
            site.bent { _, _ in if counter.next() == request { counter.run() } }
        }
        scenario.prepare = { client in counter.onRun { client.cancel() } }
        return scenario
    }

    @Test(arguments: [1, 2, 5, 9, 14, 18, 22, 26, 30]) func byAHost(request: Int) throws {
        let plain = try ClientScenario.ofThree().fetch()
        let counter = RequestCounter()
        let scenario = try scenario(at: request, counter)
        let run = scenario.fetch()
        counter.onRun {}
        #expect(run.end == .cancelled, "\(run.end)")
        #expect(try scenario.installed() == nil)
        for tree in try MadeTree.all() { scenario.serve(tree) }
        scenario.prepare = { _ in }
        let next = scenario.fetch()
        #expect(next.end == .done(65) && next.faults.isEmpty)
        #expect(try scenario.installed() == 65)
        #expect(run.requests.count + next.requests.count < plain.requests.count + 30)
        #expect(scenario.leftovers.isEmpty)
    }

    @Test(arguments: [1, 5, 20, 60, 120, 200]) func aMirror(request: Int) throws {
        let counter = RequestCounter()
        let scenario = try scenario(at: request, counter)
        let url = ClientScenario.url("alice")
        let plain = try ClientScenario.ofThree().mirror(url)
        let run = scenario.mirror(url)
        counter.onRun {}
        #expect(run.end == .cancelled)
        for tree in try MadeTree.all() { scenario.serve(tree) }
        scenario.prepare = { _ in }
        let next = scenario.mirror(url)
        #expect(next.end == .done(65))
        #expect(run.requests.count + next.requests.count < plain.requests.count + 150)
        #expect(scenario.leftovers.isEmpty)
    }

    /// Once it was told, a client does nothing more.
    @Test func forGood() throws {
        let scenario = try ClientScenario.ofThree()
        scenario.prepare = { $0.cancel() }
        #expect(scenario.check().end == .cancelled)
        #expect(scenario.fetch().end == .cancelled)
        #expect(scenario.mirror(ClientScenario.url("alice")).end == .cancelled)
        #expect(scenario.transport.requests.isEmpty)
        scenario.prepare = { _ in }
        #expect(scenario.fetch().end == .done(65))
    }

    /// From another thread, while a real transport waits for a host that does not answer.
    @Test func fromAnotherThread() throws {
        let server = try ScriptedServer(.hanging)
        defer { server.stop() }
        let scratch = try Scratch()
        let client = try Client(home: scratch.path("home"), clock: { MadeTree.time })
        var list = try client.trustList()
        try list.add(MadeTree.alice.get().authority(at: [server.base]))
        try client.write(list)
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) { client.cancel() }
        let began = ContinuousClock.now
        #expect(throws: CancellationError.self) { try client.agree() }
        #expect(ContinuousClock.now - began < .seconds(5))
        try client.close()
    }
}
