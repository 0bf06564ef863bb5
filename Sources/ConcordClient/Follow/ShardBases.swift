import Concord
import ConcordFiles
import Foundation

/// The bases of all shards that are followed, at one snapshot: `bases/NAME.json`.
struct ShardBases: Sendable {
    let block: BlockID
    private(set) var bases: [Int: ShardBase]

    static let parent = "bases"
    private static let maxBytes = 64 << 20

    static func path(_ block: BlockID) -> String { "\(parent)/\(TreePath.name(block)).json" }

    /// None.
    init(at block: BlockID) { (self.block, bases) = (block, [:]) }

    /// Those that are kept; nil where there are none, or other ones than the digest says.
    init?(at block: BlockID, in folder: Folder, digest: Digest? = nil) {
        guard let bytes = try? File.read(folder.path(Self.path(block)), atMost: Self.maxBytes),
            digest == nil || SHA256.hash(bytes) == digest,
            let list = try? JSONDecoder().decode([ShardBase].self, from: Data(bytes))
        else { return nil }
        self.block = block
        bases = Dictionary(list.map { ($0.shard, $0) }) { first, _ in first }
    }

    var shards: [Int] { bases.keys.sorted() }

    subscript(shard: Int) -> ShardBase? {
        get { bases[shard] }
        set { bases[shard] = newValue }
    }

    /// For its owner alone to read, as it tells whose coins somebody looks for.
    func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return [UInt8](try encoder.encode(shards.compactMap { bases[$0] }))
    }

    func stage(in folder: Folder) throws -> Folder.Staged {
        try folder.stage(bytes(), at: Self.path(block), mode: 0o600)
    }
}
