import Concord
import Foundation
import TestSupport
import Testing

/// index.html as people use it: in a browser, under some path of some host, its links followed and its commands run.
@Suite(.waits) struct PageBrowserTests {
    let scratch: Scratch
    let server: WebServer
    let published: PublishedTree
    let url: String

    init() throws {
        scratch = try Scratch()
        published = try PublishedTree.atTip.get()[0]
        try published.tree.link(to: scratch.path("some/where else/alpha"))
        server = try WebServer(
            serving: URL(fileURLWithPath: scratch.folder), directives: "types { text/html html; }")
        url = server.base + "/some/where%20else/alpha/"
    }

    private var tree: PlainTree { PlainTree(scratch.path("some/where else/alpha")) }

    @Test func everyLinkLeadsSomewhere() throws {
        let browser = try Chromium()
        let page = try browser.elements(of: url)
        let links = page.components(separatedBy: "href=\"").dropFirst().map {
            String($0.prefix { $0 != "\"" })
        }
        let paths = Set(
            links.filter { !$0.hasPrefix("data:") && !$0.hasPrefix("#") && !$0.hasPrefix("magnet:") })
        #expect(
            paths.count > 15
                && paths.isSuperset(of: ["FORMAT.md", "authority.pem", "authority.txt", "latest.txt"]))
        for path in paths.sorted() {
            let answer = try Program.installed("curl").print("-fsS", url + path)
            #expect(try answer == tree.read(path), "\(path)")
        }
        let magnets = links.filter { $0.hasPrefix("magnet:") }.map { $0.replacing("&amp;", with: "&") + "\n" }
        let published = try tree.paths("snapshots", containing: "snapshot.magnet").map { try tree.text($0) }
        #expect(Set(magnets) == Set(published) && paths.contains { $0.hasSuffix("/snapshot.torrent") })
        for link in links where link.hasPrefix("#") { #expect(page.contains("id=\"\(link.dropFirst())\"")) }
        #expect(try browser.requests(of: url).isEmpty)
        // What labels a part is there.
        for part in page.components(separatedBy: "aria-labelledby=\"").dropFirst() {
            #expect(page.contains("<h2 id=\"\(part.prefix { $0 != "\"" })\">"))
        }
    }

    /// The commands of one kind, in the page's order, as somebody copies them.
    private func commands(_ kind: String) throws -> [String] {
        try tree.text("index.html").components(separatedBy: "<pre tabindex=\"0\" class=\"\(kind)\"><code>")
            .dropFirst().map {
                $0.components(separatedBy: "</code>")[0].replacingOccurrences(of: "&lt;", with: "<")
            }
    }

    /// Runs them one after the other in a folder of their own.
    private func run(_ commands: [String]) throws -> Program.Outcome {
        let folder = scratch.path(UUID().uuidString)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let programs = try Program.built("concord").path.split(separator: "/").dropLast().map { "/\($0)" }
            .joined()
        return try Program.installed("sh").run(
            ["-euc", (["TREE=\(url.dropLast())"] + commands).joined(separator: "\n")],
            environment: [
                "CONCORD_HOME": scratch.path("home"),
                "PATH": "\(programs):\(ProcessInfo.processInfo.environment["PATH"] ?? "")",
            ], in: folder)
    }

    @Test func theClientsCommandsFetch() throws {
        #expect(try commands("address") == ["TREE=https://…"])
        let outcome = try run(try commands("client"))
        #expect(outcome.isSuccess, "\(outcome.errors)")
        let words = try #require(PublicKey(hex: published.publicKey)).words.joined(separator: " ")
        #expect(outcome.output.contains("    words: \(words)\n"))
        #expect(outcome.output.contains("height 330"))
        let home = PlainTree(scratch.path("home"))
        #expect(home.files().contains { $0.hasPrefix("set/") || $0.hasPrefix("sets/") }, "\(home.files())")
    }

    @Test func theCommandsByHandFindWhatIsWrong() throws {
        #expect(try commands("script").isEmpty == !tree.files().contains("audit.sh"))
        let script = try run(try commands("script"))
        #expect(script.isSuccess, "\(script.errors)")
        let right = try run(try commands("hand"))
        #expect(right.isSuccess, "\(right.errors)")
        let lines = right.output.split(separator: "\n")
        #expect(lines.first.map(String.init) == published.publicKey)
        #expect(lines.count { $0 == "Verified OK" } == 2)
        let snapshot = try #require(lines.last { $0.hasPrefix("snapshot: ") })
        #expect(lines.last == "manifest: \(snapshot.dropFirst("snapshot: ".count))")
        #expect(right.output.contains("\nheight: 330\n") && snapshot.count == 74)

        let manifest = try #require(
            tree.paths("snapshots", containing: "/0000300-").first { $0.hasSuffix(".txt") })
        let folder = manifest.dropLast("/manifest.txt".count)
        try tree.replace(
            "\(folder)/shards/003.zst", try Program.installed("zstd").print("-cq", input: [1, 2, 3]))
        #expect(try run(try commands("hand")).output.hasSuffix("\nshard 003 is wrong\n"))
        try tree.flip(try tree.attestation(330) + ".sig")
        let forged = try run(try commands("hand"))
        #expect(!forged.isSuccess && !forged.output.contains("Verified OK"), "\(forged.output)")
    }

    /// On a phone and on a screen, by day and by night. Kept in the folder that CONCORD_PICTURES names, if it does.
    @Test(arguments: [390, 1200], [false, true])
    func howItLooks(width: Int, isDark: Bool) throws {
        let browser = try Chromium()
        #expect(try browser.contentWidth(ofFile: tree.path("index.html"), at: width) == width)
        let picture = try browser.picture(
            of: url, width: width, height: width < 500 ? 6400 : 4400, isDark: isDark)
        #expect(picture.isDark == isDark && picture.painted > 0.02 && picture.colors > 100)
        let path = try scratch.write(picture.png, to: "page-\(width)-\(isDark ? "dark" : "light").png")
        if let folder = ProcessInfo.processInfo.environment["CONCORD_PICTURES"] {
            let url = URL(fileURLWithPath: folder).appending(
                path: URL(fileURLWithPath: path).lastPathComponent)
            try Data(picture.png).write(to: url)
        }
        // A camera reads the key off it.
        let read = try Program.installed("zbarimg").print(
            "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path)
        #expect(String(decoding: read, as: UTF8.self) == published.publicKey + "\n")
    }

    @Test func theNarrowestPhone() throws {
        #expect(try Chromium().contentWidth(ofFile: tree.path("index.html"), at: 320) == 320)
    }
}
