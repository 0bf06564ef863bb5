import Concord
import ConcordFiles

/// The torrents of a tree's snapshots, each with its magnet link, in the snapshot's own folder (FORMAT.md, «Layout», torrents).
///
/// One that is there is of the files that are there. The link is written last: it says what web seeds were named.
public struct SnapshotTorrents: Sendable {
    let folder: Folder
    let parameters: TreeParameters
    /// For the folder of all snapshots, as BEP 19 wants them.
    let webSeeds: [String]

    /// - Parameter webSeeds: URLs of the tree, without a slash at the end.
    public init(folder: Folder, parameters: TreeParameters, webSeeds: [String]) {
        self.folder = folder
        self.parameters = parameters
        self.webSeeds = webSeeds.map { "\($0)/snapshots/" }
    }

    /// The blocks of complete snapshots that have no torrent, or one that names other web seeds; the newest first.
    public func missing() throws(FileError) -> [BlockID] {
        var missing: [BlockID] = []
        for name in try Folder.names(in: folder.path("snapshots")).reversed() {
            guard let block = TreePath.block(named: name), try !hasTorrent(block) else { continue }
            var isComplete = true
            for path in paths(of: block) where isComplete { isComplete = try folder.contains(path) }
            if isComplete { missing.append(block) }
        }
        return missing
    }

    private func hasTorrent(_ block: BlockID) throws(FileError) -> Bool {
        let end = Torrent.magnetEnd(name: TreePath.name(block), webSeeds: webSeeds) + "\n"
        guard try folder.contains(TreePath.torrent(block)),
            let link = try? File.read(folder.path(TreePath.magnet(block)), atMost: 200 + end.utf8.count)
        else { return false }
        return link.suffix(end.utf8.count).elementsEqual(end.utf8)
    }

    /// Writes the torrent and the link of a complete snapshot, unless they are there. Where only the web seeds are
    /// others, the snapshot is not read again.
    public func write(_ block: BlockID) throws {
        if try hasTorrent(block) { return }
        let torrent = try known(block) ?? make(block)
        try folder.install([
            folder.stage(torrent.encoded(webSeeds: webSeeds), at: TreePath.torrent(block)),
            folder.stage(
                torrent.magnet(name: TreePath.name(block), webSeeds: webSeeds) + "\n",
                at: TreePath.magnet(block)),
        ])
    }

    private func known(_ block: BlockID) -> Torrent? {
        let path = folder.path(TreePath.torrent(block))
        return (try? File.read(path, atMost: Self.maxBytes)).flatMap { try? Torrent(parsing: $0) }
    }

    /// More than any torrent has, be it of 4,096 shards.
    private static let maxBytes = 16 << 20

    private func make(_ block: BlockID) throws -> Torrent {
        let (folder, paths) = (folder, paths(of: block))
        let lengths = try paths.map { try File(reading: folder.path($0)).size() }
        let pieceLength = Torrent.pieceLength(files: paths.count, bytes: lengths.reduce(0, +))
        let files = try Parallel.map(paths.count, tools: { ByteBuffer(capacity: pieceLength) }) { i, piece in
            let file = try File(reading: folder.path(paths[i]))
            var hasher = TorrentFile.Hasher(length: lengths[i], pieceLength: pieceLength)
            var offset = 0
            while hasher.next > 0 {
                piece.resize(to: hasher.next)
                guard try file.read(into: piece.mutableBytes, at: offset) == hasher.next else {
                    throw FileError(file.path, "became shorter while it was read")
                }
                offset += hasher.next
                hasher.add(piece.bytes)
            }
            return hasher.finish(at: paths[i].split(separator: "/").dropFirst(2).map(String.init))
        }
        return Torrent(name: TreePath.name(block), pieceLength: pieceLength, files: files)
    }

    /// The files of a snapshot, in the order of their paths.
    private func paths(of block: BlockID) -> [String] {
        (0..<parameters.shards).map { TreePath.filter($0, of: block) } + [TreePath.manifest(block)]
            + (0..<parameters.shards).map { TreePath.shard($0, of: block) }
    }
}
