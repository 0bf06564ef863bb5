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
            var zstd = try ZstdDecompressor(
                path, canonical: PatchIndex.maxBytes(shards: parameters.shards))
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
        return Loaded(pieces: pieces)
    }

    /// Sections of one patch, one behind the other, and where each ends. The bytes stay where they are as long as it
    /// lives.
    public final class Piece: @unchecked Sendable {
        let height: Int
        let bytes: UnsafeRawBufferPointer
        let ends: [Int]

        /// Bytes in memory.
        public var size: Int { bytes.count + ends.count * MemoryLayout<Int>.size }

        /// All sections of a patch in its canonical form.
        public convenience init(
            height: Int, patch: UnsafeRawBufferPointer, shards: Int
        ) throws(ParseError) {
            let index = try PatchIndex(
                parsing: UnsafeRawBufferPointer(rebasing: patch.prefix(shards * PatchIndex.entrySize)),
                shards: shards)
            self.init(height: height, patch, (0..<shards).map(index.range(of:)))
        }

        /// Some sections of a patch in its canonical form.
        convenience init(height: Int, _ patch: UnsafeRawBufferPointer, _ sections: [Range<Int>]) {
            self.init(height: height, sizes: sections.map(\.count)) { i, room in
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: patch[sections[i]]))
            }
        }

        /// Sections that were made one by one; `height` is that of the last block they are of.
        public convenience init(height: Int, _ sections: [[UInt8]]) {
            self.init(height: height, sizes: sections.map(\.count)) { i, room in
                room.copyBytes(from: sections[i])
            }
        }

        private init(height: Int, sizes: [Int], copy: (Int, UnsafeMutableRawBufferPointer) -> Void) {
            self.height = height
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: sizes.reduce(0, +), alignment: 1)
            var end = 0
            var ends: [Int] = []
            ends.reserveCapacity(sizes.count)
            for (i, size) in sizes.enumerated() {
                copy(i, UnsafeMutableRawBufferPointer(rebasing: room[end..<end + size]))
                end += size
                ends.append(end)
            }
            bytes = UnsafeRawBufferPointer(room)
            self.ends = ends
        }

        deinit {
            bytes.deallocate()
        }
    }

    public struct Loaded: Sendable {
        let pieces: [Piece]

        /// Pieces in the order of their heights, each with the sections of the same shards.
        public init(pieces: [Piece]) {
            self.pieces = pieces
        }

        /// Adds what all patches do to the shard at a place in the list. The changes must be used up before this goes.
        public func add(_ i: Int, to changes: inout ShardChanges) throws(ParseError) {
            for piece in pieces {
                let start = i == 0 ? 0 : piece.ends[i - 1]
                let end = piece.ends[i]
                if end - start == 1, piece.bytes[start] == 0 { continue }
                try changes.add(
                    UnsafeRawBufferPointer(rebasing: piece.bytes[start..<end]), height: piece.height)
            }
        }

        /// What all of them together do to each shard, as one section each, on all cores.
        public func net(shards: Int) throws -> [[UInt8]] {
            try Parallel.map(shards, tools: { ByteBuffer(capacity: 1 << 20) }) { shard, section in
                var changes = ShardChanges()
                try add(shard, to: &changes)
                changes.sort()
                section.removeAll()
                try changes.appendNet(to: &section)
                return [UInt8](section.bytes)
            }
        }
    }
}
