import Concord
import Foundation
import TestSupport
import Testing

/// What the program says of itself and of wrong words.
@Suite(.waits) struct UsageTests {
    static let key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    static let otherKey = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"

    @Test(arguments: [
        "", "check", "report", "fetch", "utxos", "balance", "shards", "export", "verify", "audit", "trust",
        "trust add",
        "trust remove",
        "trust list", "trust use", "trust update", "trust drop",
    ])
    func help(command: String) throws {
        let client = try Client()
        let words = command.split(separator: " ").map(String.init)
        let outcome = try client.run(words + ["--help"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        let name = (["concord"] + words).joined(separator: " ")
        #expect(
            outcome.output.hasPrefix("OVERVIEW: ") && outcome.output.contains("USAGE: \(name) "),
            "\(outcome.said)")
        // Nothing is made on the way.
        #expect(!FileManager.default.fileExists(atPath: client.home.root))
    }

    @Test func version() throws {
        let outcome = try Client().run("--version")
        #expect(outcome.status == 0 && outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test(arguments: [
        ["fly"], ["check", "--hight", "3"], ["check", "--height"], ["check", "--height", "x"], ["utxos"],
        ["utxos", "raw(51)", "--range", "2,1"],
        ["utxos", "raw(51)", "--range", "2147483648"], ["utxos", "raw(51)", "--range", "0,1,2"], ["balance"],
        ["shards"], ["shards", "raw(51)", "--shards", "3"], ["shards", "raw(51)", "--count", "2"],
        ["shards", "raw(51)", "--within", "3,"],
        ["verify"],
        ["trust", "add"], ["trust", "add", "alpha"], ["trust", "add", "alpha", key], ["trust", "remove"],
        ["trust", "fly"], ["fetch", "extra"], ["verify", "a", "b"], ["export"], ["export", "a", "b"],
        ["export", "a", "--height", "x"], ["report"], ["report", "a", "--heights", "0"],
        ["report", "a", "b"],
    ])
    func wrongUsage(arguments: [String]) throws {
        let outcome = try Client().run(arguments)
        #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.said)")
        #expect(
            outcome.errors.hasPrefix("Error: ") && outcome.errors.contains("Usage: concord "),
            "\(outcome.said)")
    }

    @Test(
        arguments: [
            (["concord", "chekc"], "`concord` has no command `chekc`. Did you mean `concord check`?"),
            (["concord", "Check"], "Did you mean `concord check`?"),
            (["concord", "utxo", "51"], "Did you mean `concord utxos`?"),
            (["concord", "hepl"], "Did you mean `concord help`?"),
            (["concord", "chekc", "--help"], "Did you mean `concord check`?"),
            (["concord", "trust", "lsit"], "Did you mean `concord trust list`?"),
            (["concord", "nosuch"], "`concord` has no command `nosuch`.\n"),
            (["concord", "help", "nosuch"], "`concord` has no command `nosuch`.\n"),
            (["concord", "help", "trust", "usee"], "Did you mean `concord trust use`?"),
            (["concord", "help", "check", "more"], "`concord check` has no command `more`.\n"),
            (["concord-publish", "keygne"], "Did you mean `concord-publish keygen`?"),
            (["concord-publish", "help", "nosuch"], "`concord-publish` has no command `nosuch`.\n"),
            (["concord-publish", "trustnet", "sing"], "Did you mean `concord-publish trustnet sign`?"),
        ])
    func mistypedCommands(words: [String], answer: String) throws {
        let outcome = try Program.built(words[0]).run(Array(words.dropFirst()))
        #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.said)")
        #expect(outcome.errors.hasPrefix("Error: ") && outcome.errors.contains(answer), "\(outcome.said)")
        #expect(outcome.errors.contains("Usage: \(words[0]) "), "\(outcome.said)")
    }

    @Test(arguments: [["help"], ["help", "check"], ["help", "trust", "add"], ["trust", "help"]])
    func helpOfCommandsThatThereAre(words: [String]) throws {
        let outcome = try Client().run(words)
        #expect(
            outcome.output.contains("USAGE: concord ") == (words != ["trust", "help"]), "\(outcome.said)")
    }

    /// All output goes through the one function that sees whether it arrives.
    @Test func nothingPrintsByItself() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let sources = PlainTree(root.appending(path: "Sources").path)
        let files = sources.files().filter { $0.hasSuffix(".swift") }
        #expect(files.count > 100)
        for file in files {
            let text = try sources.text(file)
            for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                #expect(
                    line.firstMatch(
                        of:
                            /(^|[^.\w])(print|debugPrint|puts|fputs|printf|fprintf|putchar)\(|FileHandle|standardOutput\b/
                    ) == nil || line.contains("func print("), "\(file): \(line)")
            }
        }
    }

    @Test func withoutAuthoritiesThereIsAWayOn() throws {
        let client = try Client()
        #expect(
            try client.succeed("trust", "list").output
                == "no authorities yet: add some with «concord trust add NAME KEY URL»\n")
        for command in ["check", "fetch"] {
            let outcome = try client.run(command)
            #expect(outcome.status == 1 && outcome.output.isEmpty)
            #expect(
                outcome.errors.contains(
                    "no authorities are known in \(client.home.root): add some with `concord trust add NAME KEY URL`, or use a trustnet"
                ))
        }
        let outcome = try client.run("utxos", "raw(51)")
        #expect(
            outcome.status == 1
                && outcome.errors == "error: nothing was fetched yet: run `concord fetch` first\n")
    }

    private static func words(_ key: String) throws -> String {
        try #require(PublicKey(hex: key)).words.joined(separator: " ")
    }

    @Test func trust() throws {
        let client = try Client()
        let added = try client.succeed(
            "trust", "add", "alpha", Self.key, "http://a.example/tree/", "file:///srv/a")
        #expect(added.output == "added alpha. 1 authority, 1 must attest a block, none may differ\n")
        // The same key in capitals, another URL and one that is known.
        try client.succeed(
            "trust", "add", "alpha", Self.key.uppercased(), "https://b.example", "http://a.example/tree")
        try client.succeed("trust", "add", "bravo", Self.otherKey, "https://c.example")
        #expect(
            try client.succeed("trust", "list").output == """
                alpha  \(Self.key)
                    words: artist hideaway erase pharmacy exceed disbelief buzzard sociable breakup indigo
                    http://a.example/tree
                    file:///srv/a
                    https://b.example
                bravo  \(Self.otherKey)
                    words: \(try Self.words(Self.otherKey))
                    https://c.example

                """)
        let entries = try client.trusted().authorities
        #expect(entries.map(\.name) == ["alpha", "bravo"] && entries[0].urls.count == 3)

        let gone = try client.succeed("trust", "remove", "alpha")
        #expect(gone.output == "removed alpha, 1 left\n")
        let again = try client.run("trust", "remove", "alpha")
        #expect(
            again.status == 1
                && again.errors == "error: there is no `alpha` in the list: see `concord trust list`\n")
        // A name that is free again may have another key.
        try client.succeed("trust", "add", "alpha", Self.key, "https://d.example")
    }

    /// Somebody edited it: what is wrong with it, and what helps, for no command can put it right.
    @Test(arguments: [
        ("{", "it is no JSON, or of another form"), ("[]", "it is no JSON, or of another form"),
        (
            "{\"authorities\": [{\"name\": \"a\", \"key\": \"00\", \"urls\": []}]}",
            "`00`, of `a`, is no public key"
        ),
        (
            "{\"authorities\": [KEY, OTHER]}", "`a` is in it with two keys"
        ),
    ])
    func aListThatCannotBeRead(text: String, words: String) throws {
        let client = try Client()
        let entry = { (key: String) in
            "{\"name\": \"a\", \"key\": \"\(key)\", \"urls\": [\"https://a.example\"]}"
        }
        let text = text.replacing("KEY", with: entry(Self.key)).replacing("OTHER", with: entry(Self.otherKey))
        try client.home.replace("trust.json", text)
        for command in [["trust", "list"], ["check"], ["check", "--watch"]] {
            let outcome = try client.run(command)
            #expect(
                outcome.status == 1
                    && outcome.errors.hasSuffix(
                        "trust.json: is not a list of authorities: \(words). Mend it, or move it away and add the "
                            + "authorities again\n"),
                "\(outcome.said)")
        }
    }

    @Test func tooFewForTheMinimum() throws {
        let client = try Client()
        try client.trust("alpha", Self.key, "https://a.example")
        let outcome = try client.run("check", "--minimum", "2")
        #expect(
            outcome.status == 64
                && outcome.errors.hasPrefix("error: only 1 authority counts, and at least 2 must agree: "),
            "\(outcome.said)")
    }

    @Test(arguments: [
        (
            ["copy", key, "https://c.example"],
            "this key is in the list as `alpha`: one authority must not count twice"
        ),
        (["alpha", otherKey, "https://c.example"], "`alpha` is in the list with another key, \(key)"),
        (["bravo", otherKey, "ftp://c.example"], "`ftp://c.example` is no URL of a tree"),
        (["bravo", otherKey, "c.example"], "`c.example` is no URL of a tree"),
        (["bravo", otherKey, "/srv/tree"], "`/srv/tree` is no URL of a tree"),
        (["bravo", otherKey, ""], "`` is no URL of a tree"),
        (["bravo", otherKey, "https://c.example/?a=b"], "is no URL of a tree"),
        (["bravo", otherKey, "ftp://bob:secret@c.example"], "`ftp://bob@c.example/` is no URL of a tree"),
        (
            ["bravo", otherKey, "https://bob:secret@c.example/?a"],
            "`https://bob@c.example/?a` is no URL of a tree: one begins with"
        ),
        (["bravo", otherKey, "http://"], "is no URL of a tree"),
        (["bravo", otherKey, "https://c.example", "https://c example/\n"], "is no URL of a tree"),
        (["bravo", "02" + String(repeating: "0", count: 64), "https://c.example"], "is no public key"),
        (["bravo", "04" + String(otherKey.dropFirst(2)), "https://c.example"], "is no public key"),
        (["bravo", "02c604", "https://c.example"], "is no public key"),
        (["bravo!", otherKey, "https://c.example"], "«bravo!» is no name"),
        ([".bravo", otherKey, "https://c.example"], "«.bravo» is no name"),
        (["", otherKey, "https://c.example"], "«» is no name"),
    ])
    func refusedAuthorities(arguments: [String], words: String) throws {
        let client = try Client()
        try client.trust("alpha", Self.key, "https://a.example")
        let before = try client.home.read("trust.json")
        let outcome = try client.run(["trust", "add"] + arguments)
        #expect(
            outcome.status == 64 && outcome.output.isEmpty && outcome.errors.contains(words),
            "\(outcome.said)")
        #expect(try client.home.read("trust.json") == before)
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"authorities\": 3}",
        "{\"authorities\": [{\"name\": \"a\", \"key\": \"00\", \"urls\": []}]}",
    ])
    func aDamagedList(text: String) throws {
        let client = try Client()
        try client.home.replace("trust.json", text)
        let outcome = try client.run("check")
        #expect(
            outcome.status == 1 && outcome.errors.contains(client.home.path("trust.json")), "\(outcome.said)")
        #expect(try client.home.text("trust.json") == text)
    }

    /// Whoever signs another network, epoch or number of shards than most others is of no use, and stops nobody.
    @Test func anotherKindThanMost() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[2].forge(330) { $0.statement.network = .signet }
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.verdicts == ["agrees", "agrees", "invalid"])
        let outcome = try client.succeed("check")
        #expect(
            outcome.output.contains(
                "charlie: it attests another kind of tree than the others of the list: what it signed is in "
                    + client.home.path("evidence/other-tree-charlie")), "\(outcome.said)")
        #expect(client.home.files(under: "evidence").count { $0.contains("other-tree-charlie-") } == 3)
        try client.fetch()
        // Its host is honest again.
        try sites[2].serve(try PublishedTree.atTip.get()[2])
        #expect(try client.check().answer.verdicts == ["agrees", "agrees", "agrees"])
    }

    /// Trees of two networks, or partitioned in two ways, are not comparable; nothing about that is a contradiction.
    @Test func oneKindAgainstAnother() throws {
        let sites = [try Site(PublishedTree.atTip.get()[0]), try Site(PublishedTree.atTip.get()[2])]
        let client = try Client(trusting: sites)
        try sites[1].forge(330) { $0.statement.network = .signet }
        let outcome = try client.run("check")
        #expect(outcome.status == 3 && outcome.output.isEmpty)
        #expect(
            outcome.errors
                == "error: `alpha` attests regtest with 16 shards and epochs of 50 blocks, `charlie` signet with "
                + "16 shards and epochs of 50 blocks: authorities of one list must be of one kind. Remove one with "
                + "`concord trust remove`, or use another --home for it\n")
        #expect(try client.run("fetch").status == 3)
        #expect(!client.isInstalled)
        try client.succeed("trust", "remove", "charlie")
        #expect(try client.check("--minimum", "1").status == 0)
    }

    @Test func homeIsAnOptionToo() throws {
        let client = try Client()
        let other = client.scratch.path("a/b/other home")
        try client.succeed("trust", "add", "alpha", Self.key, "https://a.example", "--home", other)
        #expect(FileManager.default.fileExists(atPath: "\(other)/trust.json"))
        #expect(!FileManager.default.fileExists(atPath: client.home.root))
    }

    /// Whoever can write there could add authorities.
    @Test(arguments: [["trust", "list"], ["check"], ["fetch"], ["utxos", "raw(51)"]])
    func aHomeForEverybodyToWrite(command: [String]) throws {
        let client = try Client()
        try client.trust("alpha", Self.key, "https://a.example")
        #expect(chmod(client.home.root, 0o777) == 0)
        let outcome = try client.run(command + ["--json"])
        let error = try outcome.json(Refused.self).error
        #expect(outcome.status == 1 && error.kind == "localFailure", "\(outcome.said)")
        #expect(error.message.contains("run `chmod o-w \(client.home.root)`"), "\(outcome.said)")
        #expect(chmod(client.home.root, 0o755) == 0)
        try client.succeed("trust", "list")
    }

    @Test func badHeightsAndScripts() throws {
        let client = try Client(trusting: try Site.all())
        for height in ["-1", "10000000"] {
            let outcome = try client.run("check", "--height=\(height)")
            #expect(
                outcome.status == 64 && outcome.errors.contains("--height is a height from 0 to 9999999"),
                "\(outcome.said)")
        }
        try client.fetch("--shards", "3")
        // No hex, an odd number of digits, a checksum that is wrong, an address of another network.
        for (text, said) in [
            ("xyz", "is no address"), ("517", "is no address"),
            ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081", "is no address"),
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "is an address of main, not of regtest"),
        ] {
            let outcome = try client.run("utxos", text)
            #expect(
                outcome.status == 64 && outcome.errors.contains("the argument")
                    && outcome.errors.contains(said), "\(outcome.said)")
        }
        let outcome = try client.run("utxos", "--network", "main", "raw(51)")
        #expect(outcome.status == 1)
    }
}
