import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// What all scenarios stand on: with good hosts all goes well.
@Suite struct ClientScenarioTests {
    @Test func threeGoodHosts() throws {
        let scenario = try ClientScenario.ofThree()
        #expect(scenario.check().end == .done(65))
        let run = scenario.fetch()
        #expect(run.end == .done(65) && run.faults.isEmpty)
        #expect(try scenario.installed() == 65)
        #expect(scenario.leftovers.isEmpty)
        let again = scenario.fetch()
        #expect(again.end == .done(65) && again.requests.count < 20)
    }

    /// A tree of an earlier time is the one that was published then.
    @Test(arguments: [0, 1, 19, 20, 41, 60, 64, 65]) func earlierTrees(height: Int) throws {
        let alice = try MadeTree.alice.get()
        let early = try MadeTree(MadeTree.chain.cut(to: height), name: "alice", key: alice.key)
        #expect(early.files == alice.cut(to: height).files)
    }

    @Test func mirrors() throws {
        let scenario = try ClientScenario.ofThree()
        let run = scenario.mirror(ClientScenario.url("alice"))
        #expect(run.end == .done(65), "\(run)")
        let files = PlainTree(scenario.scratch.path("mirror"))
        let tree = try MadeTree.alice.get()
        for path in files.files() { #expect(try files.read(path) == tree.files[path], "\(path)") }
    }
}
