import Concord
import ConcordTransfers
import TestSupport
import Testing

@testable import ConcordClient

/// Some of the same hosts over a socket, asked by libcurl: what comes of them is the same.
@Suite struct RealHostFaultTests {
    private static let names = [
        "403", "404 of shards", "206 unasked", "429 for a day", "a page", "ends at 1",
        "cut before the last byte", "length unknown", "more than announced", "endless", "hangs up",
        "no ranges", "416 to ranges", "older", "shards with bytes more",
        "bit flipped in patches", "headers swapped",
    ]
    private static let cases = HostFault.cases.filter { names.contains($0.name) }

    @Test(arguments: cases) func sameOverASocket(test: HostFault) throws {
        #expect(Self.cases.count == Self.names.count)
        let alice = try MadeTree.alice.get()
        let server = try ScriptedServer(alice.cut(to: 47).site.below("tree"))
        defer { server.stop() }
        let url = "\(server.base)/tree"
        let scenario = try ClientScenario()
        scenario.web = CurlTransport()
        scenario.settings.checkers = 2
        try scenario.change { try $0.add(alice.authority(at: [url])) }
        #expect(scenario.fetch().end == .done(47))
        #expect(scenario.mirror(url, key: alice.key.publicKey).end == .done(47))
        let bad = try test.bend(alice).below("tree")
        server.become(bad)
        let run = scenario.fetch()
        // Which of two files that are asked for together comes first is chance.
        func kinds(_ said: String) -> Set<Substring> {
            Set(said.split(separator: ", ").compactMap { $0.split(separator: " ").first })
        }
        #expect(run.summary == test.fetch)
        #expect(kinds(run.said) == kinds(test.said))
        let mirrored = scenario.mirror(url, key: alice.key.publicKey).summary
        #expect(kinds(mirrored) == kinds(test.mirror))
        server.become(alice.site.below("tree"))
        let next = scenario.fetch()
        #expect(next.end == .done(65) && next.faults.isEmpty, "\(next.end) \(next.faults)")
        #expect(try scenario.installed() == 65)
        #expect(scenario.mirror(url, key: alice.key.publicKey).end == .done(65))
        #expect(scenario.leftovers.isEmpty)
    }
}
