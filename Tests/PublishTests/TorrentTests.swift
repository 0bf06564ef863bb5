import Foundation
import TestSupport
import Testing

/// The torrents that a publisher writes beside its snapshots.
@Suite(.waits) struct TorrentTests {
    let reference: ReferenceTree
    let publication: Publication

    init() throws {
        reference = try ReferenceTree.of(.regtestRich)
        publication = try Publication(
            .regtestRich, datadir: reference.publication.datadir, key: reference.publication.key)
    }

    private var tree: PlainTree { publication.tree }

    /// The folders of the snapshots.
    private func snapshots(of tree: PlainTree) -> [String] {
        tree.files(under: "snapshots").filter { $0.hasSuffix("/manifest.txt") }.map {
            String($0.dropLast(13))
        }
    }

    private func show(_ snapshot: String) throws -> LibTorrent.Shown {
        try LibTorrent.show(
            tree.path("\(snapshot)/snapshot.torrent"),
            link: tree.text("\(snapshot)/snapshot.magnet").trimmingCharacters(in: .newlines))
    }

    private func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: tree.path(path)) }

    /// Of every snapshot, the genesis block's too, the very bytes that libtorrent makes of the folder.
    @Test(arguments: [[], ["http://127.0.0.1/a"], ["https://a.example/tree/", "http://b.example:8080"]])
    func libtorrentMakesTheSame(urls: [String]) throws {
        #expect(
            try Publication.program().run(
                publication.arguments(["--to", "200"] + urls.flatMap { ["--web-seed", $0] })
            ).isSuccess)
        let webSeeds = urls.map { ($0.hasSuffix("/") ? $0 : $0 + "/") + "snapshots/" }
        #expect(snapshots(of: tree).count == 5)
        for snapshot in snapshots(of: tree) {
            let shown = try show(snapshot)
            #expect(shown.isValid && snapshot == "snapshots/\(shown.name)")
            #expect(shown.keys == ["info", "piece layers"] + (urls.isEmpty ? [] : ["url-list"]))
            #expect(shown.webSeeds == webSeeds && shown.link.webSeeds == webSeeds)
            #expect(shown.link.v1 == shown.v1 && shown.link.v2 == shown.v2 && shown.link.name == shown.name)
            #expect(
                try LibTorrent.make(
                    of: tree.path(snapshot), pieceLength: shown.pieceLength, webSeeds: webSeeds)
                    == tree.read("\(snapshot)/snapshot.torrent"))
        }
    }

    /// A tree of a publisher that made none, and one whose run was killed between a torrent and its link.
    @Test func whatIsMissingIsMade() throws {
        try publication.publish()
        let tree = try tree.look().files.mapValues(\.digest)
        let folders = snapshots(of: publication.tree)
        for (i, snapshot) in folders.enumerated() {
            if i != 1 { try remove("\(snapshot)/snapshot.torrent") }
            if i != 2 { try remove("\(snapshot)/snapshot.magnet") }
        }
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
        #expect(try publication.tree.look().files.mapValues(\.digest) == tree)
    }

    /// What is damaged is made again; a snapshot that is not whole is left alone.
    @Test func damaged() throws {
        try publication.publish()
        let folders = snapshots(of: tree)
        let before = try tree.look().files.mapValues(\.digest)
        for (i, text) in ["", "x", "d4:infode"].enumerated() {
            try Data(text.utf8).write(to: URL(fileURLWithPath: tree.path("\(folders[i])/snapshot.torrent")))
            try remove("\(folders[i])/snapshot.magnet")
        }
        try publication.publish()
        #expect(try tree.look().files.mapValues(\.digest) == before)

        try remove("\(folders[2])/shards/003.zst")
        try remove("\(folders[2])/snapshot.torrent")
        try publication.publish()
        #expect(!tree.files(under: folders[2]).contains("\(folders[2])/snapshot.torrent"))
    }

    /// Other web seeds change what is around the torrent; its names stay, and the snapshot is not read again.
    @Test func otherWebSeeds() throws {
        try publication.publish("--web-seed", "https://a.example/tree")
        let snapshot = try #require(snapshots(of: tree).last)
        let before = try show(snapshot)
        let shard = URL(fileURLWithPath: tree.path("\(snapshot)/shards/005.zst"))
        let bytes = try Data(contentsOf: shard)
        try Data(bytes.reversed()).write(to: shard)
        for urls in [["https://b.example"], [], ["https://b.example", "https://a.example/tree"]] {
            let arguments = publication.arguments(urls.flatMap { ["--web-seed", $0] })
            #expect(try Publication.program().run(arguments).output.hasPrefix("nothing new: "))
            let after = try show(snapshot)
            #expect(after.v1 == before.v1 && after.v2 == before.v2)
            #expect(
                after.webSeeds == urls.map { "\($0)/snapshots/" } && after.link.webSeeds == after.webSeeds)
            let look = try tree.look()
            #expect(try Publication.program().run(arguments).isSuccess)
            #expect(try tree.look() == look)
        }
        try bytes.write(to: shard)
    }

    /// A snapshot that was lost and came back with other compressed bytes has another torrent.
    @Test func aSnapshotThatIsMadeAgainHasANewTorrent() throws {
        try publication.publish("--level", "1")
        let snapshot = try #require(snapshots(of: tree).last)
        let before = try show(snapshot)
        try remove("\(snapshot)/manifest.txt")
        try publication.publish("--level", "12")
        let after = try show(snapshot)
        #expect(after.v2 != before.v2)
        #expect(
            try LibTorrent.make(of: tree.path(snapshot), pieceLength: after.pieceLength, webSeeds: [])
                == tree.read("\(snapshot)/snapshot.torrent"))

        // A single shard.
        try remove("\(snapshot)/shards/00a.zst")
        try remove("\(snapshot)/snapshot.magnet")
        try FileManager.default.removeItem(atPath: publication.state.path("muhash"))
        try publication.publish("--level", "1")
        let last = try show(snapshot)
        #expect(last.v2 != after.v2 && last.v2 != before.v2)
        #expect(
            try LibTorrent.make(of: tree.path(snapshot), pieceLength: last.pieceLength, webSeeds: [])
                == tree.read("\(snapshot)/snapshot.torrent"))
    }

    @Test(arguments: [
        "", "a.example", "ftp://a.example", "https://", "https:///x", "https://me@a.example",
        "https://a.example/?x",
        "https://a.example/#x", "https://a.example/a b", "https://a.example/é", "file:///srv/tree",
    ])
    func noURLOfATree(url: String) throws {
        let outcome = try publication.run("--web-seed", url)
        #expect(outcome.status == 64 && outcome.errors.contains("is no URL of a tree"), "\(outcome)")
        #expect(tree.files().isEmpty)
    }

    @Test func aWitnessHasNone() throws {
        let outcome = try publication.run("--attest-only", "--web-seed", "https://a.example")
        #expect(outcome.status == 64 && outcome.errors.contains("leave --web-seed out"), "\(outcome)")
        try publication.publish("--attest-only", "--to", "60")
        #expect(!(tree.files() + publication.state.files()).contains { $0.contains("/snapshot.") })
    }
}
