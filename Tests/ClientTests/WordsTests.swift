import Foundation
import TestSupport
import Testing

/// What a person reads of a verdict.
@Suite(.waits) struct WordsTests {
    private static func terminal(_ client: Client, _ words: String) throws -> String {
        try Program.installed("script").run(
            ["-qec", "'\(try Client.program().path)' \(words) --home '\(client.home.root)'", "/dev/null"],
            environment: ["TERM": "xterm", "NO_COLOR": ""]
        ).output
    }

    private static let green = "\u{1b}[32m"
    private static let yellow = "\u{1b}[33m"

    /// Nobody agrees with one alone: a warning, no green, and all the same no failure.
    @Test func oneAuthorityIsNobodysAgreement() throws {
        let sites = try Site.all()
        let client = try Client(trusting: [sites[0]])
        let words = "one authority alone attests this"
        let outcome = try client.succeed("check")
        #expect(
            outcome.output.hasPrefix("warning: \(words)")
                && outcome.output.contains("attested by 1 of 1 (at least 1 needed)"),
            "\(outcome.said)")
        #expect(try client.check().answer.warnings.contains { $0.hasPrefix(words) })
        let shown = try Self.terminal(client, "check")
        #expect(!shown.contains(Self.green) && shown.contains(Self.yellow), "\(shown)")
        try client.fetch()
        #expect(try client.succeed("utxos", "raw(51)").output.contains("attested by alpha alone\n"))
        let page = client.scratch.path("page")
        try client.succeed("report", page)
        #expect(try PlainTree(page).text("index.html").contains("One authority alone attests this"))
        // With a second one they are two.
        try client.trust(sites[1])
        #expect(try client.check().answer.warnings.isEmpty)
        #expect(try Self.terminal(client, "check").contains("\(Self.green)agreed by 2 of 2"))
        try client.fetch()
        #expect(try client.succeed("utxos", "raw(51)").output.contains("agreed by alpha, bravo\n"))
    }

    @Test func theNetworkIsNamed() throws {
        let client = try Client(trusting: try Site.all())
        #expect(try client.succeed("check").output.contains("\nnetwork regtest\n"))
        #expect(try client.check().answer.network == "regtest")
        #expect(try client.succeed("fetch").output.contains("\nnetwork regtest\n"))
        let coins = try client.succeed("utxos", "raw(51)").output
        #expect(coins.hasPrefix("at height 330 of regtest, block "), "\(coins)")
        let none = try client.run("check", "--height", "9000")
        #expect(none.status == 3 && none.output.contains("no agreement on regtest: "), "\(none.said)")
    }

    /// The URL is right, and the key was mistyped or taken from the wrong place.
    @Test func aWrongKeyOnARightURL() throws {
        let sites = try Site.all()
        let client = try Client(trusting: [sites[0], sites[1]])
        try client.trust("charlie", UsageTests.key, sites[2].url)
        client.keep(sites[2])
        let outcome = try client.run("check")
        #expect(outcome.status == 0, "\(outcome.said)")
        let line = try #require(
            outcome.output.split(separator: "\n").first { $0.hasPrefix("charlie: ") }, "\(outcome.said)")
        for words in ["the tree of another key", "the key in your list may be wrong", "charlie"] {
            #expect(line.contains(words), "\(line)")
        }
        // Which one it is says the line below; it is not called the right one.
        #expect(outcome.output.contains("is the tree of the key \(sites[2].publicKey), not of"))
        #expect(!line.contains("is not what its key signed"))
    }

    @Test func nothingNewIsOneLine() throws {
        let client = try Client(trusting: try Site.all())
        #expect(try client.succeed("fetch").output.contains("\nfetched 16 shards, 3 deltas, "))
        let again = try client.succeed("fetch").output.split(separator: "\n").map(String.init)
        #expect(
            again.last == "nothing new: what this set needs was in \(client.set.root) already", "\(again)")
        #expect(!again.contains { $0.hasPrefix("fetched") })
    }

    /// A block is there for some before it is for others.
    @Test func oneBlockBehindIsNoFault() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let block = try ChainFixture.regtestRich.answers()[329].block
        try sites[2].tree.replace("latest.txt", "329 \(block)\n")
        let outcome = try client.succeed("check")
        let lines = outcome.output.split(separator: "\n")
        #expect(
            lines.contains("charlie: one block behind, as it may be for minutes after each block"),
            "\(outcome.said)")
        #expect(!outcome.output.contains("Next: "))
        let shown = try Self.terminal(client, "check").split(separator: "\r\n")
        #expect(shown.contains { $0.prefixMatch(of: /charlie +lagging/) != nil }, "\(shown)")
    }

    /// What is shown can be pasted: digits alone, amounts in bitcoin.
    @Test func numbersCanBePasted() throws {
        let client = try Client(trusting: try Site.all())
        let tip = try ChainFixture.regtestRich.answers()[330]
        let amount = try #require(Double(tip.amount)) / 1e8
        let texts = [
            try client.succeed("check", "--headers").output, try client.succeed("fetch").output,
            try client.succeed("utxos", "raw(51)").output,
        ]
        for text in texts { #expect(!text.unicodeScalars.contains("\u{a0}"), "\(text)") }
        #expect(texts[0].contains("\namount  \(String(format: "%.8f", amount)) BTC\n"), "\(texts[0])")
        #expect(texts[2].contains(/: \d+ coins?, \d+\.\d{8} BTC\n/), "\(texts[2])")
        for page in try [client.page(), PublishedTree.atTip.get()[0].tree.text("index.html")] {
            #expect(!page.contains("\u{a0}") && !page.contains("&nbsp;"))
        }
    }

    // MARK: this machine's clock

    /// Where everybody is ahead, nobody is to blame but the clock here.
    @Test(arguments: ["2001-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]) func aClockThatIsBehind(now: String)
        throws
    {
        let client = try Client(trusting: try Site.all())
        client.now = now
        for command in ["check", "fetch"] {
            let outcome = try client.run(command)
            #expect(outcome.status == 3, "\(outcome.said)")
            #expect(
                outcome.output.hasPrefix(
                    "warning: this machine's clock says \(now), and the newest attestations of all that could"
                ),
                "\(outcome.said)")
            #expect(!outcome.output.contains("is not what its key signed"))
            #expect(
                outcome.output.contains(
                    "alpha: its newest attestation is of a later time than this machine's clock says"))
        }
        let (status, answer) = try client.check()
        #expect(status == 3 && answer.warnings.first?.hasPrefix("this machine's clock") == true)
        #expect(answer.error?.message.hasPrefix("this machine's clock says \(now)") == true)
        let audit = try client.runAudit([])
        #expect(audit.errors.hasPrefix("error: this machine's clock says \(now)"), "\(audit.said)")
    }

    /// Nor where everybody is too old to count.
    @Test func aClockThatIsAhead() throws {
        let client = try Client(trusting: try Site.all())
        client.now = "2099-01-01T00:00:00Z"
        let outcome = try client.run("check", "--max-age", "24")
        #expect(outcome.status == 3, "\(outcome.said)")
        #expect(
            outcome.output.hasPrefix(
                "warning: this machine's clock says 2099-01-01T00:00:00Z, and the newest attestation of all that "
            ),
            "\(outcome.said)")
        #expect(outcome.output.contains("if the clock is ahead, set it"), "\(outcome.said)")
    }

    /// One that is ahead is not everybody, where the others cannot be heard.
    @Test func theOnlyOneThatIsHeard() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[2].forge(330) { $0.time += 100_000 }
        for site in sites.dropLast() { site.server.stop() }
        let outcome = try client.run("check")
        #expect(
            outcome.status == 3 && !(outcome.output + outcome.errors).contains("set the clock"),
            "\(outcome.said)")
    }

    /// One of three that is ahead has itself to blame.
    @Test func anAuthorityThatIsAhead() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[2].forge(330) { $0.time += 100_000 }
        let outcome = try client.succeed("check")
        #expect(!outcome.output.contains("warning: "), "\(outcome.said)")
        #expect(
            outcome.output.contains(
                "charlie: its newest attestation is of a later time than this machine's clock says"))
    }

    /// The attestations could be of now, the headers cannot.
    @Test func headersThatAreAhead() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        client.now = "2001-01-01T00:00:00Z"
        for site in sites { try site.forge(330) { $0.time = 978_307_200 } }
        let outcome = try client.run("check", "--headers")
        #expect(outcome.status == 4, "\(outcome.said)")
        let words = "this machine's clock says 2001-01-01T00:00:00Z, and the network's headers go on to"
        #expect(outcome.output.hasPrefix("warning: \(words)"), "\(outcome.said)")
        #expect(outcome.errors.hasPrefix("error: \(words)"), "\(outcome.said)")
    }

    // MARK: what others wrote

    private static let hostile = "x\u{1b}[2J\u{202e}\u{9b}y"
    private static let shown = "x\\u{1B}[2J\\u{202E}\\u{9B}y"

    private static func expectShown(_ outcome: Program.Outcome, status: Int32) {
        #expect(outcome.status == status, "\(outcome.said)")
        #expect((outcome.output + outcome.errors).contains(shown), "\(outcome.said)")
        for scalar in ["\u{1b}", "\u{202e}", "\u{9b}"] as [Unicode.Scalar] {
            #expect(!(outcome.output + outcome.errors).unicodeScalars.contains(scalar), "\(outcome.said)")
        }
    }

    @Test func namesOfFilesDoNothingToATerminal() throws {
        let copy = try VerifyTests.Copy()
        try copy.tree.replace("\(Self.hostile).txt", "x")
        Self.expectShown(try copy.verify(), status: 0)
        // A folder that a signed file's name leads to.
        try FileManager.default.moveItem(
            atPath: copy.tree.root, toPath: copy.scratch.path(Self.hostile))
        let moved = PlainTree(copy.scratch.path(Self.hostile))
        try moved.flip("authority.pem")
        Self.expectShown(try Client.program().run("verify", moved.root), status: 4)
        try moved.remove("authority.txt")
        Self.expectShown(try Client.program().run("verify", moved.root), status: 1)
        let client = try Client()
        Self.expectShown(try client.run("evidence", moved.root), status: 4)
        Self.expectShown(
            try client.run("mirror", "https://a.example", moved.root, "--key", UsageTests.key), status: 1)
        Self.expectShown(try client.run("trust", "add", Self.hostile, "02", "x"), status: 64)
        Self.expectShown(try client.run("check", Self.hostile), status: 64)
        Self.expectShown(try client.run("audit", "--datadir", "/x", "--network", Self.hostile), status: 64)
    }

    // MARK: claims

    /// A name in a folder of evidence is what whoever made it wrote there.
    @Test func aNameThatNobodyVouchesForIsAClaim() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[2].lie(at: 330)
        let folder = PlainTree(try #require(try client.check().answer.evidence))
        // Here the list knows the keys.
        let own = try client.succeed("evidence", folder.root).output
        #expect(own.contains("signed by charlie, key \(sites[2].publicKey) at "), "\(own)")
        #expect(!own.contains("Names in quotes are claims"))
        // What goes to others makes no claim of its own, whatever the files are called.
        let account = try folder.text("account.txt")
        #expect(account.contains("signed by the key \(sites[2].publicKey), which signs as \"charlie\" at "))
        for file in folder.files() where file.hasPrefix("charlie-") {
            let name = file.replacing("charlie", with: "c\u{202e}arol")
            try folder.replace(name, try folder.read(file))
            try folder.remove(file)
        }
        let outcome = try Client().succeed("evidence", folder.root)
        let words =
            "signed by the key \(sites[2].publicKey), which signs as \"charlie\" and is \"c\\u{202E}arol\" by the file's name,"
        #expect(outcome.output.contains(words), "\(outcome.said)")
        #expect(outcome.output.contains("Names in quotes are claims: nobody vouches for them here"))
        #expect(outcome.output.contains("key \(sites[2].publicKey.prefix(10))… (\"c\\u{202E}arol\") differ"))
    }
}

extension Client {
    /// What `report` makes, as it is.
    fileprivate func page() throws -> String {
        try succeed("report", scratch.path("a page"))
        return try PlainTree(scratch.path("a page")).text("index.html")
    }
}
