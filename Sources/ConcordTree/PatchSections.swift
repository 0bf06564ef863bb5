import Concord
import ConcordFiles

/// The sections that the patches of an epoch hold for a range of shards.
public struct PatchSections: Sendable {
    let tree: Tree
    let parameters: TreeParameters
    let patches: [SnapshotMerge.Patch]

    /// `root` is the tree's.
    public init(root: String, parameters: TreeParameters, patches: [SnapshotMerge.Patch]) {
        tree = Tree(root)
        self.parameters = parameters
        self.patches = patches
    }

    private func path(_ patch: SnapshotMerge.Patch) -> String {
        tree.path(TreePath.patch(patch.block, parameters))
    }

    /// The length of every section, patch by patch; read from the index of each, not yet believed.
    func lengths() throws -> [[UInt32]] {
        try Parallel.map(patches.count) { i in
            let path = path(patches[i])
            var zstd = try ZstdDecompressor(path)
            var bytes = ByteBuffer(capacity: parameters.shards * PatchIndex.entrySize)
            bytes.resize(to: parameters.shards * PatchIndex.entrySize)
            bytes.resize(to: try zstd.read(into: bytes.mutableBytes))
            do {
                return try PatchIndex(parsing: bytes.bytes, shards: parameters.shards).entries.map(\.length)
            } catch let error as ParseError {
                throw FileError.parse(error, path)
            }
        }
    }

    /// Reads the sections of some shards, in ascending order, every patch checked against its root.
    public func load(_ shards: [Int]) throws -> Loaded {
        let pieces = try Parallel.map(patches.count, tools: { ByteBuffer(capacity: 4 << 20) }) { i, buffer in
            let index = try PatchFile.read(
                path(patches[i]), shards: parameters.shards, root: patches[i].root, into: &buffer)
            return Piece(height: patches[i].block.height, buffer.bytes, shards.map(index.range(of:)))
        }
        return Loaded(shards: shards, pieces: pieces)
    }

    /// Sections of one patch, one behind the other, and where each ends. The bytes stay where they are as long as it
    /// lives.
    final class Piece: @unchecked Sendable {
        let height: Int
        let bytes: UnsafeRawBufferPointer
        let ends: [UInt32]

        init(height: Int, _ patch: UnsafeRawBufferPointer, _ sections: [Range<Int>]) {
            self.height = height
            let copy = UnsafeMutableRawBufferPointer.allocate(
                byteCount: sections.reduce(0) { $0 + $1.count }, alignment: 1)
            var end = 0
            var ends: [UInt32] = []
            ends.reserveCapacity(sections.count)
            for section in sections {
                UnsafeMutableRawBufferPointer(rebasing: copy[end...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: patch[section]))
                end += section.count
                ends.append(UInt32(end))
            }
            bytes = UnsafeRawBufferPointer(copy)
            self.ends = ends
        }

        deinit {
            bytes.deallocate()
        }
    }

    public struct Loaded: Sendable {
        let shards: [Int]
        let pieces: [Piece]

        /// Adds what all patches do to the shard at a place in the list. The changes must be used up before this goes.
        public func add(_ i: Int, to changes: inout ShardChanges) throws(ParseError) {
            for piece in pieces {
                let start = i == 0 ? 0 : Int(piece.ends[i - 1])
                let end = Int(piece.ends[i])
                if end - start == 1, piece.bytes[start] == 0 { continue }
                try changes.add(
                    UnsafeRawBufferPointer(rebasing: piece.bytes[start..<end]), height: piece.height)
            }
        }
    }
}
