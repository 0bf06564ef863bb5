import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

/// What somebody who holds hosts, or keys, may try over time (The Update Framework's list of attacks), and what the client
/// remembers against it.
@Suite(.waits) struct AttackTests {
    let late: [PublishedTree]
    let early: [PublishedTree]
    let sites: [Site]
    let client: Client

    init() throws {
        late = try PublishedTree.atTip.get()
        early = try PublishedTree.fiveBlocksBefore.get()
        sites = try Site.all()
        client = try Client(trusting: sites)
    }

    func text(_ seconds: TimeInterval) -> String {
        Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
    }

    // MARK: rollback

    /// All hosts show an older state: what the keys signed stays signed, and the newest agreed block stays that.
    @Test func rollbackOfAllHosts() throws {
        try client.fetch()
        for (site, tree) in zip(sites, early) { try site.serve(tree) }
        let outcome = try client.run("check")
        #expect(outcome.isSuccess && outcome.output.contains("height  330\n"), "\(outcome.said)")
        for site in sites {
            #expect(
                outcome.output.contains(
                    "\(site.name): \(site.url): shows height 325 as its newest, but its key signed height 330 at 20"
                ),
                "\(outcome.said)")
        }
        #expect(try client.check().answer.verdicts == ["agrees", "agrees", "agrees"])
        #expect(try client.fetch().agreement.height == 330)
        #expect(try client.utxos("raw(51)").height == 330)
    }

    /// Nobody but those who have not come so far can be reached: what was agreed on is not taken back.
    @Test func rollbackByHoldingBackWhoIsNewer() throws {
        let sites = [try Site(late[0]), try Site(late[1]), try Site(early[2])]
        let client = try Client(trusting: sites)
        #expect(try client.fetch().agreement.height == 330)
        sites[0].server.stop()
        for command in ["check", "fetch"] {
            let outcome = try client.run(command)
            #expect(outcome.status == 3, "\(outcome.said)")
            #expect(outcome.errors.contains("only height 325 can be agreed on now, but height 330"))
            #expect(outcome.errors.contains("--height 325"))
        }
        let (status, answer) = try client.check()
        #expect(status == 3 && answer.result == "none" && answer.height == nil)
        #expect(try client.utxos("raw(51)").height == 330)
        // Who asks for it gets it, and it is still not the newest that was agreed on.
        #expect(try client.fetch("--height", "325").agreement.height == 325)
        #expect(try client.utxos("raw(51)").height == 325)
        #expect(try client.run("fetch").status == 3)
    }

    /// A lower block of a branch with more work is no rollback.
    @Test func aBranchWithMoreWorkMayBeLower() throws {
        try client.fetch()
        let memory = client.home.path("memory.sqlite")
        let taller = try Program.installed("sqlite3").run(
            memory,
            "UPDATE agreed SET height = 331, work = '294', block = x'\(String(repeating: "5a", count: 32))'")
        #expect(taller.isSuccess, "\(taller.said)")
        #expect(try client.fetch().agreement.height == 330)
    }

    // MARK: freeze

    /// Hosts that show the same for ever: attestations grow stale by the clock.
    @Test func freeze() throws {
        // The trees were signed some time before this test.
        #expect(try client.check("--max-age", "10").status == 0)
        client.now = text(20 * 3600)
        let (status, answer) = try client.check("--max-age", "10")
        #expect(status == 3 && answer.verdicts == ["stale", "stale", "stale"])
        #expect(answer.reason?.contains("0 of 3 authorities can be counted") == true)
        #expect(try client.run("fetch", "--max-age", "10").status == 3 && !client.isInstalled)
        #expect(try client.check("--max-age", "30").status == 0)
    }

    // MARK: fast-forward

    /// A stolen key signs an attestation of years ahead, so that nothing honest is ever newer.
    @Test func fastForwardOfTime() throws {
        try sites[2].forge(330) { $0.time += 10 * 365 * 86_400 }
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.verdicts == ["agrees", "agrees", "invalid"])
        #expect(
            answer.authorities[2].problems.first?.contains(
                "more than two hours ahead of this machine's clock") == true)
        // It is not remembered either.
        try sites[2].serve(late[2])
        #expect(try client.check().answer.verdicts == ["agrees", "agrees", "agrees"])
    }

    /// It signs a block far ahead that nobody mined: alone it moves nothing, and all keys together cannot mine.
    @Test(arguments: [1, 3]) func fastForwardOfHeight(stolen: Int) throws {
        for site in sites[..<stolen] { try site.invent(900_000) }
        let (status, answer) = try client.check("--headers")
        if stolen == 1 {
            #expect(status == 0 && answer.height == 330, "\(answer)")
            #expect(answer.verdicts[1...] == ["agrees", "agrees"])
        } else {
            #expect(status == 4 && answer.height == nil, "\(answer)")
            #expect(answer.reason?.contains("no host had headers that lead to") == true)
        }
        #expect(stolen == 1 || !client.isInstalled)
        // Once the hosts are their own again, it is as if nothing had been.
        for (site, tree) in zip(sites, late) { try site.serve(tree) }
        if stolen == 1 { #expect(try client.fetch().agreement.height == 330) }
    }

    // MARK: mix and match

    enum Mix: String, CaseIterable {
        /// Another authority's attestation, with its signature.
        case attestation
        /// Another authority's signature of the same statement.
        case signature
        /// The attestation of the block before, under this one's name.
        case otherBlock
        /// The tree of another authority, whole.
        case tree
    }

    /// Signed files, each of them right, where they do not belong.
    @Test(arguments: Mix.allCases) func mixAndMatch(_ mix: Mix) throws {
        let path = try sites[0].tree.attestation(330)
        switch mix {
        case .attestation:
            for suffix in ["", ".sig"] {
                try sites[0].tree.replace(path + suffix, try sites[1].tree.read(path + suffix))
            }
        case .signature: try sites[0].tree.replace(path + ".sig", try sites[1].tree.read(path + ".sig"))
        case .otherBlock:
            let before = try sites[0].tree.attestation(329)
            for suffix in ["", ".sig"] {
                try sites[0].tree.replace(path + suffix, try sites[0].tree.read(before + suffix))
            }
        case .tree: try sites[0].serve(late[1])
        }
        let answer = try client.fetch().agreement
        #expect(answer.verdicts == ["invalid", "agrees", "agrees"])
        #expect(answer.authorities[0].problems.first?.contains(sites[0].url) == true)
    }

    // MARK: making work

    /// A mirror names an old block, which is attested: nobody's headers are walked down to it.
    @Test func anOldBlockIsNamed() throws {
        let mirror = try Site(late[0])
        try client.trust(mirror)
        #expect(try client.check().status == 0)
        let before = sites.map { $0.server.requests.count }
        try mirror.tree.replace("latest.txt", try mirror.latest(1))
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == 330 && answer.verdicts == ["agrees", "agrees", "agrees"])
        let asked = zip(sites, before).map { $0.server.requests.count - $1 }
        #expect(asked.allSatisfy { $0 <= 7 }, "\(asked)")
        // Whoever says otherwise of it is caught all the same.
        try sites[1].lie(at: 1)
        #expect(try client.check().status == 0)
        #expect(try Client(trusting: sites + [mirror]).check().status == 2)
    }

    // MARK: equivocation over time

    /// It signed one thing yesterday and another today, and yesterday's is nowhere to be had any more.
    @Test func anEquivocationOverTime() throws {
        #expect(try client.check().status == 0)
        try sites[1].lie(at: 330)
        for site in [sites[0], sites[2]] { site.server.stop() }
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.result == "contradiction")
        // What the others signed before is held against it too.
        #expect(answer.verdicts == ["agrees", "equivocates", "agrees"])
        let folder = try #require(answer.evidence)
        #expect(PlainTree(folder).files().count { $0.hasPrefix("bravo-") && $0.hasSuffix(".txt") } == 2)
    }

    /// The contradiction stands when its author is back at what it said first, until one of its parties is left.
    @Test func aContradictionIsNotForgotten() throws {
        try sites[2].lie(at: 330)
        #expect(try client.check().status == 2)
        try sites[2].serve(late[2])
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.verdicts == ["agrees", "agrees", "equivocates"], "\(answer)")
        #expect(try client.run("fetch").status == 2)
        try client.succeed("trust", "remove", "charlie")
        #expect(try client.fetch().agreement.height == 330)
        // What one said who was left costs nothing any more.
        let before = sites[0].server.requests.count
        #expect(try client.check().status == 0)
        #expect(sites[0].server.requests.count - before == 5)
    }

    /// What one that cannot be reached now said before still counts against what others say.
    @Test func aDissentOverTime() throws {
        try sites[2].lie(at: 330)
        sites[0].server.stop()
        sites[1].server.stop()
        #expect(try client.check("--minimum", "1").status == 0)
        let others = [try Site(late[0]), try Site(late[1])]
        for site in others { try client.trust(site) }
        sites[2].server.stop()
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.verdicts == ["agrees", "agrees", "dissents"], "\(answer)")
    }

    /// What was seen to be signed is held against what a later statement names by its digest.
    @Test func aLaterStatementNamesAnotherOne() throws {
        let client = try Client(trusting: [sites[0]])
        #expect(try client.check("--height", "310").status == 0)
        let key = try SigningKey(readingFrom: late[0].keyFile)
        try sites[0].tree.resign(from: 310, with: key) { $0.statement.amount -= 1 }
        let outcome = try client.run("fetch")
        #expect(outcome.status == 2 && !client.isInstalled, "\(outcome.said)")
        let (status, answer) = try client.check("--height", "310")
        #expect(status == 2 && answer.verdicts[0] == "equivocates", "\(answer)")
    }

    /// A fetch remembers too what it took the statement from.
    @Test func whatAFetchSawIsRemembered() throws {
        // Of several who agree, whoever has room is asked.
        let client = try Client(trusting: [sites[0]])
        try client.fetch("--height", "320")
        let first = try Attestation(parsing: try sites[0].tree.read(try sites[0].tree.attestation(320)))
        try sites[0].lie(at: 320)
        let (status, answer) = try client.check("--height", "320")
        #expect(status == 2 && answer.verdicts[0] == "equivocates", "\(answer)")
        let folder = PlainTree(try #require(answer.evidence))
        let kept = try folder.files().filter { $0.hasPrefix("alpha-") && $0.hasSuffix(".txt") }.map {
            try Attestation(parsing: try folder.read($0))
        }
        #expect(kept.contains(first) && kept.count == 2)
    }

    // MARK: cost

    /// Three authorities, new blocks since the last time, one of three a block behind.
    @Test func aCheckCostsLittle() throws {
        let client = try Client(trusting: sites)
        for (site, tree) in zip(sites, early) { try site.serve(tree) }
        try client.fetch()
        let before = sites.map { $0.served().count + $0.served(status: 206).count }
        for (site, tree) in zip(sites, late) { try site.serve(tree) }
        try sites[2].tree.replace("latest.txt", try sites[2].latest(329))
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == 330 && answer.headers?.height == 330)
        #expect(answer.verdicts == ["agrees", "agrees", "lagging"])
        let bytes = answer.authorities.map { $0.bytes + ($0.headers?.bytes ?? 0) }
        #expect(bytes.reduce(0, +) < 8192, "\(bytes)")
        // Hints; the newest attestation and the last headers; the attestation that the third is compared by.
        let asked = zip(sites, before).map { $0.served().count + $0.served(status: 206).count - $1 }
        #expect(asked == [7, 7, 5], "\(asked)")
    }
}

extension Site {
    /// The hint that names a height.
    func latest(_ height: Int) throws -> String {
        "\(try Attestation(parsing: try tree.read(try tree.attestation(height))).statement.blockID)\n"
    }

    /// Attests a block of a height that nobody mined, and shows it as the newest.
    func invent(_ height: Int) throws {
        let path = try tree.attestation(330)
        var attestation = try Attestation(parsing: try tree.read(path))
        attestation.statement.height = height + 1
        attestation.statement.block = SHA256.hash("invented")
        attestation.time += 1
        let key = try SigningKey(readingFrom: keyFile)
        let invented = TreePath.attestation(attestation.statement.blockID, attestation.statement.parameters)
        try tree.replace(invented, attestation.text)
        try tree.replace("\(invented).sig", try key.sign(attestation.digest))
        try tree.replace("latest.txt", "\(attestation.statement.blockID)\n")
    }
}
