import Foundation
import TestSupport
import Testing

/// Authorities whose nodes are on different branches.
@Suite(.waits) struct BranchTests {
    /// Where the fixture's chain was reorganised: the stale branch's last block, and the last common one.
    struct Fork: Sendable {
        let tip: String
        let tipHeight: Int
        let base: Int
    }

    /// The fixture's forks, shortest first.
    static let forks = Result {
        let scratch = try Scratch()
        try ChainFixture.regtestRich.unpack(into: scratch.folder)
        let files = try CoreFiles("\(scratch.folder)/blocks", magic: [0xfa, 0xbf, 0xb5, 0xda])
        let best = Set(try ChainFixture.regtestRich.answers().map(\.block))
        let parents = Set(files.blocks.map(\.parent))
        let byHash = Dictionary(uniqueKeysWithValues: files.blocks.map { ($0.hash, $0) })
        return files.blocks.filter { !best.contains($0.hash) && !parents.contains($0.hash) }.map { tip in
            var at = tip
            while !best.contains(at.hash), let parent = byHash[at.parent] { at = parent }
            return Fork(tip: tip.hash, tipHeight: tip.height, base: at.height)
        }.sorted { $0.tipHeight - $0.base < $1.tipHeight - $1.base }
    }

    /// Two authorities on the best chain at a height, and one that sees the stale branch as the best.
    static func sites(_ fork: Fork, others height: Int) throws -> [Site] {
        let fixture = ChainFixture.regtestRich
        var stale = try Publication(fixture)
        stale.name = "charlie"
        try stale.coreFiles().rewind(to: fork.tip)
        try stale.publish("--level", "1")
        let datadir = try Publication(fixture)
        return try ["alpha", "bravo"].map { name in
            var publication = try Publication(fixture, datadir: datadir.datadir)
            publication.name = name
            try publication.publish("--level", "1", "--to", "\(height)")
            return try Site(publication)
        } + [try Site(stale)]
    }

    @Test func theCommonBlockBelowIsChosen() throws {
        let fork = try #require(try Self.forks.get().first)
        #expect((1...6).contains(fork.tipHeight - fork.base), "\(fork)")
        let sites = try Self.sites(fork, others: fork.tipHeight)
        let client = try Client(trusting: sites)
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == fork.base, "\(fork) \(answer)")
        #expect(answer.block == (try ChainFixture.regtestRich.answers()[fork.base].block))
        #expect(answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(answer.authorities[2].block == fork.tip)
        let table = try client.succeed("fetch")
        #expect(
            table.output.contains("above it their branches differ; they will settle with the next blocks"))
        #expect(try client.utxos("raw(51)").height == fork.base)

        // At the height itself nothing can be had; whoever is there is told which of them is on another branch.
        let above = try client.check("--height", "\(fork.tipHeight)")
        #expect(
            above.status == 3 && above.answer.verdicts == ["agrees", "agrees", "other branch"],
            "\(above.answer)")
        #expect(!(try client.run("check", "--height", "\(fork.tipHeight)").output.contains("CONTRADICTION")))
    }

    /// Once the others have gone on, the one on the stale branch lags; that is no dissent.
    @Test func theStaleBranchIsLeftBehind() throws {
        let fork = try #require(try Self.forks.get().first)
        let sites = try Self.sites(fork, others: fork.tipHeight + 3)
        let client = try Client(trusting: sites)
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == fork.tipHeight + 3)
        #expect(answer.verdicts == ["agrees", "agrees", "lagging"])
        // It is also the last of its own branch.
        let low = try client.check("--height", "\(fork.base)")
        #expect(low.status == 0 && low.answer.verdicts == ["agrees", "agrees", "agrees"])
    }

    /// All attested the stale branch and left it; a mirror that stayed there must not bring it back, neither at its
    /// height nor by being asked alone, a few blocks further down or an epoch.
    @Test(arguments: [2, 60]) func aFrozenMirrorDoesNotBringAStaleBranchBack(later: Int) throws {
        let fork = try #require(try Self.forks.get().first)
        let client = try Client(trusting: [])
        for name in ["alpha", "bravo", "charlie"] {
            var publication = try Publication(.regtestRich)
            publication.name = name
            try publication.coreFiles().rewind(to: fork.tip)
            try publication.publish("--level", "1")
            let frozen = publication.scratch.path("frozen")
            try FileManager.default.copyItem(atPath: publication.tree.root, toPath: frozen)
            try FileManager.default.removeItem(atPath: publication.datadir)
            try publication.fixture.unpack(into: publication.datadir)
            try publication.publish("--level", "1", "--to", "\(fork.tipHeight + later)")
            let site = try Site(publication)
            try client.trust(site)
            // One host of one authority.
            if name == "alpha" { try client.trust(name, publication.publicKey, "file://\(frozen)") }
        }
        let answers = try ChainFixture.regtestRich.answers()
        for height in [fork.tipHeight, fork.tipHeight - 1, fork.tipHeight + later] {
            let (status, answer) = try client.check("--height", "\(height)")
            #expect(status == 0 && answer.block == answers[height].block, "\(answer)")
            #expect(answer.verdicts == ["agrees", "agrees", "agrees"])
        }
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == fork.tipHeight + later)
    }

    /// A client that had fetched the stale branch follows the others off it.
    @Test func aClientFollowsTheReorganisation() throws {
        let fork = try #require(try Self.forks.get().first)
        let sites = try Self.sites(fork, others: fork.tipHeight + 1)
        let client = try Client(trusting: [sites[2]])
        try client.fetch()
        let stale = try client.utxos("raw(51)")
        #expect(stale.block == fork.tip)
        try client.trust(sites[0])
        try client.trust(sites[1])
        try client.fetch()
        let coins = try client.utxos("raw(51)")
        #expect(coins.block == (try ChainFixture.regtestRich.answers()[fork.tipHeight + 1].block))
        #expect(coins.results[0].coins.count == 1)
        #expect(client.set.files().allSatisfy { !$0.hasPrefix("patches/") || !$0.contains(fork.tip) })
    }
}

extension Site {
    convenience init(_ publication: Publication) throws {
        try self.init(
            PublishedTree(
                name: publication.name, keyFile: publication.key, publicKey: publication.publicKey,
                tree: publication.tree), of: publication)
    }
}
