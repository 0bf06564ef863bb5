import Concord
import Foundation
import TestSupport
import Testing

/// index.html of a published tree.
@Suite(.waits) struct TreePageTests {
    private static func page(_ tree: PlainTree) throws -> String { try tree.text("index.html") }

    /// A tree that ends at a height, on the reference's data directory.
    private static func published(to height: Int, _ more: String...) throws -> Publication {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        let outcome = try Publication.program().run(publication.arguments(["--to", "\(height)"] + more))
        guard outcome.isSuccess else { throw TestError(outcome.errors) }
        return publication
    }

    @Test func itSaysWhatTheTreeSays() throws {
        let publication = try ReferenceTree.of(.regtestRich).publication
        let page = try Self.page(publication.tree)
        let attestation = try #require(publication.tree.attestations()[330]?.last)
        let fields = try publication.tree.fields(attestation)
        let key = try #require(PublicKey(hex: publication.publicKey))
        for words in [publication.publicKey, fields["block"], fields["muhash"], fields["key"], "regtest"] {
            #expect(page.contains(">\(words ?? "?")<"), "\(words ?? "?")")
        }
        #expect(page.contains(key.words.map { "<li>\($0)</li>" }.joined(separator: "\n")))
        #expect(page.contains("datetime=\"\(fields["time"] ?? "?")\""))
        #expect(page.contains("href=\"\(attestation)\"") && page.contains("href=\"\(attestation).sig\""))
        // The newest first, each with its root.
        let roots = try stride(from: 300, through: 0, by: -50).map { height in
            let paths = try #require(publication.tree.attestations()[height])
            return try paths.map { try publication.tree.fields($0)["snapshot"] ?? "?" }
        }
        let shown = page.components(separatedBy: "<span class=\"hex root\">").dropFirst().map {
            $0.prefix(64)
        }
        #expect(shown.count == roots.count)
        for (root, all) in zip(shown, roots) { #expect(all.contains(String(root))) }
        #expect(page.components(separatedBy: "<figure>").count == 3)
    }

    /// Relative links, no scripts, and nothing from anywhere else.
    @Test func itNeedsNothingElse() throws {
        let page = try Self.page(try ReferenceTree.of(.regtestRich).tree)
        for word in ["<script", "javascript:", "@import", "url(", "src=", "<base", "<iframe"] {
            #expect(!page.contains(word), "\(word)")
        }
        let links = page.components(separatedBy: "href=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(links.count > 20)
        for link in links where !link.hasPrefix("data:image/svg+xml,") && !link.hasPrefix("magnet:?xt=urn:") {
            #expect(!link.contains(":") && !link.hasPrefix("/") && !link.contains(".."), "\(link)")
        }
    }

    /// The same tree makes the same page; where it lacks, it comes back.
    @Test func itIsWrittenWhereItDiffers() throws {
        let publication = try Self.published(to: 120)
        let page = try Self.page(publication.tree)
        let look = try publication.tree.look()
        try publication.publish("--to", "120")
        #expect(try publication.tree.look() == look)
        try FileManager.default.removeItem(atPath: publication.tree.path("index.html"))
        try publication.publish("--to", "120")
        #expect(try Self.page(publication.tree) == page)
        try publication.publish("--to", "121")
        #expect(try Self.page(publication.tree).contains("at height 121<"))
        #expect(publication.tree.files().allSatisfy { !$0.contains(".tmp") })
        #expect(!FileManager.default.fileExists(atPath: publication.tree.path(".tmp")))
        let verified = try Program.built("concord").run("verify", publication.tree.root)
        #expect(verified.isSuccess && !verified.output.contains("unsigned"), "\(verified.output)")
    }

    @Test func aNoteCannotBecomeHTML() throws {
        let publication = try Self.published(to: 10, "--note", "</dd><script>\"alert\"&'{{name}}'</script>")
        let page = try Self.page(publication.tree)
        #expect(!page.contains("<script"))
        #expect(
            page.contains(
                "&lt;/dd&gt;&lt;script&gt;&quot;alert&quot;&amp;&#39;{{name}}&#39;&lt;/script&gt;"))
    }

    @Test func anOperatorsTemplate() throws {
        let publication = try Self.published(to: 60)
        let folder = publication.scratch.path("template")
        try publication.scratch.write(
            "{{name}} {{height}} {{#snapshot}}{{height}}{{/snapshot}}\n", to: "template/index.html")
        #expect(try publication.publish("--to", "60", "--template", folder + "/").errors.isEmpty)
        #expect(try Self.page(publication.tree) == "alpha 60 50\n")
        // The files of a tree that cannot be read do not matter to those that can.
        let look = try publication.tree.look()
        try publication.scratch.write("{{nonsense}}", to: "template/index.html")
        let unknown = try publication.run("--to", "61", "--template", folder)
        #expect(
            unknown.isSuccess
                && unknown.errors.hasSuffix(
                    "warning: \(folder)/index.html: asks for the value «nonsense», which the page does "
                        + "not have; the tree's index.html stays as it is\n")
        )
        #expect(try Self.page(publication.tree) == "alpha 60 50\n")
        let missing = try publication.run(
            "--to", "62", "--template", publication.scratch.path("none"), "--json")
        #expect(missing.isSuccess && missing.output.hasPrefix("{"))
        #expect(
            missing.errors.hasPrefix("warning: \(publication.scratch.path("none"))/index.html: cannot open: ")
        )
        #expect(try publication.tree.text("latest.txt").hasPrefix("62 "))
        #expect(try publication.tree.look().differences(from: look).allSatisfy { $0 != "index.html" })
    }

    /// The page is made of files that somebody may have spoiled.
    @Test func aTreeWithGaps() throws {
        let publication = try Self.published(to: 330)
        let tree = publication.tree
        try FileManager.default.removeItem(atPath: tree.path("index.html"))
        for height in [20, 100] {
            for path in tree.attestations()[height] ?? [] {
                try FileManager.default.removeItem(atPath: tree.path(path))
            }
        }
        let shards = tree.files(under: "snapshots").filter {
            $0.contains("/0000200-") && $0.hasSuffix("/00a.zst")
        }
        try FileManager.default.removeItem(atPath: tree.path(try #require(shards.first)))
        let patch = try #require(tree.files(under: "patches").first { $0.contains("/0000030-") })
        try FileManager.default.removeItem(atPath: tree.path(patch))
        let outcome = try publication.run()
        #expect(outcome.isSuccess && outcome.errors.isEmpty, "\(outcome.errors)")
        let rows = try Self.page(tree).components(separatedBy: "<th scope=\"row\">").dropFirst().map {
            $0.prefix { $0 != "<" }
        }
        #expect(rows == ["300", "250", "150", "50", "0"])
        // Of the newest there is no page without its attestation: the run makes a new one.
        try FileManager.default.removeItem(atPath: tree.path("index.html"))
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: tree.path("latest.txt")))
        let mended = try publication.run()
        #expect(mended.isSuccess, "\(mended.errors)")
        #expect(try tree.text("latest.txt").hasPrefix("330 ") && Self.page(tree).contains("at height 330<"))
    }

    /// Of a witness there are neither patches nor snapshots to show.
    @Test func aWitness() throws {
        let publication = try Self.published(to: 120, "--attest-only")
        let page = try Self.page(publication.tree)
        #expect(page.contains("is a witness") && !page.contains("<table") && !page.contains("manifest.txt"))
        #expect(page.components(separatedBy: "<figure>").count == 2)
    }

    @Test func onlyTheGenesisBlock() throws {
        let publication = try Self.published(to: 0)
        #expect(try Self.page(publication.tree).contains("at height 0<"))
        #expect(try publication.run("--to", "0").errors.isEmpty)
    }
}
