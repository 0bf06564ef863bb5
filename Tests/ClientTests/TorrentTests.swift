import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A snapshot that came by its torrent, by web seeds alone or by peers alone, is the snapshot.
@Suite(.waits) struct TorrentTests {
    /// A tree that names the server it is on as its web seed.
    struct Served {
        let publication: Publication
        let server: WebServer
        let snapshot: String
        var tree: PlainTree { publication.tree }
        var torrent: String { tree.path("\(snapshot)/snapshot.torrent") }
        /// Where a client puts what it downloads.
        let downloads: PlainTree

        init() throws {
            publication = try Publication(.regtestRich)
            server = try WebServer(serving: URL(fileURLWithPath: publication.tree.root))
            try publication.publish("--web-seed", server.base)
            let manifest = try #require(
                publication.tree.paths("snapshots/", containing: "/0000300-").first {
                    $0.hasSuffix("manifest.txt")
                })
            snapshot = String(manifest.dropLast("/manifest.txt".count))
            downloads = PlainTree(publication.scratch.path("downloads"))
            try FileManager.default.createDirectory(
                atPath: downloads.root, withIntermediateDirectories: true)
        }

        /// Puts what was downloaded in the place of the snapshot, and holds the tree to its signatures.
        func expectDownloaded() throws {
            let files = tree.files(under: snapshot).filter { !$0.contains("/snapshot.") }
            let name = String(snapshot.dropFirst("snapshots/".count))
            #expect(files.count == 33)
            #expect(downloads.files(under: name).count == 33)
            try FileManager.default.removeItem(atPath: tree.path(snapshot))
            try FileManager.default.moveItem(
                atPath: downloads.path(name), toPath: tree.path(snapshot))
            #expect(tree.files(under: snapshot) == files)
            let outcome = try Client.program().run(
                "verify", tree.root, "--deep", "--key", publication.publicKey)
            #expect(
                outcome.status == 0 && outcome.output.hasSuffix("everything is right\n")
                    && !outcome.output.contains("unsigned"), "\(outcome.said)")
        }
    }

    @Test func libtorrentByTheWebSeedAlone() throws {
        let served = try Served()
        defer { served.server.stop() }
        try LibTorrent.downloadFromWeb(served.torrent, into: served.downloads.root)
        // Padding files are nowhere, and nobody asks for them.
        let requests = served.server.requests
        #expect(!requests.isEmpty && requests.allSatisfy { !$0.contains("/.pad") && $0.contains(" 206 ") })
        try served.expectDownloaded()
    }

    /// aria2 knows no padding files: it asks the host for them too, and goes on asking when it has all others.
    @Test func aria2ByTheWebSeedAlone() throws {
        let served = try Served()
        defer { served.server.stop() }
        let aria2 = try Program.installed("aria2c").start([
            "--no-conf", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false",
            "--enable-peer-exchange=false", "--file-allocation=none", "--seed-time=0",
            "--dir=\(served.downloads.root)", served.torrent,
        ])
        let name = String(served.snapshot.dropFirst("snapshots/".count))
        func wanted() throws -> [String] {
            try served.tree.files(under: served.snapshot).filter { path in
                let file = URL(fileURLWithPath: served.downloads.path(String(path.dropFirst(10))))
                let bytes = try? [UInt8](Data(contentsOf: file))
                return try !path.contains("/snapshot.") && bytes != served.tree.read(path)
            }
        }
        let deadline = Date().addingTimeInterval(120)
        while aria2.isRunning(), Date() < deadline {
            if try wanted().isEmpty { break }
            usleep(100_000)
        }
        #expect(try wanted().isEmpty)
        aria2.send(SIGKILL)
        _ = try aria2.wait()
        try FileManager.default.removeItem(atPath: served.downloads.path("\(name)/.pad"))
        try served.expectDownloaded()
    }

    /// With no host at all: all bytes come from one who has them, the torrent's own too where only the link is known.
    @Test(arguments: [false, true]) func libtorrentByAPeerAlone(byLink: Bool) throws {
        let served = try Served()
        defer { served.server.stop() }
        let plain = served.publication.scratch.path("plain.torrent")
        let shown = try LibTorrent.show(served.torrent, link: try served.link())
        try Data(
            LibTorrent.make(
                of: served.tree.path(served.snapshot), pieceLength: shown.pieceLength, webSeeds: [])
        ).write(to: URL(fileURLWithPath: plain))
        try LibTorrent.downloadFromPeer(
            plain, in: served.tree.path("snapshots"), link: byLink ? served.link() : plain,
            into: served.downloads.root)
        #expect(served.server.requests.isEmpty)
        try served.expectDownloaded()
    }
}

extension TorrentTests.Served {
    func link() throws -> String {
        try tree.text("\(snapshot)/snapshot.magnet").trimmingCharacters(in: .newlines)
    }
}
