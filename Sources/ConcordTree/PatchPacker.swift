import Concord
import ConcordFiles

/// Makes the file of a patch or delta: directory, frames of the index, frames of sections (FORMAT.md, «Directory»).
public struct PatchPacker: Sendable {
    /// A section of so many bytes has a frame of its own, and smaller ones share a frame until they come to as many.
    private static let ownFrameBytes = 256

    /// What sections hold is hashes for the most part: higher levels gain one or two hundredths, and take up to ten times as
    /// long.
    private static let level = 1

    private let parameters: TreeParameters

    public init(_ parameters: TreeParameters) { self.parameters = parameters }

    /// What a worker keeps from file to file.
    public func compressor() -> ZstdCompressor {
        // What comes out of a frame is held to a digest anyway.
        ZstdCompressor(level: Self.level, hasChecksums: false)
    }

    /// The frames of a range of shards.
    struct Part: Sendable {
        var index: [UInt8] = []
        var sections: [UInt8] = []
        /// Where in `sections` the frame of each section begins.
        var offsets: [Int] = []
    }

    /// Replaces what `out` holds with the file of a patch or delta in its canonical bytes.
    public func pack(
        _ canonical: UnsafeRawBufferPointer, _ index: PatchIndex, with compressor: borrowing ZstdCompressor,
        into out: inout ByteBuffer
    ) {
        var frames = ByteBuffer(capacity: 64 << 10)
        var parts: [Part] = []
        for range in 0..<parameters.ranges {
            let (entries, sections) = slice(range, canonical, index)
            parts.append(part(entries, sections, compressor, &frames))
        }
        join(parts, index.nodes(parameters.ranges), into: &out)
    }

    /// The same on all cores.
    public func packOnAllCores(
        _ canonical: UnsafeRawBufferPointer, _ index: PatchIndex, into out: inout ByteBuffer
    ) throws {
        nonisolated(unsafe) let canonical = canonical
        let parts = try Parallel.map(parameters.ranges, tools: { Tools(compressor: compressor()) }) {
            range, tools in
            let (entries, sections) = slice(range, canonical, index)
            return part(entries, sections, tools.compressor, &tools.frames)
        }
        join(parts, index.nodes(parameters.ranges), into: &out)
    }

    private struct Tools: ~Copyable {
        let compressor: ZstdCompressor
        var frames = ByteBuffer(capacity: 64 << 10)
    }

    /// A range's index entries and sections, one behind the other.
    private func slice(
        _ range: Int, _ canonical: UnsafeRawBufferPointer, _ index: PatchIndex
    ) -> (ArraySlice<PatchIndex.Entry>, UnsafeRawBufferPointer) {
        let shards = parameters.shards(ofRange: range)
        let bytes = canonical[index.offsets[shards.lowerBound]..<index.offsets[shards.upperBound]]
        return (index.entries[shards], UnsafeRawBufferPointer(rebasing: bytes))
    }

    /// Packs a range of shards; `frames` is a buffer to be used again.
    func part(
        _ entries: ArraySlice<PatchIndex.Entry>, _ sections: UnsafeRawBufferPointer,
        _ compressor: borrowing ZstdCompressor, _ frames: inout ByteBuffer
    ) -> Part {
        var part = Part()
        var index = ByteBuffer(capacity: entries.count * PatchIndex.entrySize)
        for entry in entries { entry.append(to: &index) }
        frames.removeAll()
        _ = compressor.appendFrame(index.bytes, to: &frames)
        part.index = [UInt8](frames.bytes)
        frames.removeAll()
        var (shard, end) = (entries.startIndex, 0)
        while shard < entries.endIndex {
            let (first, start) = (shard, end)
            repeat {
                end += Int(entries[shard].length)
                shard += 1
            } while shard < entries.endIndex && entries[shard].length < Self.ownFrameBytes
                && end - start < Self.ownFrameBytes
            part.offsets += [Int](repeating: frames.count, count: shard - first)
            _ = compressor.appendFrame(UnsafeRawBufferPointer(rebasing: sections[start..<end]), to: &frames)
        }
        part.sections = [UInt8](frames.bytes)
        return part
    }

    /// Replaces what `out` holds with the file that consists of these parts, one a range; `nodes` are those of the ranges.
    func join(_ parts: [Part], _ nodes: [Digest], into out: inout ByteBuffer) {
        var offset = PatchDirectory.size(parameters)
        var (indexOffsets, sectionOffsets): ([Int], [Int]) = ([], [])
        for part in parts {
            indexOffsets.append(offset)
            offset += part.index.count
        }
        for part in parts {
            sectionOffsets += part.offsets.map { offset + $0 }
            offset += part.sections.count
        }
        out.removeAll()
        out.reserve(offset)
        PatchDirectory(
            parameters, indexOffsets: indexOffsets, sectionOffsets: sectionOffsets, end: offset,
            nodes: nodes
        ).append(to: &out)
        for part in parts { out.append(part.index) }
        for part in parts { out.append(part.sections) }
    }
}
