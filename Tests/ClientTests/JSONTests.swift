import Foundation
import TestSupport
import Testing

/// What --json prints is what JSON.md says, of both programs.
@Suite(.waits) struct JSONTests {
    /// The words in backticks of each section of JSON.md, by the section's title; those before the first under "".
    private static let documented = Result {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "site-template/JSON.md"), encoding: .utf8)
        var words: [String: Set<String>] = [:]
        var title = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("## ") { title = String(line.dropFirst(3)) }
            for (i, part) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            where i % 2 == 1 {
                words[title, default: []].insert(String(part))
            }
        }
        return words
    }

    /// The keys of an object and of all in it.
    private static func keys(_ value: Any) -> Set<String> {
        switch value {
        case let object as [String: Any]:
            object.values.reduce(into: Set(object.keys)) { $0.formUnion(keys($1)) }
        case let list as [Any]: list.reduce(into: []) { $0.formUnion(keys($1)) }
        default: []
        }
    }

    /// Holds an object to the sections that speak of it. Objects of one command are found in another's too.
    private static func expect(
        _ outcome: Program.Outcome, status: Int32 = 0, _ sections: String..., hasNetwork: Bool = true
    ) throws {
        #expect(outcome.status == status, "\(outcome.said)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.standardOutput)) as? [String: Any],
            "\(outcome.said)")
        let documented = try documented.get()
        let known = (["", "Where a command fails"] + sections).reduce(into: Set<String>()) {
            $0.formUnion(documented[$1] ?? [])
        }
        let keys = keys(object)
        #expect(keys.subtracting(known).isEmpty, "\(sections)")
        // One is of Bitcoin Core's.
        #expect(
            keys.subtracting(["total_amount"]).allSatisfy { $0.wholeMatch(of: /[a-z][A-Za-z0-9]*/) != nil },
            "\(keys)")
        #expect((object["network"] as? String == "regtest") == hasNetwork, "\(sections)")
        let error = object["error"] as? [String: Any]
        #expect(error?["status"] as? Int32 ?? 0 == status, "\(outcome.said)")
    }

    @Test func everyKeyOfTheClientIsDocumented() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let scratch = client.scratch
        try Self.expect(
            client.run("trust", "add", "delta", UsageTests.key, "https://d.example", "--json"),
            "concord trust", hasNetwork: false)
        try Self.expect(
            client.run("trust", "remove", "delta", "--json"), "concord trust", hasNetwork: false)
        let net = try TrustnetSite(Array(sites.prefix(2)))
        try Self.expect(
            client.run("trust", "use", net.url, "--key", net.key, "--json"), "concord trust",
            hasNetwork: false)
        try Self.expect(client.run("trust", "update", "--json"), "concord trust", hasNetwork: false)
        try Self.expect(client.run("trust", "list", "--json"), "concord trust", hasNetwork: false)
        try Self.expect(client.run("trust", "drop", "example", "--json"), "concord trust", hasNetwork: false)
        try Self.expect(client.run("fetch", "--json"), "concord fetch", "concord check")
        try Self.expect(client.run("check", "--json"), "concord check")
        try Self.expect(
            client.run("report", scratch.path("page"), "--json"), "concord report", "concord check")
        let script = CoinTests.query(try #require(CoinTests.sorted.get().last))
        try Self.expect(client.run("utxos", script, "raw(51)", "--json"), "concord utxos")
        try Self.expect(client.run("balance", script, "--json"), "concord balance")
        try Self.expect(client.run("shards", script, "--json"), "concord shards")
        try Self.expect(client.run("history", script, "--json"), "concord history", "concord utxos")
        try Self.expect(
            client.run("wallet", "add", "mine", script, "--network", "regtest", "--new", "--json"),
            "concord wallet")
        try Self.expect(client.run("wallet", "list", "--json"), "concord wallet", hasNetwork: false)
        try Self.expect(client.run("fetch", "--json"), "concord fetch", "concord check")
        try Self.expect(client.run("export", scratch.path("out"), "--json"), "concord export")
        try Self.expect(client.run("verify", sites[0].tree.root, "--json"), "concord verify")
        try Self.expect(client.runAudit(["--json"]), "concord audit", "concord check")
        try Self.expect(
            client.run("mirror", sites[0].url, scratch.path("copy"), "--json"), "concord mirror")

        // With everything that there is to say of a contradiction.
        _ = try sites[2].forgePatch(312)
        let checks = ["concord check", "concord evidence", "concord audit"]
        try Self.expect(client.run("check", "--json"), status: 2, checks[0], checks[1], checks[2])
        try Self.expect(
            client.run("fetch", "--json"), status: 2, "concord fetch", checks[0], checks[1], checks[2])
        let page = try client.run("report", scratch.path("page"), "--json")
        try Self.expect(page, status: 2, "concord report", checks[0], checks[1], checks[2])
        #expect(!page.output.contains(client.home.root))
        let evidence = try #require(try client.check().answer.evidence)
        try Self.expect(client.run("evidence", evidence, "--json"), "concord evidence", "concord audit")
        try Self.expect(
            client.run("utxos", "raw(51)", "--json", "--despite-contradiction"), "concord utxos")
        try Self.expect(
            client.run("export", scratch.path("out"), "--json", "--force", "--despite-contradiction"),
            "concord export")
        try Self.expect(client.runAudit(["--json"]), status: 2, "concord audit", "concord check")
        try sites[0].tree.flip("latest.txt")
        try Self.expect(
            client.run("verify", sites[0].tree.root, "--json"), status: 4, "concord verify")
        try net.forge(1) { $0.minimum = 1 }
        let twice = try client.run("trust", "use", net.url, "--key", net.key, "--json")
        try Self.expect(twice, status: 2, hasNetwork: false)
        let folder = try #require(twice.errors.split(separator: " ").last).trimmingCharacters(in: .newlines)
        try Self.expect(client.run("evidence", folder, "--json"), "concord evidence")
    }

    @Test func everyKeyOfThePublisherIsDocumented() throws {
        var publication = try Publication(.regtestRich, datadir: try Client.node.get())
        publication.name = "alpha"
        let program = try Publication.program()
        let (tree, scratch) = (publication.tree, publication.scratch)
        try Self.expect(
            publication.publish("--level", "1", "--to", "110", "--json"), "concord-publish run")
        try Self.expect(
            program.run("compare", "--tree", tree.root, "file://\(tree.root)", "--json"),
            "concord-publish compare")
        let copy = PlainTree(scratch.path("copy"))
        try tree.link(to: copy.root)
        try copy.flip("authority.txt")
        try Self.expect(
            program.run("compare", "--tree", tree.root, "file://\(copy.root)", "--wait", "0", "--json"),
            status: 4, "concord-publish compare")
        try Self.expect(
            program.run("prune", "--tree", tree.root, "--keep", "2", "--json"), "concord-publish prune",
            "concord mirror")
        try Self.expect(
            program.run("keygen", "--key", scratch.path("new.pem"), "--json"), "concord-publish keygen",
            hasNetwork: false)
        func trustnet(_ words: String...) throws {
            let name = words[0]
            let outcome = try program.run(
                ["trustnet", name, "--folder", scratch.path("net"), "--json"] + words.dropFirst())
            try Self.expect(outcome, "concord-publish trustnet")
        }
        try trustnet("new", "--name", "example", "--network", "regtest", "--key", publication.key)
        try trustnet("add", "alpha", publication.publicKey, "https://a.example")
        try trustnet("add", "bravo", UsageTests.key, "https://b.example")
        try trustnet("retire", "bravo", "--from", "7", "--minimum", "1")
        try trustnet("sign", "--key", publication.key)
        try trustnet("remove", "bravo")
        try trustnet("show")
    }

    /// Whatever ends a command, a program that reads its output is told.
    @Test(
        arguments: [
            (["concord", "check"], 1, "localFailure"), (["concord", "utxos", "raw(51)"], 1, "localFailure"),
            (["concord", "verify", "/nowhere"], 1, "localFailure"),
            (["concord", "evidence", "/nowhere"], 1, "localFailure"),
            (["concord", "fetch", "--heihgt", "3"], 64, "usage"), (["concord", "chekc"], 64, "usage"),
            (["concord", "trust", "remove", "alpha"], 1, "localFailure"),
            (["concord", "mirror", "https://", "x"], 64, "usage"),
            (["concord-publish", "run"], 64, "usage"),
            (["concord-publish", "compare", "--tree", "/nowhere", "file:///nowhere"], 1, "localFailure"),
            (["concord-publish", "keygen", "--key", "/nowhere/key.pem"], 1, "localFailure"),
            (["concord-publish", "trustnet", "show", "--folder", "/nowhere/net"], 1, "localFailure"),
        ])
    func whatFailsIsAnObject(words: [String], status: Int32, kind: String) throws {
        let client = try Client()
        let outcome = try Program.built(words[0]).run(
            words.dropFirst() + ["--json"], environment: ["CONCORD_HOME": client.home.root])
        let error = try outcome.json(Refused.self).error
        #expect(outcome.status == status && error.status == status && error.kind == kind, "\(outcome.said)")
        #expect(!error.message.isEmpty && outcome.errors.contains(error.message), "\(outcome.said)")
    }

    /// Objects are looked at on terminals too; a program reads what was meant.
    @Test func whatNobodySeesIsEscaped() throws {
        let copy = try VerifyTests.Copy()
        let name = "a\u{1b}[2J\u{9b}\u{202e}\u{e0041}é.txt"
        try copy.tree.replace(name, "x")
        let outcome = try Client().run("verify", copy.tree.root, "--json")
        struct Verified: Decodable { let unsigned: [String] }
        #expect(try outcome.json(Verified.self).unsigned == [name])
        #expect(outcome.output.contains("a\\u001b[2J\\u009b\\u202e\\udb40\\udc41é.txt"), "\(outcome.said)")
    }
}
