import Concord
import ConcordFiles
import Foundation
import TestSupport
import Testing

/// What `audit --json` prints.
struct Audited: Decodable {
    struct Heights: Decodable, Equatable {
        let count: Int
        let lowest, highest: Int?

        init(_ range: ClosedRange<Int>) {
            (count, lowest, highest) = (range.count, range.lowerBound, range.upperBound)
        }
    }
    struct Field: Decodable {
        let name, own, attested: String
    }
    struct Difference: Decodable {
        let height, last: Int
        let block: String
        let fields: [Field]
    }
    struct Side: Decodable {
        let spent: Bool
        let height, amountSat: Int?
        let coinbase: Bool?
        let script: String?
    }
    struct Cause: Decodable {
        let part, text: String
        let shard, index: Int?
        let txid: String?
        let own, attested: Side?
    }
    struct Row: Decodable {
        let name, key, verdict: String
        let newestHeight: Int?
        let newestBlock: String?
        let agreeing, dissenting, absent, unreachable, invalid: Heights
        let differences: [Difference]
        let causes: [Cause]
        let problems: [String]
    }
    let result, network, source: String
    let from, to, tip: Int
    let authorities: [Row]
}

extension Client {
    /// The data directory of a node on the best chain. Nobody changes it.
    static let node = Result {
        let scratch = try Scratch.ofProcess()
        try ChainFixture.regtestRich.unpack(into: scratch.folder)
        return scratch.folder
    }

    func runAudit(_ arguments: [String]) throws -> Program.Outcome {
        try run(["audit", "--datadir", try Self.node.get(), "--network", "regtest"] + arguments)
    }

    func audit(_ arguments: String...) throws -> (status: Int32?, audited: Audited) {
        let outcome = try runAudit(["--json"] + arguments)
        // Nothing of it stays.
        #expect(!FileManager.default.fileExists(atPath: home.path("audit")))
        return (outcome.status, try outcome.json())
    }
}

/// `concord audit`: what is attested, held to what a node of one's own has.
@Suite(.waits) struct AuditTests {
    private static func sites() throws -> [Site] {
        try PublishedTree.atTip.get().prefix(2).map { try Site($0) }
    }

