import Foundation
import TestSupport
import Testing

/// `concord report`: a page of what `concord check` finds, and of what each authority attests of the last blocks.
@Suite(.waits) struct ReportTests {
    /// A client's report, in a folder of its own.
    struct Page {
        struct Facts: Decodable {
            struct Column: Decodable {
                let height: Int
                let block: String
                let authorities: [Cell]
                var marks: [String] { authorities.map(\.mark) }
            }
            struct Cell: Decodable {
                let name, mark: String
                let otherBlock, attestation: String?
                let fields: [String]?
            }
            let result: String
            let reason, evidence: String?
            let network: String?
            let time: String
            let matrix: [Column]

            func column(_ height: Int) throws -> Column {
                guard let column = matrix.first(where: { $0.height == height }) else {
                    throw TestError("\(height) is not in the matrix")
                }
                return column
            }
        }

        let scratch: Scratch
        let outcome: Program.Outcome
        var folder: PlainTree { PlainTree(scratch.path("page")) }
        var html: String { (try? folder.text("index.html")) ?? "" }
        var url: String { "file://\(folder.path("index.html"))" }
        var facts: Facts {
            get throws { try JSONDecoder().decode(Facts.self, from: Data(folder.read("report.json"))) }
        }

        init(_ client: Client, _ arguments: String...) throws {
            scratch = try Scratch()
            outcome = try client.run(["report", scratch.path("page")] + arguments)
        }

        /// Where its links lead.
        var links: Set<String> {
            Set(html.matches(of: /(?:href|src|action)="([^"]*)"/).map { String($0.1) })
        }

        /// The titles of an authority's squares, oldest first.
        func squares(_ name: String) -> [String] {
            html.matches(of: /<title>([^<]*)<\/title>/).map { String($0.1) }.filter {
                $0.hasPrefix("\(name), height")
            }
        }
    }

