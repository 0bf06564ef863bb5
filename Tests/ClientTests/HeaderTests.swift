import Concord
import Foundation
import TestSupport
import Testing

/// Authorities sign, miners pay: the agreed block must lie on the chain with most work.
@Suite(.waits) struct HeaderTests {
    static let stored = "headers/regtest.bin"

    static func answers() throws -> [ChainFixture.Answer] { try ChainFixture.regtestRich.answers() }

    /// Regtest blocks have the work 2: so many of them, as Bitcoin Core prints `chainwork`.
    static func work(_ blocks: Int) -> String {
        let digits = String(2 * blocks, radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    /// The headers of a tree, one epoch after the other.
    static func headers(_ tree: PlainTree) throws -> [UInt8] {
        try tree.files(under: "headers").flatMap { try tree.read($0) }
    }

    static func asked(_ site: Site) -> [String] { site.served().filter { $0.hasPrefix("headers/") } }

    static func askedInPart(_ site: Site) -> [String] {
        site.served(status: 206).filter { $0.hasPrefix("headers/") }
    }

    @Test func aFetchFollowsThemFromOneTree() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let answer = try client.fetch().agreement
        let headers = try #require(answer.headers)
        #expect(headers.result == "most work" && headers.height == 330 && headers.work == Self.work(331))
        #expect(headers.block == (try Self.answers()[330].block))
        #expect(answer.authorities.allSatisfy { $0.headers?.follow == true && $0.headers?.fork == nil })
        #expect(answer.authorities.map { $0.headers?.bytes } == [331 * 80, 0, 0])
        // All who agree share that; the first file may be asked for twice.
        let asked = sites.flatMap(Self.asked)
        #expect((7...10).contains(asked.count) && Set(asked).count == 7, "\(asked)")
        #expect(Self.askedInPart(sites[0]) == ["headers/0000300.bin"])
        #expect(try client.home.read(Self.stored) == Self.headers(sites[0].tree))

        // What is followed costs nothing any more.
        let (status, again) = try client.check()
        #expect(status == 0 && again.headers?.work == Self.work(331))
        #expect(again.authorities.allSatisfy { $0.headers?.bytes == 0 })
        let said = try client.succeed("check").output
        #expect(
            said.contains(
                "headers of 3 authorities followed to height 330: the block lies on the chain with most work, 662 hashes"
            ),
            "\(said)")
    }