    @Test(arguments: [
        ([], 300...330), (["--from", "0"], 0...330), (["--from", "150", "--to", "151"], 150...151),
        (["--from", "217", "--to", "260", "--memory", "1M"], 217...260), (["--to", "50"], 50...50),
        (["--to", "5000"], 300...330),
    ])
    func agreement(arguments: [String], heights: ClosedRange<Int>) throws {
        let sites = try Self.sites()
        let client = try Client(trusting: sites)
        let outcome = try client.runAudit(["--json"] + arguments)
        let audited: Audited = try outcome.json()
        #expect(outcome.status == 0 && audited.result == "agrees", "\(outcome.said)")
        #expect(audited.from...audited.to == heights && audited.tip == 330)
        for row in audited.authorities {
            #expect(
                row.verdict == "agrees" && row.agreeing == .init(heights) && row.problems.isEmpty, "\(row)")
            #expect(row.absent.count + row.dissenting.count + row.unreachable.count + row.invalid.count == 0)
        }
        // The data of the authorities is not needed.
        #expect(
            sites.flatMap { $0.served() }.allSatisfy { !$0.hasPrefix("patches") && !$0.hasPrefix("snap") })
        #expect(sites[0].served().count { $0.hasSuffix(".sig") } >= heights.count)
    }

    /// A field of a statement, and how it is altered.
    enum Lie: String, CaseIterable {
        case network, shards, epoch, height, parent, coins, amount, muhash, muhashes, patch, history

        func tell(_ statement: inout Statement) {
            switch self {
            case .network: statement.network = .signet
            case .shards:
                statement.parameters = TreeParameters(checking: 32, epoch: 50) ?? statement.parameters
            case .epoch:
                statement.parameters = TreeParameters(checking: 16, epoch: 49) ?? statement.parameters
            case .height: statement.height += 1
            case .parent: statement.parent = Site.oneDigitChanged(statement.parent)
            case .coins: statement.coins += 1
            case .amount: statement.amount -= 1
            case .muhash: statement.muhash = Site.oneDigitChanged(statement.muhash)
            case .patch: statement.patchRoot = Site.oneDigitChanged(statement.patchRoot)
            case .history: statement.history[0] = Site.oneDigitChanged(statement.history[0])
            case .muhashes: statement.muhashes = Site.oneDigitChanged(statement.muhashes)
            }
        }

        var cause: String? {
            switch self {
            case .network, .shards, .epoch, .height, .parent: nil
            case .coins, .amount, .muhash: "totals"
            case .patch, .history, .muhashes: rawValue
            }
        }
    }

    @Test(arguments: Lie.allCases) func oneField(lie: Lie) throws {
        let sites = try Self.sites()
        let client = try Client(trusting: sites)
        try sites[1].forge(311) { lie.tell(&$0.statement) }
        let (status, audited) = try client.audit("--from", "309", "--to", "313")
        #expect(status == 2 && audited.result == "dissents")
        #expect(audited.authorities.map(\.verdict) == ["agrees", "dissents"])
        let row = audited.authorities[1]
        #expect(row.dissenting == .init(311...311) && row.agreeing.count == 4)
        let difference = try #require(row.differences.first)
        #expect(row.differences.count == 1 && difference.height == 311 && difference.last == 311)
        #expect(difference.block == (try ChainFixture.regtestRich.answers()[311].block))
        #expect(difference.fields.map(\.name) == [lie.rawValue])
        let site = sites[1].tree
        #expect(difference.fields[0].attested == (try site.fields(site.attestation(311))[lie.rawValue]))
        let good = sites[0].tree
        #expect(difference.fields[0].own == (try good.fields(good.attestation(311))[lie.rawValue]))
        #expect(row.causes.map(\.part) == [lie.cause].compactMap(\.self))
        if lie == .history {
            #expect(row.causes[0].text.contains("does not name the statement of the block before"))
        }
        // The root is of no patch that there is.
        if lie == .patch { #expect(row.causes[0].text.contains("is not the patch that the statement names")) }
    }

    @Test func theSnapshotOfAnEpochHeight() throws {
        let sites = try Self.sites()
        let client = try Client(trusting: sites)
        try sites[0].forge(300) {
            $0.statement.snapshotRoot = $0.statement.snapshotRoot.map(Site.oneDigitChanged)
        }
        let (status, audited) = try client.audit("--to", "301")
        let row = audited.authorities[0]
        #expect(status == 2 && row.differences.map { $0.fields.map(\.name) } == [["snapshot"]])
        #expect(row.causes.map(\.part) == ["snapshot"])
        #expect(row.causes[0].text.contains("is not the manifest that the statement names"))
    }

    /// A history that differs where nobody knows what was said before.
    @Test func aHistoryAlone() throws {
        let sites = try Self.sites()
        let client = try Client(trusting: sites)
        try sites[1].forge(311) { Lie.history.tell(&$0.statement) }
        let (status, audited) = try client.audit("--from", "311", "--to", "311")
        #expect(status == 2)
        #expect(audited.authorities[1].causes.first?.text.contains("from height 300 on") == true)
    }

    @Test func aPatchThatAddsASatoshi() throws {
        let sites = try Self.sites()
        let client = try Client(trusting: sites)
        let (shard, coin) = try sites[1].forgePatch(311)
        let (status, audited) = try client.audit()
        let row = audited.authorities[1]
        #expect(status == 2 && row.agreeing == .init(300...310) && row.dissenting == .init(311...330))
        #expect(row.differences.map(\.height) == [311, 312] && row.differences.map(\.last) == [311, 330])
        #expect(row.differences.map { $0.fields.map(\.name) } == [["patch"], ["history"]])
        let cause = try #require(row.causes.first)
        #expect(row.causes.count == 1 && cause.part == "patch" && cause.shard == shard)
        #expect(cause.txid == coin.outpoint.txid.reversedHex && cause.index == Int(coin.outpoint.index))
        let (own, attested) = (try #require(cause.own), try #require(cause.attested))
        #expect(own.amountSat == Int(coin.amount) && attested.amountSat == Int(coin.amount) + 1)
        #expect(own.height == 311 && !own.spent && own.script == attested.script && own.script != nil)
        #expect(
            try client.runAudit(["--from", "311"]).output.contains(
                "differs first in shard \(TreePath.shardDigits(shard)), at \(coin.outpoint)"))
        // One file of data is enough.
        let data = Set(sites[1].served().filter { $0.hasPrefix("patches") || $0.hasPrefix("snap") })
        #expect(data.count == 1)
    }

    enum Forgery: String, CaseIterable {
        case more, less, richer
    }

    @Test(arguments: Forgery.allCases) func aSnapshotWithAnotherCoin(forgery: Forgery) throws {
        let sites = try Self.sites()
        let client = try Client(trusting: sites)
        var expected: (outpoint: Outpoint, own: Int?, attested: Int?)?
        try sites[1].forgeSnapshot(300, shard: 5) { coins in
            let place = coins.count / 2
            let coin = coins[place]
            switch forgery {
            case .more:
                let outpoint = Outpoint(txid: Site.oneDigitChanged(coin.outpoint.txid), index: 7)
                coins.append(
                    TestCoin(outpoint: outpoint, code: coin.code, amount: coin.amount, script: coin.script))
                coins.sort { $0.outpoint < $1.outpoint }
                expected = (outpoint, nil, Int(coin.amount))
            case .less:
                coins.remove(at: place)
                expected = (coin.outpoint, Int(coin.amount), nil)
            case .richer:
                coins[place].amount += 1
                expected = (coin.outpoint, Int(coin.amount), Int(coin.amount) + 1)
            }
        }
        let (status, audited) = try client.audit("--from", "280")
        let row = audited.authorities[1]
        #expect(status == 2 && row.agreeing == .init(280...299) && row.dissenting == .init(300...330))
        #expect(row.differences.map { $0.fields.map(\.name) } == [["snapshot"], ["history"]])
        let cause = try #require(row.causes.first)
        #expect(row.causes.count == 1 && cause.part == "snapshot" && cause.shard == 5, "\(cause)")
        #expect(cause.txid == expected?.outpoint.txid.reversedHex)
        #expect(cause.index == expected.map { Int($0.outpoint.index) })
        #expect(cause.own?.amountSat == expected?.own && cause.attested?.amountSat == expected?.attested)
        let data = sites[1].served().filter { $0.hasPrefix("patches") || $0.hasPrefix("snapshots") }
        #expect(data.map { String($0.split(separator: "/").last ?? "") } == ["manifest.txt", "005.zst"])
    }

    @Test func aTreeWithoutData() throws {
        let sites = try Self.sites()
        let client = try Client(trusting: sites)
        _ = try sites[1].forgePatch(311)
        try FileManager.default.removeItem(atPath: sites[1].tree.path("patches"))
        try FileManager.default.removeItem(atPath: sites[1].tree.path("snapshots"))
        let (status, audited) = try client.audit()
        let cause = try #require(audited.authorities[1].causes.first)
        #expect(status == 2 && cause.part == "patch" && cause.shard == nil)
        #expect(
            cause.text.contains("cannot be looked into") && cause.text.contains("does not exist"), "\(cause)")
    }

    @Test func oneLags() throws {
        let sites = [
            try Site(try PublishedTree.atTip.get()[0]), try Site(try PublishedTree.fiveBlocksBefore.get()[1]),
        ]
        let client = try Client(trusting: sites)
        let (status, audited) = try client.audit()
        #expect(status == 0 && audited.authorities.map(\.verdict) == ["agrees", "agrees"])
        let row = audited.authorities[1]
        #expect(row.agreeing == .init(300...325) && row.absent == .init(326...330))
        let text = try client.runAudit(["--from", "327"])
        #expect(text.status == 0 && text.output.contains("bravo: lagging\n"), "\(text.said)")
        #expect(text.output.contains("4 heights, 327 to 330: its newest attestation is of height 325"))
        // It alone: absence is no agreement.
        let alone = try client.runAudit(["--from", "327", "--to", "330", "--authority", "bravo"])
        #expect(alone.status == 3 && alone.output.contains("nothing could be compared"), "\(alone.said)")
        #expect(try client.runAudit(["--from", "327", "--authority", "bravo"]).status == 3)
    }

    @Test func oneIsOnAnotherBranch() throws {
        let fork = try #require(try BranchTests.forks.get().first)
        var stale = try Publication(.regtestRich)
        stale.name = "charlie"
        try stale.coreFiles().rewind(to: fork.tip)
        try stale.publish("--level", "1")
        let client = try Client(trusting: try Self.sites())
        try client.trust(try Site(stale))
        let heights = ["--from", "\(fork.base)", "--to", "\(fork.tipHeight)"]
        let (status, audited) = try client.audit("--from", "\(fork.base)", "--to", "\(fork.tipHeight)")
        let row = audited.authorities[2]
        #expect(status == 0 && row.agreeing == .init(fork.base...fork.base) && row.newestBlock == fork.tip)
        #expect(row.absent == .init(fork.base + 1...fork.tipHeight))
        #expect(
            try client.runAudit(heights).output.contains(
                "its newest attestation, of height \(fork.tipHeight), is of another branch, block \(fork.tip)"
            ))
        let alone = try client.audit(
            "--from", "\(fork.base + 1)", "--to", "\(fork.tipHeight)", "--authority", "charlie")
        #expect(alone.status == 3 && alone.audited.authorities.map(\.verdict) == ["other branch"])
    }

    @Test func aTreeThatBeginsLater() throws {
        let sites = try Self.sites()
        let client = try Client(trusting: sites)
        for height in 300..<305 { try sites[1].tree.remove(try sites[1].tree.attestation(height)) }
        // One without its signature is not complete.
        try sites[1].tree.remove(try sites[1].tree.attestation(305) + ".sig")
        let (status, audited) = try client.audit()
        #expect(status == 0 && audited.authorities[1].absent == .init(300...305))
        #expect(audited.authorities[1].agreeing == .init(306...330))
        #expect(try client.runAudit([]).output.contains("6 heights, 300 to 305: its tree begins later"))
    }

    @Test func aHostThatIsNotThere() throws {
        let sites = try Self.sites()
        let client = try Client(trusting: [sites[0]])
        let closed = try ReservedPort()
        defer { withExtendedLifetime(closed) {} }
        let gone = "http://127.0.0.1:\(closed.number)"
        try client.trust("bravo", sites[1].publicKey, gone)
        let (status, audited) = try client.audit()
        #expect(status == 0 && audited.authorities.map(\.verdict) == ["agrees", "unreachable"])
        #expect(audited.authorities[1].unreachable == .init(300...330))
        #expect(audited.authorities[1].problems.contains { $0.contains(gone) })
        let alone = try client.runAudit(["--authority", "bravo"])
        #expect(alone.status == 3 && alone.errors.contains(gone), "\(alone.said)")
    }

    @Test func oneHostHasBadSignatures() throws {
        let sites = try Self.sites()
        let client = try Client(trusting: [])
        // So many that some are asked of it.
        for height in 300..<330 { try sites[0].tree.flip("\(try sites[0].tree.attestation(height)).sig") }
        let other = try Site(try PublishedTree.atTip.get()[0])
        client.keep(other)
        try client.trust("alpha", sites[0].publicKey, sites[0].url, other.url)
        let (status, audited) = try client.audit()
        let row = audited.authorities[0]
        #expect(status == 0 && row.agreeing == .init(300...330) && row.invalid.count == 0)
        #expect(
            row.problems.count == 1 && row.problems[0].contains("\(sites[0].url)/attestations/"), "\(row)")
    }

    /// What a host makes of it is not what the authority says.
    @Test func allHostsHaveSomethingElse() throws {
        let sites = try Self.sites()
        let client = try Client(trusting: [sites[0]])
        let tree = sites[0].tree
        try tree.flip(try tree.attestation(310))
        // Another block's, which the key did sign.
        for ending in ["", ".sig"] {
            try tree.replace(
                try tree.attestation(311) + ending, try tree.read(tree.attestation(312) + ending))
        }
        let (status, audited) = try client.audit()
        let row = audited.authorities[0]
        #expect(status == 0 && row.invalid == .init(310...311) && row.agreeing.count == 29)
        #expect(row.problems.count == 1 && row.problems[0].contains("(and 1 more of this host)"), "\(row)")
        // And nothing else.
        #expect(try client.audit("--from", "310", "--to", "311").status == 4)
    }

    /// What an audit that was killed left is no part of the next.
    @Test func afterAnAuditThatWasKilled() throws {
        let client = try Client(trusting: try Self.sites())
        let block = try ChainFixture.regtestRich.answers()[200].block
        for path in [
            "own/snapshots/0000300-x/manifest.txt", "theirs/x",
            "replay/snapshots/0000200-\(block)/manifest.txt",
        ] {
            try client.home.replace("audit/\(path)", "x")
        }
        #expect(try client.audit().status == 0)
    }

    @Test func wrongUse() throws {
        let client = try Client(trusting: try Self.sites())
        for arguments in [
            ["--authority", "delta"], ["--from", "9", "--to", "8"], ["--from", "x"], ["--memory", "1K"],
            ["--memory", "2X"], ["--network", "moon"],
        ] {
            let outcome = try client.runAudit(arguments)
            #expect(outcome.status == 64 && outcome.output.isEmpty, "\(arguments) \(outcome.said)")
        }
        #expect(
            try client.runAudit(["--authority", "delta"]).errors
                == "error: there is no «delta» in the list, only alpha, bravo\n")
        #expect(try client.run("audit").status == 64)
        // Not there, of another network, above the tip.
        #expect(try client.run("audit", "--network", "regtest", "--datadir", client.home.root).status == 1)
        let other = try client.run("audit", "--datadir", try Client.node.get())
        #expect(other.status == 3 && other.errors.contains("attest regtest, not main"), "\(other.said)")
        let above = try client.runAudit(["--from", "331"])
        #expect(above.status == 3 && above.errors.contains("your node's chain ends at 330"), "\(above.said)")
        let lock = try FolderLock(client.home.root)
        let locked = try client.runAudit([])
        #expect(locked.status == 1 && locked.errors.contains("is in use by another run"), "\(locked.said)")
        lock.release()
    }

    /// A node that is asked over RPC says the same as its files; one on another branch attests nothing of them.
    @Test func aRunningNode() throws {
        let node = try TestNode(mining: 120)
        let publication = try Publication(.regtestRich, datadir: node.folder)
        try publication.publish()
        let client = try Client()
        try client.trust("alpha", publication.publicKey, "file://\(publication.tree.root)")
        let arguments = [
            "audit", "--node", node.base, "--cookie", node.cookieFile, "--network", "regtest", "--json",
            "--from",
            "0",
        ]
        let agreed = try client.run(arguments)
        let before: Audited = try agreed.json()
        #expect(agreed.status == 0 && before.source == node.base && before.tip == 120, "\(agreed.errors)")
        #expect(before.authorities[0].agreeing.count == 121 && before.authorities[0].dissenting.count == 0)
        try node.reorganise(depth: 10)
        let after: Audited = try client.run(arguments).json()
        #expect(after.authorities[0].agreeing.count == 111 && after.authorities[0].absent.count == 10)
        try node.fail(.status(401))
        let denied = try client.run(arguments)
        #expect(denied.status == 1 && denied.errors.contains("401"), "\(denied.errors)")
    }

    @Test func nobodyIsKnown() throws {
        let outcome = try Client().runAudit([])
        #expect(outcome.status == 1 && outcome.errors.contains("no authorities are known"))
    }
}
