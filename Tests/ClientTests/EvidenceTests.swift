import Concord
import Foundation
import TestSupport
import Testing

/// What `evidence --json` prints, and `check --json` under `contradiction`.
struct Proof: Decodable {
    struct Signer: Decodable {
        let name, key, time, file: String
    }
    struct Side: Decodable {
        let statement: String
        let signers: [Signer]
    }
    struct Field: Decodable {
        let name: String
        let values: [String]
    }
    struct Difference: Decodable {
        let statements: [String]
        let height: Int
        let block: String
        let fields: [Field]
        let causes: [Audited.Cause]
    }

    let height: Int
    let block: String
    let sides: [Side]
    let differences: [Difference]
    let problems: [String]
}

/// A contradiction is followed from the statement to the coin, and the folder proves it to a third person.
@Suite(.waits) struct EvidenceTests {
    let sites: [Site]
    let client: Client

    init() throws {
        sites = try Site.all()
        client = try Client(trusting: sites)
    }

    /// What somebody else sees in a copy of the folder, without a host or a home.
    func thirdPerson(_ folder: String, _ change: (PlainTree) throws -> Void = { _ in }) throws
        -> Program.Outcome
    {
        let scratch = try Scratch()
        let copy = PlainTree(scratch.path("folder"))
        try PlainTree(folder).link(to: copy.root)
        try change(copy)
        return try Client().run("evidence", "--json", copy.root)
    }

    func data() -> [String] {
        sites.flatMap { $0.served() }.filter { $0.hasPrefix("patches") || $0.hasPrefix("snapshots") }
    }

    /// It began at a patch 18 blocks below: both patches of that block are all the data that is needed.
    @Test func aPatchThatAddsASatoshi() throws {
        let (shard, coin) = try sites[2].forgePatch(312)
        let (status, answer) = try client.check()
        #expect(status == 2 && answer.verdicts == ["agrees", "agrees", "dissents"])
        let proof = try #require(answer.contradiction)
        #expect(
            proof.height == 330
                && proof.sides.map { $0.signers.map(\.name) } == [["alpha", "bravo"], ["charlie"]])
        #expect(proof.differences.count == 1 && proof.problems.isEmpty, "\(proof)")
        let difference = try #require(proof.differences.first)
        #expect(difference.height == 312 && difference.fields.map(\.name) == ["patch"])
        let cause = try #require(difference.causes.first)
        #expect(difference.causes.count == 1 && cause.part == "patch" && cause.shard == shard, "\(cause)")
        #expect(cause.txid == coin.outpoint.txid.reversedHex && cause.index == Int(coin.outpoint.index))
        #expect(cause.own?.amountSat == Int(coin.amount) && cause.attested?.amountSat == Int(coin.amount) + 1)
        #expect(data().count == 2 && data().allSatisfy { $0.contains("/0000312-") }, "\(data())")

