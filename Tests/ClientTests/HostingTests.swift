import Foundation
import TestSupport
import Testing

/// Real web servers with the configurations that `concord-publish hosting` prints.
@Suite(.waits) struct HostingTests {
    @Test func nginxServesATreeAsItShouldBe() throws {
        let site = try Site(
            #require(PublishedTree.atTip.get().first), directives: HostingRow.printed("nginx"))
        try site.tree.addPages()
        try expectServedByTheTable(site.url, site.tree)
        #expect(try WebAnswer("\(site.url)/").headers["content-type"] == "text/html; charset=utf-8")
        try expectFetched(from: site.url, site)
    }

    @Test func caddyServesATreeAsItShouldBe() throws {
        let site = try Site(#require(PublishedTree.atTip.get().first))
        try site.tree.addPages()
        let server = try CaddyServer(serving: site.tree.root, directives: HostingRow.printed("caddy"))
        try expectServedByTheTable(server.base, site.tree)
        let page = try WebAnswer("\(server.base)/")
        #expect(page.headers["content-type"] == "text/html; charset=utf-8")
        #expect(page.headers["cache-control"] == "public, max-age=10")
        try expectFetched(from: server.base, site)
    }

    /// The tree need not be at the top of its host.
    @Test func aTreeInAFolderIsServedTheSameWay() throws {
        let scratch = try Scratch()
        let tree = PlainTree(scratch.path("www/mirror/alice"))
        try PublishedTree.atTip.get()[0].tree.link(to: tree.root)
        try tree.addPages()
        let web = URL(fileURLWithPath: scratch.path("www"))
        let server = try WebServer(serving: web, directives: HostingRow.printed("nginx"))
        defer { server.stop() }
        try expectServedByTheTable("\(server.base)/mirror/alice", tree)
    }

    @Test func anUnknownFormIsWrongUsage() throws {
        let outcome = try Publication.program().run("hosting", "gopher")
        #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.errors.contains("nginx"))
    }

    private func expectFetched(from url: String, _ site: Site) throws {
        let client = try Client()
        try client.trust(site.name, site.publicKey, url)
        let (status, answer) = try client.check()
        #expect(status == 0 && answer.height == PublishedTree.tip)
        let fetched = try client.fetch()
        #expect(fetched.faults.isEmpty && fetched.agreement.height == PublishedTree.tip)
    }
}
