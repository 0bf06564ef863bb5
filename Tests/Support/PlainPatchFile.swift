import Concord

/// The file of a patch or delta, made in the plainest way and taken apart again: a directory, then frames. Tests bend it.
public struct PlainPatchFile {
    public let shards: Int
    /// One a range.
    public var indexFrames: [[UInt8]]
    /// Whose sections a frame holds, and the frame.
    public var sectionFrames: [(shards: Range<Int>, bytes: [UInt8])]
    /// One a range.
    public var nodes: [[UInt8]]

    /// - Parameters:
    ///   - groups: the shards whose sections stand in one frame; each alone if nil.
    ///   - frame: packs bytes.
    public init(_ sections: [[UInt8]], groups: [Range<Int>]? = nil, frame: ([UInt8]) -> [UInt8]) {
        shards = sections.count
        let entries = sections.map { section in
            TestSupport.bytes { $0.append(UInt32(section.count)) } + SHA256.hash(section).bytes
        }
        let perRange = shards / Self.ranges(shards)
        let ranges = stride(from: 0, to: shards, by: perRange).map { Array(entries[$0..<$0 + perRange]) }
        nodes = ranges.map(plainMerkleRoot)
        indexFrames = ranges.map { frame($0.flatMap(\.self)) }
        sectionFrames = (groups ?? (0..<shards).map { $0..<$0 + 1 }).map { group in
            (group, frame(sections[group].flatMap(\.self)))
        }
    }

    /// 2^⌊log2(shards)/2⌋.
    public static func ranges(_ shards: Int) -> Int {
        var ranges = 1
        while ranges * ranges * 4 <= shards { ranges *= 2 }
        return ranges
    }

    public var size: Int { 4 * (nodes.count + shards + 1) + 32 * nodes.count }

    /// Where frames begin: of the index, of sections, and the file's length.
    public var numbers: [Int] {
        var numbers: [Int] = []
        var offset = 8 + size
        for frame in indexFrames {
            numbers.append(offset)
            offset += frame.count
        }
        for (shards, frame) in sectionFrames {
            numbers += [Int](repeating: offset, count: shards.count)
            offset += frame.count
        }
        return numbers + [offset]
    }

    /// The file; `numbers` are those that its directory has.
    public func bytes(numbers: [Int]? = nil, magic: UInt32 = 0x184d_2a5c, size: Int? = nil) -> [UInt8] {
        TestSupport.bytes { out in
            out.append(magic)
            out.append(UInt32(size ?? self.size))
            for number in numbers ?? self.numbers { out.append(UInt32(number)) }
            for node in nodes { out.append(node) }
            for frame in indexFrames { out.append(frame) }
            for (_, frame) in sectionFrames { out.append(frame) }
        }
    }

    /// The numbers and nodes of a file's directory, and where its frames are, as the format document says.
    public static func directory(
        _ file: [UInt8], shards: Int
    ) throws -> (index: [Range<Int>], sections: [Range<Int>], nodes: [[UInt8]]) {
        var reader = PlainReader(file)
        let ranges = ranges(shards)
        guard reader.integer(4) == 0x184d_2a5c, reader.integer(4) == 4 * (ranges + shards + 1) + 32 * ranges
        else { throw TestError("no directory") }
        let numbers = (0..<ranges + shards + 1).map { _ in Int(reader.integer(4)) }
        let nodes = (0..<ranges).map { _ in reader.take(32) }
        guard numbers[0] == reader.offset, numbers.last == file.count else {
            throw TestError("wrong numbers")
        }
        let frames = numbers.dropLast().map { start in
            start..<(numbers.first { $0 > start } ?? file.count)
        }
        return (Array(frames.prefix(ranges)), Array(frames.dropFirst(ranges)), nodes)
    }
}

/// RFC 6962, section 2.1, as it stands there.
public func plainMerkleRoot(_ entries: [[UInt8]]) -> [UInt8] {
    if entries.count == 1 { return SHA256.hash([0] + entries[0]).bytes }
    let half = entries.count / 2
    return SHA256.hash(
        [1] + plainMerkleRoot(Array(entries[..<half])) + plainMerkleRoot(Array(entries[half...]))
    ).bytes
}
