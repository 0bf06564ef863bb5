import Foundation
import TestSupport
import Testing

/// Hosts of the real world: stingy, slow, or silent about what they do not have. The same over made-up time, and much more of
/// it, is in ConcordClientTests.
@Suite(.waits) struct RealHostTests {
    /// Ten requests a second, and twenty at once (`limit_req`), as an operator sets it; what is above is refused.
    private static func limited(_ status: Int, retryAfter: String = "") -> String {
        """
        limit_req zone=all burst=20 nodelay;
        limit_req_status \(status);
        \(retryAfter.isEmpty ? "" : "error_page \(status) @busy; location @busy { add_header Retry-After \(retryAfter) always; return \(status); }")
        """
    }

    private static func zone(_ rate: Int) -> String {
        "limit_req_zone $server_port zone=all:1m rate=\(rate)r/s;"
    }

    /// How often each of these hosts was asked.
    private func asked(_ sites: [Site]) -> Int { sites.map(\.server.requests.count).reduce(0, +) }

    @Test(arguments: [(429, ""), (503, ""), (429, "1")])
    func aRateLimitIsKept(status: Int, retryAfter: String) throws {
        let free = try Site.all()
        try Client(trusting: free).fetch()
        let sites = try Site.all(
            directives: Self.limited(status, retryAfter: retryAfter), http: Self.zone(10))
        let outcome = try Client(trusting: sites).run("fetch")
        #expect(outcome.isSuccess, "\(outcome.said)")
        #expect(asked(sites) <= asked(free) * 3 / 2, "\(asked(sites)) for \(asked(free)) requests")
    }

    @Test func aMirrorKeepsARateLimit() throws {
        let free = try Site(PublishedTree.atTip.get()[0])
        let client = try Client(trusting: [])
        let scratch = try Scratch()
        try client.succeed("mirror", free.url, scratch.path("free"), "--attestations-only")
        let site = try Site(PublishedTree.atTip.get()[0], directives: Self.limited(429), http: Self.zone(40))
        try client.succeed("mirror", site.url, scratch.path("limited"), "--attestations-only")
        #expect(asked([site]) <= asked([free]) * 3 / 2, "\(asked([site])) for \(asked([free])) requests")
    }

    /// A host that gives a file at 1.1 kB/s, which takes as long as the others need for all the rest.
    @Test func aSlowHostDoesNotHoldTheOthersUp() throws {
        func time(_ sites: [Site]) throws -> Duration {
            let client = try Client(trusting: sites)
            let start = ContinuousClock.now
            try client.fetch()
            return ContinuousClock.now - start
        }
        let trees = try PublishedTree.atTip.get()
        let fast = "limit_rate 100k; limit_rate_after 0;"
        let two = try time(try trees.prefix(2).map { try Site($0, directives: fast) })
        let three = try time(
            try trees.prefix(2).map { try Site($0, directives: fast) } + [
                try Site(
                    trees[2],
                    directives: "location ~ zst$ { limit_rate 22k; limit_rate_after 0; }")
            ])
        #expect(three <= two * 3 / 2 + .seconds(3), "\(three) for \(two)")
    }

    /// What some hosts say of a file that is not there.
    @Test(arguments: [
        "error_page 404 =403 /.forbidden; location = /.forbidden { return 403; }",
        "error_page 404 =200 /.page; location = /.page { return 200 '<!DOCTYPE html><title>Nothing here</title>'; }",
    ])
    func aMirrorOfAPrunedTree(directives: String) throws {
        let site = try Site(PublishedTree.atTip.get()[0], directives: directives)
        for folder in ["snapshots", "patches"] {
            for path in site.tree.files(under: folder) where !path.contains("/0000300") {
                try site.tree.remove(path)
            }
        }
        let scratch = try Scratch()
        try Client(trusting: []).succeed("mirror", site.url, scratch.path("copy"))
        #expect(!PlainTree(scratch.path("copy")).files(under: "patches").isEmpty)
        // A witness has no data at all.
        for folder in ["snapshots", "patches"] {
            for path in site.tree.files(under: folder) { try site.tree.remove(path) }
        }
        try Client(trusting: []).succeed("mirror", site.url, scratch.path("witness"))
        #expect(PlainTree(scratch.path("witness")).files(under: "patches").isEmpty)
    }
}