        let folder = try #require(answer.evidence)
        let third = try thirdPerson(folder)
        let shown: Proof = try third.json()
        #expect(third.status == 0 && shown.differences.first?.causes.first?.txid == cause.txid)
        let text = try client.succeed("evidence", folder).output
        let account = try PlainTree(folder).text("account.txt")
        #expect(text.contains("alpha, bravo and charlie differ first at height 312"), "\(text)")
        for words in [
            " differ first at height 312", "differs first in shard",
            "\(coin.outpoint)",
            "statement \(proof.sides[1].statement)",
        ] {
            #expect(text.contains(words), "\(text)")
            #expect(account.contains(words), "\(account)")
        }
        #expect(text.contains("all signatures are right"))
        // The next check knows it, and fetches no data again.
        #expect(try client.check().answer.contradiction?.differences.first?.height == 312)
        #expect(data().count == 2)
    }

    /// Where an epoch's own snapshot differs.
    @Test func aSnapshotWithoutACoin() throws {
        var gone: TestCoin?
        try sites[0].forgeSnapshot(300, shard: 5) { coins in gone = coins.remove(at: coins.count / 2) }
        let proof = try #require(try client.check().answer.contradiction)
        let difference = try #require(proof.differences.first)
        #expect(difference.height == 300 && difference.fields.map(\.name) == ["snapshot"])
        let cause = try #require(difference.causes.first)
        #expect(cause.part == "snapshot" && cause.shard == 5 && cause.txid == gone?.outpoint.txid.reversedHex)
        #expect(cause.own?.amountSat == gone.map { Int($0.amount) } && cause.attested?.amountSat == nil)
        let names = Set(data().map { String($0.split(separator: "/").last ?? "") })
        #expect(names == ["manifest.txt", "005.zst"] && data().count == 4, "\(data())")
    }

    /// Only the sum differs, and only at that block.
    @Test func aMuHashAlone() throws {
        try sites[1].lie(at: 330)
        let proof = try #require(try client.check().answer.contradiction)
        let difference = try #require(proof.differences.first)
        #expect(difference.height == 330 && difference.fields.map(\.name) == ["muhash"])
        #expect(difference.causes.map(\.part) == ["totals"] && data().isEmpty)
        // The statements of the block before are the same, and are there to show it.
        let files = PlainTree(try #require(client.check().answer.evidence)).files()
        #expect(files.count { $0.hasSuffix(".txt.sig") } == 5, "\(files)")
    }

    /// Two say different things, each of them other things than the rest.
    @Test func threeSides() throws {
        try sites[1].lie(at: 330)
        _ = try sites[2].forgePatch(320)
        let proof = try #require(try client.check().answer.contradiction)
        #expect(proof.sides.count == 3 && proof.differences.count == 2)
        // Each with the first of them: of sides with as many signers, that is the one with the least digest.
        let isForgedFirst = proof.sides[0].signers.map(\.name) == ["charlie"]
        #expect(
            proof.differences.map(\.height).sorted() == [320, isForgedFirst ? 320 : 330], "\(proof)")
    }

    @Test func aKeyThatSignedBoth() throws {
        let mirror = try Site(try PublishedTree.atTip.get()[1])
        let client = try Client(trusting: [mirror, sites[1]])
        _ = try mirror.forgePatch(330)
        let (status, answer) = try client.check()
        let proof = try #require(answer.contradiction)
        #expect(status == 2 && answer.verdicts == ["equivocates"])
        #expect(answer.authorities[0].statements.count == 2)
        #expect(proof.differences.first?.causes.first?.part == "patch", "\(proof)")
        let said = try client.succeed("evidence", try #require(answer.evidence)).output
        #expect(said.contains("and \(mirror.publicKey) signed two of them: it equivocates"), "\(said)")
    }

    /// Without data it is a contradiction all the same; when the data is back, the coin is found.
    @Test func theDataCannotBeHad() throws {
        _ = try sites[2].forgePatch(312)
        let hidden = sites[2].tree.path("hidden")
        try FileManager.default.moveItem(atPath: sites[2].tree.path("patches"), toPath: hidden)
        let (status, answer) = try client.check()
        let proof = try #require(answer.contradiction)
        #expect(status == 2 && proof.differences.first?.height == 312)
        #expect(proof.differences.first?.causes.first?.text.contains("cannot be looked into") == true)
        #expect(
            proof.problems.first?.contains("\(sites[2].url)/patches/0000300/0000312-") == true, "\(proof)")
        try FileManager.default.moveItem(atPath: hidden, toPath: sites[2].tree.path("patches"))
        #expect(try client.check().answer.contradiction?.differences.first?.causes.first?.shard != nil)
    }

    enum Spoilt: String, CaseIterable {
        case signature, attestation, withoutSignature, alone, data, otherData, empty, renamed
    }

    /// A folder that was tampered with proves nothing.
    @Test(arguments: Spoilt.allCases) func aFolderThatWasChanged(_ how: Spoilt) throws {
        _ = try sites[2].forgePatch(312)
        let folder = try #require(try client.check().answer.evidence)
        let outcome = try thirdPerson(folder) { copy in
            let signed = copy.files().filter { $0.hasSuffix(".txt") && $0.hasPrefix("charlie-") }
            let sides = copy.files(under: "sides")
            switch how {
            case .signature: try copy.flip(signed[0] + ".sig")
            case .attestation: try copy.flip(signed[0])
            case .withoutSignature: try copy.remove(signed[0] + ".sig")
            case .alone:
                for file in copy.files() where file.hasPrefix("charlie-") { try copy.remove(file) }
            case .data: try copy.flip(sides[0])
            case .otherData: try copy.replace(sides[0], try copy.read(sides[1]))
            case .renamed:
                // Somebody else's files under another's name.
                let other = copy.files().filter { $0.hasPrefix("alpha-") && $0.hasSuffix(".txt") }[0]
                for suffix in ["", ".sig"] {
                    try copy.replace(other + suffix, try copy.read(signed[0] + suffix))
                }
            case .empty: for file in copy.files() { try copy.remove(file) }
            }
        }
        #expect(outcome.status == 4 && outcome.errors.contains("this proves nothing: "), "\(outcome.said)")
        #expect(try outcome.json(Refused.self).error.status == 4)
    }

    /// Both manifests are right, and one shard is a forgery that differs early: no coin of it is shown.
    @Test func aForgedShard() throws {
        try sites[0].forgeSnapshot(300, shard: 5) { coins in coins.remove(at: coins.count / 2) }
        let folder = try #require(try client.check().answer.evidence)
        let outcome = try thirdPerson(folder) { copy in
            let shards = copy.files(under: "sides").filter { $0.hasSuffix("/005.zst") }
            try #require(shards.count == 2)
            let zstd = try Program.installed("zstd")
            var coins = try TestCoin.all(inShard: try zstd.print("-dcq", copy.path(shards[0])))
            coins[0].amount += 1
            try copy.replace(shards[0], try zstd.print("-cq", input: TestCoin.encode(coins)))
        }
        #expect(outcome.status == 4, "\(outcome.said)")
        #expect(try outcome.json(Refused.self).error.kind == "noValidBytes")
    }

    @Test func noFolder() throws {
        #expect(try client.run("evidence", "/nowhere").status == 1)
        #expect(try client.run("evidence").status == 64)
    }

    // MARK: what a person sees

    /// Whatever is not agreement names the authority, the URL and what to do; nothing has colours but a terminal.
    @Test func everyRowSaysWhatToDo() throws {
        try sites[1].lie(at: 330)
        let gone = try Site(try PublishedTree.atTip.get()[2])
        sites[2].server.stop()
        let outcome = try client.run("check")
        #expect(outcome.status == 2 && !outcome.output.contains("\u{1b}"))
        let lines = outcome.output.split(separator: "\n")
        for (name, url, words) in [
            ("bravo", sites[1].url, "it signed another statement for the same block than others"),
            ("charlie", sites[2].url, "nothing of it could be had"),
        ] {
            let line = try #require(lines.first { $0.hasPrefix("\(name): ") }, "\(outcome.said)")
            #expect(line.contains(words) && line.contains(url) && line.contains("Next: "), "\(line)")
        }
        #expect(lines.contains { $0.contains("«concord trust remove bravo»") })
        #expect(lines.contains { $0.contains("that says nothing of the set: ask again later") })
        _ = gone
        let terminal = try Program.installed("script").run(
            ["-qec", "'\(try Client.program().path)' check --home '\(client.home.root)'", "/dev/null"],
            environment: ["TERM": "xterm", "NO_COLOR": ""])
        #expect(terminal.output.contains("\u{1b}[31m"), "\(terminal.said)")
        let plain = try Program.installed("script").run(
            ["-qec", "'\(try Client.program().path)' check --home '\(client.home.root)'", "/dev/null"],
            environment: ["TERM": "xterm", "NO_COLOR": "1"])
        #expect(!plain.output.contains("\u{1b}[31m") && plain.output.contains("CONTRADICTION"))
    }

    @Test func watching() throws {
        let running = try client.start("check", "--watch", "--every", "1", "--json")
        /// Waits for such answers, and gives all so far.
        func answers(_ isEnough: ([Answer]) -> Bool) throws -> [Answer] {
            let deadline = Date().addingTimeInterval(120)
            while true {
                // The last line may be half written.
                let lines = try running.printed().split(separator: 0x0a, omittingEmptySubsequences: false)
                let all = try lines.dropLast().map { try JSONDecoder().decode(Answer.self, from: Data($0)) }
                if isEnough(all) || !running.isRunning() || Date() > deadline { return all }
                usleep(50_000)
            }
        }
        let first = try answers { $0.count >= 2 }
        #expect(first.count >= 2 && first.allSatisfy { $0.result == "agreed" })
        try sites[0].lie(at: 330)
        let then = try answers { $0.last?.result != "agreed" }
        #expect(then.last?.result == "contradiction")
        running.send(SIGTERM)
        #expect(try running.wait().status == 0)
    }
}