    /// The last few of each tree are enough.
    @Test func newBlocksCostAFewHeaders() throws {
        let (early, late) = (try PublishedTree.fiveBlocksBefore.get(), try PublishedTree.atTip.get())
        let client = try Client(trusting: try early.map { try Site($0) })
        #expect(try client.fetch().agreement.height == 325)
        for one in early { try client.succeed("trust", "remove", one.name) }
        let sites = try late.map { try Site($0) }
        for site in sites { try client.trust(site) }
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.headers?.height == 330)
        #expect(
            sites.allSatisfy { Self.asked($0).isEmpty && Self.askedInPart($0) == ["headers/0000300.bin"] })
        #expect(answer.authorities.allSatisfy { $0.headers?.bytes == 0 })
        #expect(try client.home.read(Self.stored) == Self.headers(sites[0].tree))
    }

    /// Where it is more blocks, only those are asked for; a host that knows no ranges gives the newest file.
    @Test(arguments: [true, false]) func moreNewBlocksCostTheirHeaders(knowsRanges: Bool) throws {
        let directives = knowsRanges ? "" : "max_ranges 0;"
        let sites = try Site.all(directives: directives)
        let client = try Client(trusting: sites)
        try client.fetch("--height", "312")
        var file = try client.home.read(Self.stored)
        file.removeLast(18 * 80)
        try client.home.replace(Self.stored, file)
        let answer = try client.check().answer
        #expect(answer.headers?.height == 330)
        #expect(
            answer.authorities.map { $0.headers?.bytes } == [(knowsRanges ? 7 + 18 : 31) * 80, 0, 0])
        #expect(try client.home.read(Self.stored) == Self.headers(sites[0].tree))
    }

    @Test func aCheckFollowsThemWhereAFetchDid() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.headers == nil && answer.authorities.allSatisfy { $0.headers == nil })
        #expect(
            try client.succeed("check").output.contains(
                "headers not followed: «concord fetch» does, and «check --headers»"))
        #expect(sites.allSatisfy { Self.asked($0).isEmpty })
        #expect(try client.check("--headers").answer.headers?.height == 330)
        #expect(try client.check().answer.headers?.height == 330)
        #expect(!client.isInstalled)
    }

    /// With a word where they begin, and without; on regtest it is always the first block.
    @Test(arguments: [["--headers", "full"], ["--headers=pinned"], ["--headers", "--minimum", "2"]])
    func whereTheyBegin(options: [String]) throws {
        let client = try Client(trusting: try Site.all())
        for command in ["check", "fetch"] {
            let outcome = try client.run([command, "--json"] + options)
            #expect(outcome.status == 0 && outcome.output.contains("\"from\" : 0"), "\(outcome.said)")
            let refused = try client.run([command, "--headers", "some"])
            #expect(refused.status == 64 && refused.errors.contains("'some'"), "\(refused.said)")
        }
        #expect(try client.home.read(Self.stored).count == 331 * 80)
    }

    enum Fault: String, CaseIterable {
        case changedNonce, brokenLink, otherGenesis, easyTarget, future, missing, truncated, cut,
            oneLessBelow,
            empty

        /// The file that is spoiled, and what is said of it.
        var said: (path: String, words: String) {
            switch self {
            case .changedNonce: ("headers/0000300.bin", "the header of height 310 has no proof of work")
            case .brokenLink:
                ("headers/0000100.bin", "the header of height 120 is not the child of the one before")
            case .otherGenesis:
                ("headers/0000000.bin", "the header of height 1 is not the child of the one before")
            case .easyTarget:
                (
                    "headers/0000300.bin",
                    "the header of height 330 names the target 207ffffe, where the rules ask for 207fffff"
                )
            case .future: ("headers/0000300.bin", "more than two hours ahead of this machine's clock")
            case .missing: ("headers/0000150.bin", "does not exist")
            case .truncated: ("headers/0000300.bin", "the header of height 330 is not there in full")
            case .cut: ("headers/0000300.bin", "does not lead to ")
            case .oneLessBelow: ("headers/0000200.bin", "the header of height 249 is not there in full")
            case .empty: ("headers/0000300.bin", "the header of height 300 is not there in full")
            }
        }

        func spoil(_ tree: PlainTree) throws {
            let path = said.path
            var file = try tree.read(path)
            func change(_ place: Int, _ header: [UInt8]) {
                file.replaceSubrange(place * 80..<(place + 1) * 80, with: header)
            }
            switch self {
            case .changedNonce:
                repeat {
                    file[10 * 80 + 76] &+= 1
                } while SHA256.hash(
                    SHA256.hash(file.header(10)).bytes
                ).bytes[31] < 0x80
            case .brokenLink: change(20, TestHeaders.child(of: file.header(3)))
            case .otherGenesis: change(0, TestHeaders.child(of: TestHeaders.genesis))
            case .easyTarget:
                change(30, TestHeaders.child(of: file.header(29), bits: 0x207f_fffe))
            case .future:
                change(
                    30,
                    TestHeaders.child(
                        of: file.header(29), time: UInt32(Date().timeIntervalSince1970) + 3 * 3600))
            case .missing: return try tree.remove(path)
            case .truncated: file.removeLast()
            case .cut, .oneLessBelow: file.removeLast(80)
            case .empty: file = []
            }
            try tree.replace(path, file)
        }
    }

    @Test(arguments: Fault.allCases) func oneTreesHeadersDoNotFollow(fault: Fault) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try fault.spoil(sites[0].tree)
        let fetched = try client.fetch()
        // All who agree are asked together: another one may be asked for that file, and then nobody notices.
        #expect(fetched.faults.count <= 1)
        for words in fetched.faults {
            #expect(words.contains("\(sites[0].url)/\(fault.said.path)"), "\(words)")
            #expect(words.contains(fault.said.words), "\(words)")
        }
        #expect(fetched.agreement.authorities[0].headers?.problems == fetched.faults)
        #expect(
            fetched.agreement.headers?.work == Self.work(331) && fetched.agreement.verdicts[0] == "agrees")
        #expect(try client.home.read(Self.stored) == Self.headers(sites[1].tree))
    }

    @Test(arguments: Fault.allCases) func noTreesHeadersFollow(fault: Fault) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        for site in sites { try fault.spoil(site.tree) }
        let outcome = try client.run("fetch")
        #expect(
            outcome.status == 4 && outcome.errors.contains("no host had headers that lead to"),
            "\(outcome.said)")
        for site in sites {
            #expect(outcome.errors.contains("\(site.url)/\(fault.said.path)"), "\(outcome.said)")
        }
        #expect(outcome.errors.components(separatedBy: fault.said.words).count == 4, "\(outcome.said)")
        #expect(!client.isInstalled)
        let (status, answer) = try client.check("--headers")
        #expect(status == 4 && answer.result == "none" && answer.height == nil)
        #expect(
            answer.headers?.result == "none" && answer.authorities.allSatisfy { $0.headers?.follow == false })
    }

    @Test func theNextURLHasThem() throws {
        let bad = try Site(try PublishedTree.atTip.get()[0])
        let good = try Site(try PublishedTree.atTip.get()[0])
        let client = try Client(trusting: [bad, good])
        try Fault.changedNonce.spoil(bad.tree)
        let answer = try client.fetch().agreement
        let row = try #require(answer.authorities.first?.headers)
        #expect(answer.authorities.count == 1 && row.follow && row.problems.count == 1)
        #expect(row.problems.first?.contains(bad.url) == true && answer.headers?.height == 330)
    }

    /// One that signs on a stale branch, which goes on above all others.
    @Test(arguments: [1, 8]) func anotherTreeHasMoreWork(later: Int) throws {
        let fork = try #require(try BranchTests.forks.get().first)
        let height = fork.tipHeight + later
        let top = height + 3
        let sites = try BranchTests.sites(fork, others: height)
        let path = try #require(sites[2].tree.files(under: "headers").last)
        let file = try sites[2].tree.read(path)
        let longer = file + TestHeaders.chain(later + 3, on: file.suffix(80), salt: 7)
        try #require(longer.count <= 50 * 80)
        try sites[2].tree.replace(path, longer)
        try sites[2].attest(longer.suffix(80), height: top, like: fork.tipHeight)
        let client = try Client(trusting: sites)
        let outcome = try client.run("fetch")
        #expect(outcome.status == 3 && !client.isInstalled, "\(outcome.said)")
        let words =
            "the chain of «charlie» (\(sites[2].url)) has 6 hashes more, \(2 * (top + 1)) in all. "
            + "It branches off above height \(fork.base), \(height - fork.base) blocks below the end of the agreed "
            + "block's chain"
        #expect(outcome.errors.contains(words), "\(outcome.said)")
        let isDeep = height - fork.base > 6
        #expect(outcome.errors.contains("deeper than the 6 blocks that branches may differ") == isDeep)
        #expect(later < 6 || isDeep)
        let (status, answer) = try client.check("--headers")
        #expect(status == 3 && answer.result == "none" && answer.height == nil)
        #expect(answer.headers?.result == "less work" && answer.headers?.fork == fork.base)
        #expect(answer.headers?.depth == height - fork.base && answer.headers?.height == top)
        #expect(answer.authorities.map { $0.headers?.fork } == [fork.base, fork.base, nil])
    }

    /// A lagging authority on a stale branch with less work is no more than told of.
    @Test func anotherTreeHasLessWork() throws {
        let fork = try #require(try BranchTests.forks.get().first)
        let client = try Client(trusting: try BranchTests.sites(fork, others: fork.tipHeight + 3))
        let answer = try client.fetch().agreement
        #expect(answer.headers?.result == "most work" && answer.headers?.height == fork.tipHeight + 3)
        let row = answer.authorities[2].headers
        #expect(row?.fork == fork.base && row?.depth == fork.tipHeight - fork.base)
        #expect(row?.work == Self.work(fork.tipHeight + 1) && row?.follow == true)
        #expect(
            try client.succeed("check").output.contains(
                "charlie: its chain has less work than another: it branches off above height \(fork.base), "))
    }

    /// What an authority alone led to goes with it: neither its chain nor the block that it agreed on with itself binds those
    /// who come after it, whether their chain is shorter, as long or longer.
    @Test(arguments: [-1, 0, 1]) func aRemovedAuthoritysChain(later: Int) throws {
        let fork = try #require(try BranchTests.forks.get().last)
        try #require(fork.tipHeight - fork.base > 1)
        let height = fork.tipHeight + later
        let sites = try BranchTests.sites(fork, others: height)
        let client = try Client(trusting: [sites[2]])
        #expect(try client.fetch().agreement.block == fork.tip)
        try client.succeed("trust", "remove", "charlie")
        try client.trust(sites[0])
        try client.trust(sites[1])
        let outcome = try client.run("fetch")
        #expect(outcome.isSuccess, "\(outcome.said)")
        #expect(try client.utxos("raw(51)").block == Self.answers()[height].block)
        #expect(try client.home.read(Self.stored) == Self.headers(sites[0].tree))
    }

    @Test(arguments: [0, 1, 200, 330]) func theStoredOnesAreDamaged(height: Int) throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try client.fetch()
        let whole = try client.home.read(Self.stored)
        var bytes = whole
        bytes[height * 80 + 40] ^= 1
        try client.home.replace(Self.stored, bytes)
        let before = sites.map { Self.asked($0).count }.reduce(0, +)
        #expect(try client.fetch().agreement.headers?.height == 330)
        // What is left leads to no block that anybody signed.
        let asked = sites.map { Self.asked($0).count }.reduce(0, +) - before
        #expect((7...10).contains(asked), "\(asked)")
        #expect(try client.home.read(Self.stored) == whole)
    }

    // MARK: the main network

    static let needsMainnet = ConditionTrait.enabled(
        if: ChainFixture.mainnet4312.isThere,
        "mainnet-4312 is real chain data and not committed: it is read from ../shared/fixtures")

    private static func mainnet() throws -> Site {
        let publication = try ReferenceTree.mainnet4312.get().publication
        return try Site(
            PublishedTree(
                name: publication.name, keyFile: publication.key, publicKey: publication.publicKey,
                tree: publication.tree))
    }

    /// 4,313 blocks of the main network are less than anybody with a few machines can make.
    @Test(needsMainnet) func lowWork() throws {
        let client = try Client(trusting: [try Self.mainnet()])
        let outcome = try client.run("fetch")
        #expect(outcome.status == 3 && !outcome.output.contains("fetched"), "\(outcome.said)")
        #expect(
            outcome.errors.contains(
                "has the work 2^44.1, and the main network's is known to have at least "
                    + "2^96.1: a trustnet whose every key is stolen must still out-mine"),
            "\(outcome.said)")
        #expect(outcome.errors.contains("--allow-low-work"))
        #expect(try client.check().status == 3)
        let said = try client.succeed("check", "--allow-low-work").output
        #expect(
            said.contains(
                "less than the network's chain is known to have. All headers were followed, for the block is below height "
                    + "938343"), "\(said)")
        #expect(try client.fetch("--allow-low-work", "--shards", "3").agreement.headers?.height == 4312)
    }

    @Test(needsMainnet) func aWrongRetarget() throws {
        let site = try Self.mainnet()
        let client = try Client(trusting: [site])
        let path = "headers/0004000.bin"
        let file = try site.tree.read(path)
        // A block's worth of work is out of a test's reach: it names the easiest target.
        try site.tree.replace(path, file.prefix(32 * 80) + TestHeaders.child(of: file.header(31)))
        let outcome = try client.run("fetch", "--allow-low-work")
        #expect(outcome.status == 4, "\(outcome.said)")
        #expect(
            outcome.errors.contains(
                "\(site.url)/\(path): the header of height 4032 names the target 207fffff, where the rules ask for "
                    + "1d00ffff"), "\(outcome.said)")
    }
}
