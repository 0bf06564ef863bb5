import Concord
import ConcordFiles

/// The sections that patches and deltas hold for some shards.
public struct PatchSections: Sendable {
    let tree: Tree
    let parameters: TreeParameters
    let files: [ChangeFile]
    /// Bytes of sections that are held in memory at a time.
    private let memory: Int

    /// - Parameters:
    ///   - root: of the tree.
    ///   - files: in the order of their blocks.
    public init(root: String, parameters: TreeParameters, files: [ChangeFile], memory: Int = 256 << 20) {
        tree = Tree(root)
        self.parameters = parameters
        self.files = files
        self.memory = memory
    }

    private func path(_ file: ChangeFile) -> String { tree.path(file.path(parameters)) }

    /// Shards in turns, of each of which the memory holds the sections, or which is a single shard. Of other shards nothing
    /// is read.
    ///
    /// - Parameter shards: in ascending order.
    func turns(of shards: [Int]) throws -> [[Int]] {
        let lengths = try Parallel.map(files.count, tools: { PatchReader.Tools() }) { i, tools in
            try PatchReader(path(files[i]), is: files[i], parameters).lengths(of: shards, &tools)
        }
        var turns: [[Int]] = []
        var start = 0
        while start < shards.count {
            var (end, total) = (start, 0)
            repeat {
                total += lengths.reduce(0) { $0 + $1[end] }
                end += 1
            } while end < shards.count && total < memory
            turns.append(Array(shards[start..<end]))
            start = end
        }
        return turns
    }

    /// Reads the sections of some shards, in ascending order, every one checked against the root of its file.
    public func load(_ shards: [Int]) throws -> Loaded {
        let pieces = try Parallel.map(files.count, tools: { PatchReader.Tools() }) { i, tools in
            try piece(files[i], shards, &tools)
        }
        return Loaded(pieces: pieces)
    }

    /// The same on the core that calls.
    func load(_ shards: [Int], _ tools: inout PatchReader.Tools) throws -> Loaded {
        var pieces: [Piece] = []
        for file in files { pieces.append(try piece(file, shards, &tools)) }
        return Loaded(pieces: pieces)
    }

    private func piece(
        _ file: ChangeFile, _ shards: [Int], _ tools: inout PatchReader.Tools
    ) throws(FileError) -> Piece {
        let reader = try PatchReader(path(file), is: file, parameters)
        var sections = ByteBuffer(capacity: 64 << 10)
        var ranges: [Range<Int>] = []
        try reader.sections(of: shards, &tools) { _, section in
            ranges.append(sections.count..<sections.count + section.count)
            sections.append(section)
        }
        return Piece(height: file.block.height, sections.bytes, ranges)
    }

    /// Sections of one patch or delta, one behind the other, and where each ends. The bytes stay where they are as long as it
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

        /// The section of the shard at a place in the list, of the patch or delta at a place in the files. It must be used up
        /// before this goes.
        public func section(_ i: Int, of file: Int) -> UnsafeRawBufferPointer {
            let piece = pieces[file]
            let start = i == 0 ? 0 : piece.ends[i - 1]
            return UnsafeRawBufferPointer(rebasing: piece.bytes[start..<piece.ends[i]])
        }

        /// Adds what all patches do to the shard at a place in the list. The changes must be used up before this goes.
        public func add(_ i: Int, to changes: inout ShardChanges) throws(ParseError) {
            for (place, piece) in pieces.enumerated() {
                let section = section(i, of: place)
                if section.count == 1, section[0] == 0 { continue }
                try changes.add(section, height: piece.height)
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
