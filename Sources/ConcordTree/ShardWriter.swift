import Concord
import ConcordFiles

/// Writes a shard aside as it comes, coin by coin: canonical bytes are hashed and packed in pieces.
struct ShardWriter: ~Copyable {
    /// What a worker keeps from shard to shard.
    struct Tools: ~Copyable {
        let compressor: ZstdCompressor
        var canonical = ByteBuffer(capacity: 512 << 10)
        var packed = ByteBuffer(capacity: 512 << 10)

        init(level: Int) {
            compressor = ZstdCompressor(level: level)
        }
    }

    private static let pieceBytes = 256 << 10

    private let file: File
    private let relative: String
    private var groups = GroupEncoder()
    private var sha = SHA256()
    private var bytes: UInt64 = 0

    init(_ folder: Folder, _ relative: String) throws(FileError) {
        file = try File(creating: try folder.temporaryPath())
        self.relative = relative
    }

    mutating func add(
        _ outpoint: Outpoint, body: UnsafeRawBufferPointer, with tools: inout Tools
    ) throws(FileError) {
        groups.add(txid: outpoint.txid, index: outpoint.index, body: body, to: &tools.canonical)
        if tools.canonical.count >= Self.pieceBytes { try flush(isLast: false, with: &tools) }
    }

    mutating func finish(with tools: inout Tools) throws(FileError) -> (
        contents: ShardContents, file: Folder.Staged
    ) {
        groups.finishGroup(to: &tools.canonical)
        try flush(isLast: true, with: &tools)
        return (
            ShardContents(coins: groups.total, bytes: bytes, digest: sha.finish()),
            Folder.Staged(temporary: file.path, path: relative)
        )
    }

    private mutating func flush(isLast: Bool, with tools: inout Tools) throws(FileError) {
        sha.update(tools.canonical.bytes)
        bytes += UInt64(tools.canonical.count)
        tools.packed.removeAll()
        tools.compressor.append(tools.canonical.bytes, isLast: isLast, to: &tools.packed)
        tools.canonical.removeAll()
        try file.write(tools.packed.bytes)
    }
}
