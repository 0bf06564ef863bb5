import Concord

/// Frames of a patch's or delta's file as a host sends them one by one: how long each may be, and what is in it, held to the
/// file's root by its directory (FORMAT.md, "Directory").
public struct SectionFrames: Sendable {
    private let file: ChangeFile
    private let directory: PatchDirectory
    private var parameters: TreeParameters { directory.parameters }

    /// `directory` must have the root of the file.
    public init(_ file: ChangeFile, _ directory: PatchDirectory) {
        (self.file, self.directory) = (file, directory)
    }

    /// Where the frame with the index entries of a shard's range is. Throws where it is longer than such a frame can be.
    public func indexFrame(of shard: Int) throws(ParseError) -> Range<Int> {
        try bounded(
            directory.indexFrame(ofRange: parameters.range(ofShard: shard)).range,
            contents: parameters.shardsPerRange * PatchIndex.entrySize)
    }

    /// The index entries of a shard's range, out of their frame.
    public func index(_ frame: [UInt8], of shard: Int) throws(ParseError) -> PatchIndex {
        let count = parameters.shardsPerRange * PatchIndex.entrySize
        let bytes = try unpack(frame, count)
        return try bytes.withBytes { raw throws(ParseError) in
            guard PatchIndex.node(ofEntries: raw) == directory.nodes[parameters.range(ofShard: shard)] else {
                throw ParseError(.malformed("has index entries that are not those of their node"), at: 0)
            }
            return try PatchIndex(parsing: raw, shards: parameters.shardsPerRange, span: file.span)
        }
    }

    /// The sections in the frame that holds a shard's, as places in their range, and where in the index they are.
    private func held(_ shard: Int, _ index: PatchIndex) -> (
        frame: Range<Int>, contents: Range<Int>, place: Int
    ) {
        let frame = directory.sectionFrame(ofShard: shard)
        let first = parameters.shards(ofRange: parameters.range(ofShard: shard)).lowerBound
        guard case .sections(let shards) = frame.contents else {
            preconditionFailure("the frame of a section holds sections")
        }
        let contents = index.offsets[shards.lowerBound - first]..<index.offsets[shards.upperBound - first]
        return (frame.range, contents, shard - first)
    }

    /// Where the frame with a shard's section is. Throws where it is longer than its contents allow.
    public func sectionFrame(of shard: Int, _ index: PatchIndex) throws(ParseError) -> Range<Int> {
        let held = held(shard, index)
        return try bounded(held.frame, contents: held.contents.count)
    }

    /// A shard's section out of its frame, with all that `PatchCheck` asks of it.
    public func section(
        _ frame: [UInt8], of shard: Int, _ index: PatchIndex
    ) throws(ParseError) -> [UInt8] {
        let held = held(shard, index)
        let bytes = try unpack(frame, held.contents.count)
        let range = index.range(of: held.place)
        let start = range.lowerBound - held.contents.lowerBound
        return try bytes.withBytes { raw throws(ParseError) in
            let section = UnsafeRawBufferPointer(rebasing: raw[start..<start + range.count])
            guard index.isSection(section, of: held.place) else {
                throw ParseError(
                    .malformed(
                        "has a section for shard \(TreePath.shardDigits(shard)) that is not the one its index names"
                    ),
                    at: 0)
            }
            var script = ByteBuffer()
            try PatchCheck.check(
                section, heights: file.heights, shard: shard, of: parameters, script: &script)
            return [UInt8](section)
        }
    }

    private func bounded(_ range: Range<Int>, contents: Int) throws(ParseError) -> Range<Int> {
        guard range.count <= PatchDirectory.maxFrameBytes(contents: contents) else {
            throw ParseError(
                .malformed("has a frame of \(range.count) bytes for \(contents) of contents"),
                at: range.lowerBound)
        }
        return range
    }

    private func unpack(_ frame: [UInt8], _ count: Int) throws(ParseError) -> [UInt8] {
        var isGood = false
        let zstd = ZstdFrames()
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { room, done in
            let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(room)[..<count])
            isGood = frame.withBytes { zstd.unpack($0, into: room) }
            done = isGood ? count : 0
        }
        guard isGood else {
            throw ParseError(
                .malformed("has no zstd frame with \(count) bytes of contents where the directory says"),
                at: 0)
        }
        return bytes
    }
}
