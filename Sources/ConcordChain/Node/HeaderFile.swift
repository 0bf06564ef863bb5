import Concord
import ConcordFiles

/// The file that keeps a node's headers from run to run: 80 bytes each from the genesis block on, and nothing else. A
/// cache that checks itself: what does not link or has no work, and all behind it, is asked for again.
struct HeaderFile: Sendable {
    private let folder: Folder
    /// How many of the headers are in the file.
    private var saved = 0

    private static let name = "headers"

    init(in folder: Folder) {
        self.folder = folder
    }

    /// The headers that are there.
    mutating func load(_ network: Network) -> HeaderList {
        var list = HeaderList(network)
        let most = (TreePath.maxHeight + 1) * BlockHeader.size
        if let bytes = try? File.read(folder.path(Self.name), atMost: most) {
            try? list.append(bytes)
        }
        saved = list.count
        return list
    }

    /// All but the first `count` are about to be others.
    mutating func forget(behind count: Int) {
        saved = min(saved, count)
    }

    /// Writes what is not in the file yet.
    mutating func save(_ list: HeaderList) throws(FileError) {
        let path = folder.path(Self.name)
        let kept = saved * BlockHeader.size
        if try folder.contains(Self.name) { try File.truncate(path, to: kept) }
        let file = try File(appending: path)
        try list.bytes.withBytes { raw throws(FileError) in
            try file.write(UnsafeRawBufferPointer(rebasing: raw[kept...]))
        }
        saved = list.count
    }
}
