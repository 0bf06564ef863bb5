/// Where in a patch's or delta's file the parts of it are, at the file's beginning (FORMAT.md, «Directory»): so one
/// section can be had by itself, and held to a root.
///
/// It is a hint: what it leads to is held to the nodes, and these to the root.
public struct PatchDirectory: Hashable, Sendable {
    /// A frame of the file.
    public struct Frame: Hashable, Sendable {
        /// Where in the file it is.
        public let range: Range<Int>
        public let contents: Contents
    }

    public enum Contents: Hashable, Sendable {
        /// The index entries of a range of shards.
        case index(range: Int)
        /// Whole sections, of these shards.
        case sections(Range<Int>)
    }

    private static let magic: UInt32 = 0x184D_2A5C

    public let parameters: TreeParameters
    /// Where the frame with the index entries of each range begins.
    public let indexOffsets: [Int]
    /// Where the frame with each shard's section begins.
    public let sectionOffsets: [Int]
    /// The file's length.
    public let end: Int
    /// The Merkle tree hash over the index entries of each range.
    public let nodes: [Digest]

    /// Offsets are for a file that begins with this directory.
    public init(
        _ parameters: TreeParameters, indexOffsets: [Int], sectionOffsets: [Int], end: Int, nodes: [Digest]
    ) {
        self.parameters = parameters
        (self.indexOffsets, self.sectionOffsets, self.end) = (indexOffsets, sectionOffsets, end)
        self.nodes = nodes
    }

    /// Bytes of the skippable frame, its header included: where the first frame begins.
    public static func size(_ parameters: TreeParameters) -> Int {
        8 + 4 * (parameters.ranges + parameters.shards + 1) + 32 * parameters.ranges
    }

    /// The most bytes of a frame with so many bytes of contents.
    public static func maxFrameBytes(contents bytes: Int) -> Int { bytes + bytes / 64 + 1024 }

    /// The most bytes of the file of a patch, or of a delta of so many blocks: with one section a frame.
    public static func maxFileBytes(_ parameters: TreeParameters, span: Int) -> Int {
        let contents = PatchIndex.maxBytes(shards: parameters.shards, span: span)
        return size(parameters) + contents + contents / 64 + 1024 * (parameters.ranges + parameters.shards)
    }

    public func append(to out: inout ByteBuffer) {
        out.append(Self.magic)
        out.append(UInt32(Self.size(parameters) - 8))
        for offset in indexOffsets + sectionOffsets + [end] { out.append(UInt32(offset)) }
        for node in nodes { out.append(node) }
    }

    /// Reads the bytes of the skippable frame. Throws unless offsets are in their order, and no frame holds sections of two
    /// ranges.
    public init(parsing bytes: UnsafeRawBufferPointer, _ parameters: TreeParameters) throws(ParseError) {
        let size = Self.size(parameters)
        var cursor = ByteCursor(bytes)
        guard try cursor.readUInt32() == Self.magic, try cursor.readUInt32() == UInt32(size - 8) else {
            throw ParseError(
                .malformed("does not begin with a directory of \(parameters.shards) shards"), at: 0)
        }
        var last = size - 1
        var indexOffsets: [Int] = []
        for range in 0..<parameters.ranges {
            let at = cursor.offset
            let offset = Int(try cursor.readUInt32())
            guard offset > last, range > 0 || offset == size else { throw ParseError(.outOfOrder, at: at) }
            indexOffsets.append(offset)
            last = offset
        }
        var sectionOffsets: [Int] = []
        for shard in 0..<parameters.shards {
            let at = cursor.offset
            let offset = Int(try cursor.readUInt32())
            guard shard == 0 ? offset > last : offset >= last else { throw ParseError(.outOfOrder, at: at) }
            guard offset > last || shard % parameters.shardsPerRange > 0 else {
                throw ParseError(.malformed("has a frame with sections of two ranges"), at: at)
            }
            sectionOffsets.append(offset)
            last = offset
        }
        let at = cursor.offset
        end = Int(try cursor.readUInt32())
        guard end > last else { throw ParseError(.outOfOrder, at: at) }
        var nodes: [Digest] = []
        for _ in 0..<parameters.ranges { nodes.append(try cursor.readDigest()) }
        try cursor.finish()
        (self.parameters, self.indexOffsets, self.sectionOffsets, self.nodes) =
            (parameters, indexOffsets, sectionOffsets, nodes)
    }

    /// The root that it claims.
    public var root: Digest { MerkleTree.root(ofLeaves: nodes) }

    /// The frame with the index entries of a range.
    public func indexFrame(ofRange range: Int) -> Frame {
        let next = range + 1 < indexOffsets.count ? indexOffsets[range + 1] : sectionOffsets[0]
        return Frame(range: indexOffsets[range]..<next, contents: .index(range: range))
    }

    /// The frame with a shard's section.
    public func sectionFrame(ofShard shard: Int) -> Frame {
        let offset = sectionOffsets[shard]
        var (first, last) = (shard, shard + 1)
        while first > 0, sectionOffsets[first - 1] == offset { first -= 1 }
        while last < sectionOffsets.count, sectionOffsets[last] == offset { last += 1 }
        let next = last < sectionOffsets.count ? sectionOffsets[last] : end
        return Frame(range: offset..<next, contents: .sections(first..<last))
    }

    /// The frames with the sections of some shards, in order, each once. Shards must ascend.
    public func sectionFrames(ofShards shards: some Sequence<Int>) -> [Frame] {
        var frames: [Frame] = []
        for shard in shards where frames.last.map({ $0.range.lowerBound != sectionOffsets[shard] }) ?? true {
            frames.append(sectionFrame(ofShard: shard))
        }
        return frames
    }
}
