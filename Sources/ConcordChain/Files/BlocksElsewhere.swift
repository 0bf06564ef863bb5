import Concord
import ConcordFiles

/// Where the block files of a node are that are not in the `blocks` folder of its data directory, in words: Bitcoin
/// Core's `-blocksdir`, or a folder that is `blocks` itself.
enum BlocksElsewhere {
    private static let maxBytes = 1 << 20

    /// The error for a data directory without a `blocks` folder.
    static func noFolder(_ directory: String, _ network: Network) -> FileError {
        if let words = configured(directory) { return FileError(directory, "has no blocks folder: \(words)") }
        let names = (try? Folder.names(in: directory)) ?? []
        if names.contains(where: { $0.hasPrefix("blk") && $0.hasSuffix(".dat") }) {
            let name = directory.split(separator: "/").last ?? ""
            let above = directory.dropLast(name.count).reversed().drop { $0 == "/" }.reversed()
            return FileError(
                directory,
                "holds block files itself, and has no blocks folder: "
                    + (name == "blocks"
                        ? "give the folder above it, \(above.isEmpty ? (directory.hasPrefix("/") ? "/" : ".") : String(above))"
                        : "give a folder in which it is called blocks"))
        }
        return FileError(
            directory,
            "has no «blocks» folder: give the data directory of a Bitcoin Core node of the network "
                + "\(network.rawValue), or name another one with --network")
    }

    /// The error for a `blocks` folder without block files.
    static func noFiles(_ blocks: String, of directory: String) -> FileError {
        if let words = configured(directory) { return FileError(blocks, "holds no blk*.dat files: \(words)") }
        // The index stays in the data directory (`CBlockTreeDB`).
        guard (try? Folder.isFolder(blocks + "/index")) == true else {
            return FileError(blocks, "holds no blk*.dat files: the node has not stored a block yet")
        }
        return FileError(
            blocks,
            "holds the node's index, but no blk*.dat files: the node has not stored a block yet, or it is told to keep them "
                + "elsewhere (-blocksdir): then give that folder as --datadir")
    }

    /// What to give where the node's configuration says where the blocks are.
    private static func configured(_ directory: String) -> String? {
        guard let bytes = try? File.read(directory + "/bitcoin.conf", atMost: maxBytes) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let setting = line.split(separator: "=", maxSplits: 1).map { part in
                String(
                    part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
                        .reversed())
            }
            if setting.count == 2, setting[0] == "blocksdir" || setting[0].hasSuffix(".blocksdir") {
                return
                    "its bitcoin.conf keeps the blocks elsewhere (blocksdir). Give --datadir \(setting[1].printable); with "
                    + "--node also give --cookie, for the node's cookie stays in \(directory)"
            }
        }
        return nil
    }
}
