import Foundation

/// Torrents as libtorrent sees them, by `Tests/Torrent/torrent.py`.
public enum LibTorrent {
    /// What a torrent's file says, and a link to it.
    public struct Shown: Decodable {
        public struct Link: Decodable {
            public let v1, v2, name: String
            public let webSeeds: [String]
        }

        public let isValid: Bool
        public let name, v1, v2: String
        public let pieceLength: Int
        public let webSeeds: [String]
        /// Of the outer dictionary.
        public let keys: [String]
        public let link: Link
    }

    public static func show(_ torrent: String, link: String) throws -> Shown {
        try JSONDecoder().decode(Shown.self, from: Data(run("show", torrent, link)))
    }

    /// The torrent that libtorrent makes of a snapshot's folder, without a date.
    public static func make(of folder: String, pieceLength: Int, webSeeds: [String]) throws -> [UInt8] {
        let scratch = try Scratch()
        try run(["make", folder, "\(pieceLength)", scratch.path("torrent")] + webSeeds)
        return try scratch.read("torrent")
    }

    /// Downloads from the web seeds that the torrent names, and from nobody else.
    public static func downloadFromWeb(_ torrent: String, into folder: String) throws {
        try run("web", torrent, folder)
    }

    /// Serves a torrent's files, which are in `source`, to one other session, which knows `link`, a torrent or a magnet
    /// link, and no web seeds.
    public static func downloadFromPeer(
        _ torrent: String, in source: String, link: String, into folder: String
    ) throws {
        try run("peer", torrent, source, link, folder)
    }

    @discardableResult
    private static func run(_ arguments: String...) throws -> [UInt8] { try run(arguments) }

    /// By the system's own Python, to which the package manager gives libtorrent.
    @discardableResult
    private static func run(_ arguments: [String]) throws -> [UInt8] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../Torrent/torrent.py")
        return try Program(at: "/usr/bin/python3").print([script.standardized.path] + arguments, timeout: 300)
    }
}
