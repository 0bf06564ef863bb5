import Concord
import ConcordFiles

/// A patch or delta with the sections of some shards only: what a client keeps that has not all of them.
///
/// It has the form of a whole file, so that `PatchReader` reads it, and one zero byte in the place of each frame that is left
/// out. How frames are cut is its own.
public struct PartialPatch: Sendable {
    /// The Merkle tree hashes over the index entries of all ranges.
    private let nodes: [Digest]
    /// The index entries of the ranges that are there, by range.
    private var entries: [Int: [PatchIndex.Entry]] = [:]
    /// The sections that are there, by shard.
    private var sections: [Int: [UInt8]] = [:]

    /// One without any sections.
    public init(nodes: [Digest]) { self.nodes = nodes }

    /// What a file has of some shards, each part checked; what is missing or damaged is left out. Nil where the file is not
    /// there, or is none of the root that the statement names.
    public init?(
        _ path: String, is changes: ChangeFile, _ parameters: TreeParameters, shards: [Int],
        _ tools: inout PatchReader.Tools
    ) {
        guard let reader = try? PatchReader(path, is: changes, parameters) else { return nil }
        self.init(nodes: reader.directory.nodes)
        for shard in shards {
            let range = parameters.range(ofShard: shard)
            guard let index = try? reader.index(ofRange: range, &tools) else { continue }
            try? reader.sections(of: [shard], &tools) { _, section in
                entries[range] = index.entries
                sections[shard] = [UInt8](section)
            }
        }
    }

    /// Whether the section of a shard is there.
    public func has(_ shard: Int) -> Bool { sections[shard] != nil }

    /// Takes in a section that was checked, and the index entries of its range.
    public mutating func add(
        _ section: [UInt8], of shard: Int, _ index: PatchIndex, _ parameters: TreeParameters
    ) {
        entries[parameters.range(ofShard: shard)] = index.entries
        sections[shard] = section
    }

    /// Replaces what `out` holds with the file.
    public func pack(
        _ parameters: TreeParameters, with compressor: borrowing ZstdCompressor, into out: inout ByteBuffer
    ) {
        let packer = PatchPacker(parameters)
        var parts: [PatchPacker.Part] = []
        var frames = ByteBuffer()
        for range in 0..<parameters.ranges {
            var part = PatchPacker.Part()
            frames.removeAll()
            var index = ByteBuffer()
            for entry in entries[range] ?? [] { entry.append(to: &index) }
            Self.append(index.count > 0 ? index.bytes : nil, compressor, to: &frames)
            part.index = [UInt8](frames.bytes)
            frames.removeAll()
            var isGap = false
            for shard in parameters.shards(ofRange: range) {
                let section = sections[shard]
                // Sections that are left out one behind the other share their byte.
                part.offsets.append(isGap && section == nil ? frames.count - 1 : frames.count)
                if section != nil || !isGap {
                    if let section {
                        section.withBytes { Self.append($0, compressor, to: &frames) }
                    } else {
                        Self.append(nil, compressor, to: &frames)
                    }
                }
                isGap = section == nil
            }
            part.sections = [UInt8](frames.bytes)
            parts.append(part)
        }
        packer.join(parts, nodes, into: &out)
    }

    private static func append(
        _ contents: UnsafeRawBufferPointer?, _ compressor: borrowing ZstdCompressor, to out: inout ByteBuffer
    ) {
        guard let contents else { return out.append(UInt8(0)) }
        _ = compressor.appendFrame(contents, to: &out)
    }
}

extension PatchDirectory {
    /// Whether no frame is left out of the file that this is the directory of.
    public var isWhole: Bool {
        (0..<parameters.ranges).allSatisfy { indexFrame(ofRange: $0).range.count > 1 }
            && sectionFrames(ofShards: 0..<parameters.shards).allSatisfy { $0.range.count > 1 }
    }
}
