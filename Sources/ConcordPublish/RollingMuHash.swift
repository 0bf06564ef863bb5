import Concord
import ConcordFiles
import ConcordTree

/// The one running value that no statement holds: the MuHash of the set as a number, after some blocks of the chain.
///
/// A file of 384 bytes each, `muhash/HEIGHT-BLOCK.bin`, named by the block it belongs to: value and block cannot part.
/// It is believed only if its SHA-256 is the MuHash of the attestation of that very block.
struct RollingMuHash {
    private let folder: Folder
    private let parameters: TreeParameters

    /// The newest of these, and those of all epoch heights, are kept.
    private static let kept = 100

    init(_ folder: Folder, parameters: TreeParameters) {
        self.folder = folder
        self.parameters = parameters
    }

    private static func path(_ block: BlockID) -> String { "muhash/\(TreePath.name(block)).bin" }

    /// The blocks there are values for, highest first.
    func blocks() throws(FileError) -> [BlockID] {
        try Folder.names(in: folder.path("muhash"))
            .compactMap { $0.hasSuffix(".bin") ? TreePath.block(named: $0.dropLast(4)) : nil }
            .sorted { $0.height > $1.height }
    }

    func read(_ block: BlockID, expecting muhash: Digest) throws(FileError) -> Num3072 {
        let path = folder.path(Self.path(block))
        let bytes = try File.read(path, atMost: Num3072.byteCount)
        do throws(ParseError) {
            let value = try bytes.withBytes { raw throws(ParseError) in
                var cursor = ByteCursor(raw)
                let value = try Num3072(parsing: &cursor)
                try cursor.finish()
                return value
            }
            guard value.digest == muhash else {
                throw ParseError(.malformed("is not the value that was attested"), at: 0)
            }
            return value
        } catch {
            throw .parse(error, path)
        }
    }

    /// Writes the value for a block, and forgets those that nobody will go back to.
    func write(_ value: Num3072, for block: BlockID) throws(FileError) {
        var bytes = ByteBuffer(capacity: Num3072.byteCount)
        value.encode(into: &bytes)
        try folder.write([UInt8](bytes.bytes), at: Self.path(block))
        for old in try blocks().dropFirst(Self.kept) where old.height % parameters.epoch != 0 {
            try folder.remove(Self.path(old))
        }
    }
}