    @Test func allAgree() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        client.now = "2099-01-02T03:04:05Z"
        let page = try Page(client, "--json")
        #expect(page.outcome.status == 0 && page.outcome.errors.isEmpty, "\(page.outcome.said)")
        #expect(page.folder.files() == ["index.html", "report.json"])
        // Printed and written is the same, and says what check says.
        #expect(page.outcome.standardOutput == (try page.folder.read("report.json")))
        let said = try JSONSerialization.jsonObject(with: Data(page.outcome.standardOutput)) as? NSDictionary
        let check = try client.succeed("check", "--json")
        let checked = try JSONSerialization.jsonObject(with: Data(check.standardOutput)) as? NSDictionary
        for case (let key as String, let value as NSObject) in try #require(checked)
        where key != "authorities" {
            #expect(said?[key] as? NSObject == value, "\(key)")
        }
        let facts = try page.facts
        #expect(facts.time == "2099-01-02T03:04:05Z" && facts.network == "regtest")
        #expect(facts.matrix.map(\.height) == (307...330).reversed())
        let answers = try ChainFixture.regtestRich.answers()
        for column in facts.matrix {
            #expect(column.block == answers[column.height].block)
            #expect(column.marks == ["agrees", "agrees", "agrees"])
            for (cell, site) in zip(column.authorities, sites) {
                let path = try site.tree.attestation(column.height)
                #expect(
                    cell.attestation == "\(site.url)/\(path)" && page.links.contains("\(site.url)/\(path)"))
            }
        }
        let answer = try check.json(Answer.self)
        for words in [
            "3 of 3 authorities attest one and the same set at height 330; at least 2 must.",
            "2099-01-02 03:04 UTC",
            "network regtest", try #require(answer.block), try #require(answer.muhash),
            "concord trust add alpha \(sites[0].publicKey) &#39;\(sites[0].url)/&#39;", sites[1].publicKey,
        ] {
            #expect(page.html.contains(words), "\(words)")
        }
        #expect(page.squares("bravo").count == 24)
        #expect(page.squares("bravo").last == "bravo, height 330: agrees")
    }

    @Test(arguments: [1, 5, 60]) func asManyHeightsAsAreWanted(count: Int) throws {
        let client = try Client(trusting: try Site.all())
        // With headers and without, over the border of two epochs.
        for headers in [[], ["--headers"]] {
            let scratch = try Scratch()
            let path = scratch.path("page")
            try client.succeed(["report", path, "--heights", "\(count)", "--height", "328"] + headers)
            let facts = try JSONDecoder().decode(
                Page.Facts.self, from: Data(PlainTree(path).read("report.json")))
            #expect(facts.matrix.map(\.height).first ?? 0 >= 328)
            #expect(
                facts.matrix.count == count
                    && facts.matrix.allSatisfy { $0.marks == ["agrees", "agrees", "agrees"] })
        }
    }

    @Test func oneLags() throws {
        let late = try PublishedTree.atTip.get()
        let early = try PublishedTree.fiveBlocksBefore.get()
        let client = try Client(trusting: [try Site(late[0]), try Site(late[1]), try Site(early[2])])
        let page = try Page(client)
        #expect(page.outcome.status == 0, "\(page.outcome.said)")
        for column in try page.facts.matrix {
            #expect(column.marks == ["agrees", "agrees", column.height > 325 ? "lagging" : "agrees"])
        }
        #expect(page.html.contains("2 of 3 authorities attest"))
        #expect(page.html.contains("its newest attestation is 5 blocks below the chosen one"))
        #expect(
            page.squares("charlie").suffix(6).map { $0.hasSuffix("not yet") } == [
                false, true, true, true, true, true,
            ])
    }

    /// A block that only one attests yet is shown as such.
    @Test func oneIsAhead() throws {
        let late = try PublishedTree.atTip.get()
        let early = try PublishedTree.fiveBlocksBefore.get()
        let client = try Client(trusting: [try Site(late[0]), try Site(early[1]), try Site(early[2])])
        let facts = try Page(client).facts
        #expect(facts.result == "agreed" && facts.matrix.first?.height == 330)
        for column in facts.matrix {
            #expect(
                column.marks
                    == (column.height > 325
                        ? ["alone", "lagging", "lagging"] : ["agrees", "agrees", "agrees"]))
        }
    }

    @Test func oneDissents() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[2].lie(at: 330)
        let page = try Page(client)
        #expect(page.outcome.status == 2)
        let facts = try page.facts
        #expect(facts.result == "contradiction")
        #expect(try facts.column(330).marks == ["agrees", "agrees", "differs"])
        #expect(try facts.column(330).authorities[2].fields == ["muhash"])
        #expect(facts.matrix.dropFirst().allSatisfy { $0.marks == ["agrees", "agrees", "agrees"] })
        #expect(
            page.html.contains("different statements about the same block at height 330; charlie differs."))
        #expect(!page.html.contains("attest one and the same set"))
        // The signed files are in the page's folder; where they are at home is nobody's business.
        let evidence = try #require(facts.evidence)
        #expect(evidence.hasPrefix("evidence/0000330-"))
        try DissentTests.expectEvidence(
            in: page.folder.path(evidence), signers: ["alpha", "bravo", "charlie"])
        for file in page.folder.files(under: evidence) { #expect(page.links.contains(file)) }
        #expect(!page.html.contains(client.home.root))
        #expect(!(try page.folder.text("report.json")).contains(client.home.root))
    }

    /// Nobody asked about that height before: the newest block is agreed on, and yet one signed something else below it.
    @Test func oneDissentsBelowTheAgreedBlock() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[0].lie(at: 320)
        #expect(try client.check().status == 0)
        let page = try Page(client)
        #expect(
            page.outcome.status == 2 && page.outcome.output.contains("CONTRADICTION at height 320"),
            "\(page.outcome.said)")
        let facts = try page.facts
        // Once it is seen, the signed files are kept, and no check overlooks it any more.
        #expect(facts.result == "contradiction")
        try DissentTests.expectEvidence(
            in: page.folder.path(try #require(facts.evidence)), signers: ["alpha", "bravo", "charlie"])
        #expect(try client.check().status == 2)
        #expect(try facts.column(320).marks == ["differs", "agrees", "agrees"])
        #expect(try facts.column(319).marks == ["agrees", "agrees", "agrees"])
        #expect(page.html.contains("the same block at height 320; alpha differs."))
    }

    /// What a host does wrong is never laid to the authority.
    @Test func hostsFail() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let absent = try sites[0].tree.attestation(325)
        try sites[0].tree.remove(absent)
        try sites[0].tree.remove("\(absent).sig")
        try sites[1].tree.flip("\(try sites[1].tree.attestation(326)).sig")
        try client.trust("delta", UsageTests.key, "http://127.0.0.1:9")
        let page = try Page(client, "--timeout", "20")
        #expect(page.outcome.status == 0, "\(page.outcome.said)")
        let facts = try page.facts
        #expect(try facts.column(325).marks == ["absent", "agrees", "agrees", "unreachable"])
        #expect(try facts.column(326).marks == ["agrees", "invalid", "agrees", "unreachable"])
        #expect(try facts.column(330).marks == ["agrees", "agrees", "agrees", "unreachable"])
        #expect(facts.matrix.allSatisfy { !$0.marks.contains("differs") })
        #expect(facts.matrix.count == 24)
        #expect(
            page.html.contains("3 of 4 authorities")
                && page.html.contains("127.0.0.1:9/authority.txt could not"))
    }

    @Test func oneKeyIsWithdrawn() throws {
        let sites = try Site.all()
        let net = try TrustnetSite(sites)
        try net.run("retire", "charlie", "--from", "328")
        try net.sign()
        let client = try Client()
        try client.use(net)
        defer { withExtendedLifetime((sites, net)) {} }
        try sites[2].lie(at: 330)
        let page = try Page(client)
        #expect(page.outcome.status == 0, "\(page.outcome.said)")
        for column in try page.facts.matrix {
            #expect(column.marks == ["agrees", "agrees", column.height < 328 ? "agrees" : "withdrawn"])
        }
        // Nobody is told to trust that key.
        #expect(page.html.contains("trust add bravo") && !page.html.contains("trust add charlie"))
    }

    @Test func nobodyCanBeReached() throws {
        let client = try Client()
        try client.trust("delta", UsageTests.key, "http://127.0.0.1:9")
        let page = try Page(client)
        #expect(page.outcome.status == 3 && page.html.contains("No agreement"))
        let facts = try page.facts
        #expect(facts.result == "none" && facts.matrix.isEmpty && facts.network == nil)
    }

    @Test func oneIsOnAnotherBranch() throws {
        let fork = try #require(try BranchTests.forks.get().first)
        let client = try Client(trusting: try BranchTests.sites(fork, others: fork.tipHeight))
        let page = try Page(client, "--height", "\(fork.tipHeight)")
        #expect(page.outcome.status == 3)
        let top = try page.facts.column(fork.tipHeight)
        #expect(
            top.marks == ["agrees", "agrees", "other branch"] && top.authorities[2].otherBlock == fork.tip)
        #expect(try page.facts.column(fork.base).marks == ["agrees", "agrees", "agrees"])
        // Without a height the common block below is agreed on, and what is above it is shown all the same.
        let common = try Page(client)
        #expect(
            common.outcome.status == 0
                && common.html.contains("Above that block their branches differ for now."))
        #expect(try common.facts.column(fork.tipHeight).marks == ["agrees", "agrees", "other branch"])
    }

    // MARK: the folder and the template

    @Test func aPageOfSomebodyElseStays() throws {
        let client = try Client(trusting: try Site.all())
        let scratch = try Scratch()
        try scratch.write("my own page", to: "index.html")
        try scratch.write("mine", to: ".tmp/mine")
        let outcome = try client.run("report", scratch.folder)
        #expect(outcome.status == 1 && outcome.errors.contains("give another folder"), "\(outcome.said)")
        #expect(PlainTree(scratch.folder).files() == [".tmp/mine", "index.html"])
        #expect(try scratch.read("index.html") == Array("my own page".utf8))
    }

    /// The next one takes its place, or if it cannot be made, stays away.
    @Test func aPageIsReplaced() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        let scratch = try Scratch()
        client.now = "2099-01-02T03:04:05Z"
        try client.succeed("report", scratch.path("page"))
        client.now = "2099-01-02T04:04:05Z"
        try client.succeed("report", scratch.path("page"))
        let folder = PlainTree(scratch.path("page"))
        #expect(try folder.text("index.html").contains("2099-01-02 04:04 UTC"))
        let before = try folder.look()
        let template = try scratch.write("{{#matrix}}", to: "template.html")
        #expect(try client.run("report", folder.root, "--template", template).status == 1)
        #expect(try folder.look() == before)
    }

    @Test func anotherTemplate() throws {
        let client = try Client(trusting: try Site.all())
        let scratch = try Scratch()
        let template = try scratch.write(
            "{{verdict}}:{{#agreed}}{{height}}{{/agreed}}{{#authorities}} {{name}}={{verdict}}{{/authorities}}\n",
            to: "template.html")
        try client.succeed("report", scratch.path("page"), "--template", template)
        #expect(
            try String(decoding: scratch.read("page/index.html"), as: UTF8.self)
                == "Agreed:330 alpha=agrees bravo=agrees charlie=agrees\n")
    }

    @Test(arguments: [
        ("{{#matrix}}\nx", "line"), ("one\n{{/agreed}}", "line 2"), ("{{verdict", "line 1"),
        ("\u{FF}", "line"),
    ])
    func aWrongTemplateIsNamed(text: String, place: String) throws {
        let client = try Client(trusting: [])
        let scratch = try Scratch()
        let bytes = text == "\u{FF}" ? [0xff] : Array(text.utf8)
        let template = try scratch.write(bytes, to: "mine.html")
        let outcome = try client.run("report", scratch.path("page"), "--template", template)
        #expect(outcome.status == 1 && outcome.errors.contains("\(template): is no"), "\(outcome.said)")
        #expect(outcome.errors.contains(place) || bytes == [0xff], "\(outcome.said)")
        #expect(!FileManager.default.fileExists(atPath: scratch.path("page")))
        let missing = try client.run("report", scratch.path("page"), "--template", scratch.path("none.html"))
        #expect(missing.status == 1 && missing.errors.contains("none.html"))
    }

    // MARK: hostile words

    /// Notes and URLs come from others: none of them becomes an element, a script or a link to anything but the web.
    static func hostile() throws -> (client: Client, page: Page) {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[0].forge(330) { $0.note = "</li><script>document.title = 'owned'</script><b id=planted>" }
        let port = try #require(sites[1].url.split(separator: ":").last)
        try client.trust("bravo", sites[1].publicKey, "http://someone:secret@127.0.0.1:\(port)")
        try client.trust("charlie", sites[2].publicKey, "file:///nowhere/javascript:alert(1)")
        let path = "a-path-that-goes-on-without-a-place-to-break-it-and-on-and-on-and-on-and-on-and-on-and-on"
        for end in [
            "\"><b id=planted>", "\"\u{301} id=planted onmouseover=alert(1) x=\"\u{301}",
            "'; touch planted; '",
            "\u{202E}live", "javascript:alert(1)",
        ] {
            try client.trust("delta", UsageTests.key, "http://127.0.0.1:9/\(path)/\(end)")
        }
        return (client, try Page(client, "--timeout", "20"))
    }

    @Test func hostileWordsStayWords() throws {
        let (client, page) = try Self.hostile()
        #expect(page.outcome.status == 0, "\(page.outcome.said)")
        #expect(page.html.contains("document.title") && !page.html.contains("<script"))
        #expect(
            !page.html.contains("<b id") && !page.html.contains("\u{202E}") && !page.html.contains("secret"))
        #expect(!(try page.folder.text("report.json")).contains("secret"))
        for link in page.links {
            #expect(
                link.hasPrefix("http://") || ["data:,", "report.json"].contains(link) || link.hasPrefix("#"),
                "\(link)")
        }
        // As a shell reads it, the URL is one word.
        let line = try #require(
            page.html.split(separator: "\n").map(String.init).first {
                $0.contains("concord trust add delta 0")
            }
        )
        let command = line.drop { $0 != "c" }.replacing("&#39;", with: "'").replacing("&quot;", with: "\"")
            .replacing("&lt;", with: "<").replacing("&gt;", with: ">")
        let words = try Program(at: "/bin/sh").run("-c", "concord() { printf '%s\\n' \"$#\"; }; \(command)")
        #expect(words.output == "9\n" && words.errors.isEmpty, "\(command) \(words.said)")

        // Wherever somebody's own template puts them: a quote that a mark combines with is a quote to a browser.
        let scratch = try Scratch()
        let template = try scratch.write(
            "{{#authorities}}{{#reasons}}{{.}}{{/reasons}}{{#places}}{{url}}{{/places}}{{note}}{{/authorities}}",
            to: "template.html")
        try client.succeed("report", scratch.path("page"), "--template", template, "--timeout", "20")
        let bare = String(decoding: try scratch.read("page/index.html"), as: UTF8.self).unicodeScalars
        #expect(bare.count > 100 && !bare.contains { "<>\"'".unicodeScalars.contains($0) })
    }

    // MARK: in a browser

    @Test func inABrowser() throws {
        let (_, page) = try Self.hostile()
        let chromium = try Chromium()
        let elements = try chromium.elements(of: page.url)
        #expect(elements.contains("3 of 4 authorities attest one and the same set at height 330"))
        #expect(elements.contains("<title>Agreed at height 330 – Bitcoin UTXO set</title>"))
        #expect(!elements.contains("id=\"planted\"") && !elements.contains("onmouseover=\""))
        #expect(try chromium.requests(of: page.url) == [])
        for width in [320, 390, 1200] {
            #expect(try chromium.contentWidth(ofFile: page.folder.path("index.html"), at: width) == width)
            for isDark in [false, true] where width != 320 {
                let picture = try chromium.picture(of: page.url, width: width, height: 1600, isDark: isDark)
                #expect(picture.width == width && picture.height == 1600 && picture.isDark == isDark)
                #expect(picture.painted > 0.05 && picture.colors > 50, "\(picture.painted)")
            }
        }
    }

    @Test func aContradictionInABrowser() throws {
        let sites = try Site.all()
        let client = try Client(trusting: sites)
        try sites[2].lie(at: 330)
        let page = try Page(client, "--heights", "60")
        let chromium = try Chromium()
        #expect(try chromium.elements(of: page.url).contains("Do not use this set before that is explained."))
        #expect(try chromium.contentWidth(ofFile: page.folder.path("index.html"), at: 390) == 390)
    }
}
