import Concord
import ConcordFiles

/// Makes a delta, the net change of several blocks, from patches or from shorter deltas: a range of shards after the other,
/// on all cores, so that no more than the packed file is in memory as a whole.
public struct DeltaBuilder: Sendable {
    /// What a delta is made of, in the order of blocks.
    public enum Parts: Sendable {
        case files(PatchSections)
        /// Sections of all shards.
        case loaded(PatchSections.Loaded)
    }

    private let parts: Parts
    private let parameters: TreeParameters

    public init(_ parts: Parts, _ parameters: TreeParameters) {
        (self.parts, self.parameters) = (parts, parameters)
    }

    private struct Tools: ~Copyable {
        let compressor: ZstdCompressor
        var reading = PatchReader.Tools()
        var sections = ByteBuffer(capacity: 256 << 10)
        var frames = ByteBuffer(capacity: 256 << 10)
    }

    /// The index of the delta. Throws `ChangeError` for parts that do not fit each other, and `FileError`.
    public func index() throws -> PatchIndex {
        PatchIndex(try map { entries, _ in entries }.flatMap(\.self))
    }

    /// Replaces what `out` holds with the file of the delta, and gives its index.
    public func build(into out: inout ByteBuffer) throws -> PatchIndex {
        let packer = PatchPacker(parameters)
        let ranges = try map { entries, tools in
            (entries, packer.part(entries[...], tools.sections.bytes, tools.compressor, &tools.frames))
        }
        let index = PatchIndex(ranges.flatMap(\.0))
        packer.join(ranges.map(\.1), index.nodes(parameters.ranges), into: &out)
        return index
    }

    /// Calls `body` with the entries of each range; its sections are in the tools.
    private func map<Result: Sendable>(
        _ body: @Sendable ([PatchIndex.Entry], inout Tools) -> Result
    ) throws -> [Result] {
        let packer = PatchPacker(parameters)
        return try Parallel.map(
            parameters.ranges, tools: { Tools(compressor: packer.compressor()) }
        ) { range, tools in
            let shards = parameters.shards(ofRange: range)
            var loaded: PatchSections.Loaded
            var first = 0
            switch parts {
            case .files(let files): loaded = try files.load(Array(shards), &tools.reading)
            case .loaded(let all): (loaded, first) = (all, shards.lowerBound)
            }
            tools.sections.removeAll()
            var entries: [PatchIndex.Entry] = []
            for place in 0..<shards.count {
                let start = tools.sections.count
                var changes = ShardChanges()
                try loaded.add(first + place, to: &changes)
                changes.sort()
                try changes.appendNet(to: &tools.sections)
                let section = UnsafeRawBufferPointer(rebasing: tools.sections.bytes[start...])
                entries.append(section.count == 1 ? .empty : PatchIndex.Entry(section))
            }
            withExtendedLifetime(loaded) {}
            return body(entries, &tools)
        }
    }
}
