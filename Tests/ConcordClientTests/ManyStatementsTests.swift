import Concord
import ConcordFiles
import TestSupport
import Testing

@testable import ConcordClient

/// A key that signs ever new statements of one block: two are the proof, and more fill no disk.
@Suite struct ManyStatementsTests {
    private let trees: [MadeTree]
    private let urls = (0..<8).map { ClientScenario.url("mallory\($0)") }
    private let mallory: MadeTree

    init() throws {
        trees = try MadeTree.all()
        mallory = try trees[0].signed(as: "mallory")
    }

    /// Serves another statement at each URL, none of which was signed before.
    private func lie(_ scenario: ClientScenario, run: Int, of height: Int = 65) throws {
        for (place, url) in urls.enumerated() {
            var tree = mallory
            try tree.change(tree.chain.blockID(at: height), time: MadeTree.time + Int64(run)) {
                $0.coins += UInt64(100 * run + place + 1)
            }
            scenario.serve(tree.site, at: url)
        }
    }

    private func size(_ scenario: ClientScenario) throws -> [String: Int] {
        let home = PlainTree(scenario.home)
        return try home.files().filter { $0.hasPrefix("evidence/") || $0.hasPrefix("memory") }
            .reduce(into: [:]) { $0[$1] = try home.read($1).count }
    }

    private func remembered(_ scenario: ClientScenario, _ height: Int) throws -> Int {
        let log = try AttestationLog(in: Folder(reading: scenario.home))
        return try log.recall(MadeTree.chain.blockID(at: height), of: mallory.key.publicKey).count
    }

    /// - Parameter isAlone: whether the key contradicts itself alone, and not what others say of the block
    ///   too.
    @Test(arguments: [false, true]) func ofTheNewestBlock(isAlone: Bool) throws {
        let scenario = try ClientScenario(isAlone ? [] : trees)
        try lie(scenario, run: 0)
        try scenario.trust(mallory, at: urls)
        let first = scenario.check()
        #expect(first.end == .contradiction(65), "\(first.end)")
        #expect(first.verdict(of: "mallory") == .equivocates)
        let size = try size(scenario)
        let home = PlainTree(scenario.home)
        let signed = try size.keys.filter { $0.hasSuffix(".txt") && $0.contains("/mallory-") }.map {
            try home.text($0)
        }
        #expect(signed.count { $0.contains("height: 65\n") } == 2)
        for run in 1...4 {
            try lie(scenario, run: run)
            let next = scenario.check()
            #expect(next.end == .contradiction(65))
            #expect(try self.size(scenario) == size)
            #expect(try remembered(scenario, 65) == 2)
        }
        // Nor do good hosts make it undone.
        for url in urls { scenario.serve(mallory.site, at: url) }
        #expect(scenario.fetch().end == .contradiction(65))
        #expect(try self.size(scenario) == size)
        // Without the key the others agree.
        guard !isAlone else { return }
        try scenario.distrust(mallory)
        #expect(scenario.fetch().end == .done(65))
        #expect(try scenario.installed() == 65)
    }

    /// New statements of other blocks are proof of nothing more, and grow what is kept by two each at most.
    @Test func ofAnotherBlockEachTime() throws {
        let scenario = try ClientScenario(trees)
        try scenario.trust(mallory, at: urls)
        for run in 0..<4 {
            try lie(scenario, run: run, of: 65)
            #expect(scenario.check().end == .contradiction(65))
        }
        #expect(try remembered(scenario, 65) == 2)
        for height in 60...64 { #expect(try remembered(scenario, height) <= 2) }
    }

    /// What was seen in another run counts as well: one host, and another statement each time.
    @Test func oneAfterTheOther() throws {
        let scenario = try ClientScenario(trees)
        let url = ClientScenario.url(mallory)
        try scenario.trust(mallory, at: [url])
        #expect(scenario.check().end == .done(65))
        var sizes: [[String: Int]] = []
        for run in 0..<4 {
            var tree = mallory
            try tree.change(time: MadeTree.time + Int64(run)) { $0.amount += UInt64(run + 1) }
            scenario.serve(tree.site, at: url)
            #expect(scenario.check().end == .contradiction(65))
            #expect(try remembered(scenario, 65) == 2)
            sizes.append(try size(scenario))
        }
        #expect(Set(sizes.dropFirst()).count == 1)
    }
}
