import Concord
import ConcordFiles

/// The MuHash numbers of the shards that are held, after the snapshot: what the next blocks' numbers are made from, so
/// that not every coin is hashed again.
///
/// A cache: what it says is held to the agreed `muhashes` each time, and where it is missing or wrong the coins are counted.
struct ShardNumberFile {
    let folder: Folder
    let block: BlockID

    static let parent = "numbers"

    var path: String { "\(Self.parent)/\(TreePath.name(block)).bin" }

    /// By shard; none where there is no such file, or it is damaged.
    func read(_ parameters: TreeParameters) -> [Int: Num3072] {
        let size = (4 + Num3072.byteCount) * parameters.shards
        guard let bytes = try? File.read(folder.path(path), atMost: size) else { return [:] }
        let numbers = try? bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            var numbers: [Int: Num3072] = [:]
            while !cursor.isAtEnd {
                let shard = Int(try cursor.readUInt32())
                numbers[shard] = try Num3072(parsing: &cursor)
            }
            return numbers
        }
        return numbers ?? [:]
    }

    func write(_ numbers: [Int: Num3072]) throws(FileError) {
        var bytes = ByteBuffer(capacity: numbers.count * (4 + Num3072.byteCount))
        for (shard, number) in numbers.sorted(by: { $0.key < $1.key }) {
            bytes.append(UInt32(shard))
            number.encode(into: &bytes)
        }
        try folder.install([try folder.stage(bytes.bytes, at: path)])
    }
}
