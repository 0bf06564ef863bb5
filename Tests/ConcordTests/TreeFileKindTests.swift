import Foundation
import Testing

@testable import Concord

/// The table that uploads and web servers are configured from.
@Suite struct TreeFileKindTests {
    @Test func itSaysWhatTheFormatSays() throws {
        let rows = try FormatDocument().lines.drop { $0 != "## Layout" }
            .drop { !$0.hasPrefix("|---") }.dropFirst().prefix { $0.hasPrefix("|") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: [" ", "`"]) } }
        #expect(rows.count >= 10)
        for row in rows {
            let kind = try #require(TreeFileKind.all.first { $0.pattern == row[0] }, "\(row[0])")
            #expect(kind.contentType == row[1], "\(row[0])")
            #expect((kind.isImmutable ? "immutable" : "changes") == row[2], "\(row[0])")
        }
        #expect(Set(TreeFileKind.all.map(\.pattern)).count == TreeFileKind.all.count)
    }

    /// Every path that a tree has is of one kind, wherever the tree is on its host.
    @Test func pathsAreOfOneKind() throws {
        let (block, parameters) = (TreePathTests.block, TreePathTests.parameters)
        let attestation = TreePath.attestation(block, parameters)
        let paths = [
            TreePath.muhashes(block, parameters), TreePath.patch(block, parameters),
            TreePath.changes(block, span: 10, parameters), TreePath.filter(1023, of: block),
            TreePath.shard(1023, of: block), TreePath.manifest(block),
            TreePath.torrent(block), TreePath.magnet(block), TreePath.signature(attestation),
            attestation,
            TreePath.headers(epochOf: block.height, parameters), TreePath.authority, TreePath.authorityPEM,
            "FORMAT.md", "audit.sh", "index.html", TreePath.latest,
        ]
        for (path, expected) in zip(paths, TreeFileKind.all) {
            for prefix in ["/", "/mirror/alice/"] {
                #expect(try kinds(of: prefix + path) == [expected], "\(path)")
            }
            #expect(fnmatch(expected.glob, path, FNM_PATHNAME) == 0, "\(path)")
            #expect(try kinds(of: "/\(path)x") == [] && kinds(of: "/x\(path)") == [])
        }
        #expect(paths.count == TreeFileKind.all.count)
        // A dot is a dot.
        #expect(try kinds(of: "/latestxtxt") == [])
        #expect(try kinds(of: "/alice/").map(\.pattern) == ["index.html"])
    }

    private func kinds(of path: String) throws -> [TreeFileKind] {
        try TreeFileKind.all.filter { try Regex($0.expression).firstMatch(in: path) != nil }
    }

    /// What has a block hash in its name is immutable, and comes before what points to it.
    @Test func whatPointsComesLater() {
        let stages = TreeFileKind.Stage.allCases
        let order = TreeFileKind.all.map { stages.firstIndex(of: $0.stage)! }
        #expect(order == order.sorted())
        #expect(TreeFileKind.all.last?.pattern == TreePath.latest && stages.last == .hint)
        #expect(TreeFileKind.all.filter { $0.stage == .hint }.count == 1)
        for kind in TreeFileKind.all where kind.pattern.contains("BLOCK") {
            #expect(kind.isImmutable || kind.pattern.contains("/snapshot."))
            #expect(kind.stage == .data || kind.pattern.hasPrefix("attestations/"))
        }
    }

    @Test func cachesKeepFilesAsLongAsTheyMay() throws {
        let controls = Set(TreeFileKind.all.map(\.cacheControl))
        #expect(
            controls == ["public, max-age=31536000, immutable", "public, max-age=10", "public, no-cache"])
        // A header file in a cache may not end before a hint in it.
        let headers = try #require(TreeFileKind.all.first { $0.stage == .headers })
        #expect(headers.cacheControl == "public, no-cache")
    }
}
