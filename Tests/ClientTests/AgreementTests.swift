import Foundation
import TestSupport
import Testing

/// Honest authorities: all there, some behind, some away.
@Suite(.waits) struct HonestAuthoritiesTests {
    static let tip = Result { try ChainFixture.regtestRich.roots()[PublishedTree.tip] }

    @Test func threeAgree() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let tip = try Self.tip.get()

        let (status, answer) = try client.check()
        #expect(status == 0)
        #expect(answer.result == "agreed" && answer.height == PublishedTree.tip && answer.minimum == 2)
        #expect(answer.block == tip.answer.block && answer.muhash == tip.answer.muhash)
        #expect(answer.muhashes == tip.muhashes)
        #expect(answer.coins == Int(tip.answer.coins) && answer.amountSat == Int(tip.answer.amount))
        #expect(answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(answer.authorities.map(\.name) == ["alpha", "bravo", "charlie"])
        #expect(answer.authorities.map(\.key) == sites.map(\.publicKey))
        #expect(answer.authorities.allSatisfy { (500..<2048).contains($0.bytes) && $0.problems.isEmpty })
        #expect(answer.evidence == nil && answer.reason == nil)
        // Five small files each: two hints, the attestation, its signature, the last headers.
        for site in sites { #expect(site.server.requests.count == 5) }

        let table = try client.succeed("check")
        for site in sites { #expect(table.output.contains(try Regex("\(site.name) +agrees +330 "))) }
        #expect(table.output.contains("agreed by 3 of 3 (at least 2 needed)\nnetwork regtest\nheight  330\n"))
        #expect(table.output.contains(tip.answer.muhash) && table.errors.isEmpty)
        #expect(!client.isInstalled)

        let fetched = try client.fetch()
        #expect(fetched.shards == 16 && fetched.deltas == 3 && fetched.faults.isEmpty)
        #expect(fetched.agreement.block == tip.answer.block && fetched.folder == client.set.root)
        // The work is shared, and hardly anything is fetched twice: what takes long is asked of a second host.
        let data = sites.map { $0.served().filter { $0.hasSuffix(".zst") } }
        #expect(Set(data.joined()).count == 19 && data.allSatisfy { $0.count > 2 })
        #expect(data.joined().count < 30, "\(data)")

        let again = try client.fetch()
        #expect(again.shards == 0 && again.patches == 0 && again.bytes < 8192)
        let said = try client.succeed("fetch")
        #expect(said.output.contains("nothing new: what this set needs was in "))
    }

    @Test func oneLags() throws {
        let late = try PublishedTree.atTip.get()
        let early = try PublishedTree.fiveBlocksBefore.get()
        let client = try Client(trusting: [try Site(late[0]), try Site(late[1]), try Site(early[2])])
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == 330)
        #expect(answer.verdicts == ["agrees", "agrees", "lagging"])
        #expect(answer.authorities[2].height == 325)
        let table = try client.succeed("check")
        #expect(table.output.contains("charlie: its newest attestation is 5 blocks below the chosen one"))
        let fetched = try client.fetch()
        #expect(fetched.agreement.height == 330 && fetched.faults.isEmpty)
    }

    /// Two must attest a block: the chosen one is the highest that two have reached.
    @Test(arguments: 0..<3) func onlyOneIsAtTheTip(ahead: Int) throws {
        let late = try PublishedTree.atTip.get()
        let early = try PublishedTree.fiveBlocksBefore.get()
        let client = try Client(trusting: try (0..<3).map { try Site($0 == ahead ? late[$0] : early[$0]) })
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == 325)
        #expect(answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(answer.authorities[ahead].height == 330)
        #expect(try client.fetch().agreement.height == 325)
        #expect(try client.utxos("raw(51)").height == 325)
        // A height that only one has reached cannot be had.
        let above = try client.check("--height", "326")
        #expect(above.status == 3 && above.answer.result == "none")
        #expect(above.answer.reason?.contains("the highest that enough of them have reached is 325") == true)
        let below = try client.check("--height", "318")
        #expect(
            below.status == 0 && below.answer.height == 318
                && below.answer.verdicts == ["agrees", "agrees", "agrees"])
    }

    @Test func oneIsDown() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        sites[1].server.stop()
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == 330)
        #expect(answer.verdicts == ["agrees", "unreachable", "agrees"])
        #expect(answer.authorities[1].problems.allSatisfy { $0.contains(sites[1].url) })
        #expect(!answer.authorities[1].problems.isEmpty)
        let table = try client.succeed("check")
        #expect(table.output.contains("bravo: \(sites[1].url)"), "\(table.said)")
        #expect(!table.output.contains("dissent") && !table.output.contains("CONTRADICTION"))
        #expect(try client.fetch().shards == 16)
        #expect(try client.utxos("raw(51)").authorities == ["alpha", "charlie"])
    }

    @Test(arguments: [2, 3]) func tooManyAreDown(count: Int) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        for site in sites.suffix(count) { site.server.stop() }
        let (status, answer) = try client.check()
        #expect(status == 3 && answer.result == "none" && answer.height == nil)
        #expect(answer.verdicts.suffix(count).allSatisfy { $0 == "unreachable" })
        #expect(answer.reason == "\(3 - count) of 3 authorities can be counted, at least 2 are needed")
        let outcome = try client.run("fetch")
        #expect(outcome.status == 3 && outcome.output.contains("no agreement"))
        #expect(!outcome.said.contains("dissent"))
        #expect(!client.isInstalled)
    }

    /// A mirror that is down costs nothing where the authority's other URL serves.
    @Test func aMirrorStandsIn() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let mirror = try Site(try PublishedTree.atTip.get()[0])
        try client.trust(mirror)
        sites[0].server.stop()
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(answer.authorities[0].problems.contains { $0.contains(sites[0].url) })
        let fetched = try client.fetch()
        #expect(fetched.shards == 16)
    }

    @Test func fileURLs() throws {
        let client = try Client()
        for published in try PublishedTree.atTip.get() {
            try client.trust(published.name, published.publicKey, "file://\(published.tree.root)/")
        }
        #expect(try client.check().answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(try client.fetch().shards == 16)
    }
}
