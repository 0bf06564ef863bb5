import Concord
import ConcordFiles
import ConcordTree

/// The patches and deltas that a set has, whole or with the sections of some shards (`PartialPatch`).
struct PartialStore {
    let folder: Folder
    let parameters: TreeParameters

    /// Whether a file is here with all its sections. That they are right is seen when they are read.
    func isWhole(_ file: ChangeFile) -> Bool {
        let path = folder.path(file.path(parameters))
        return (try? PatchReader(path, is: file, parameters))?.directory.isWhole ?? false
    }

    /// Those of some shards whose sections are not here, or are damaged.
    func missing(_ shards: [Int], of file: ChangeFile) -> [Int] {
        var tools = PatchReader.Tools()
        guard let part = partial(file, shards, &tools) else { return shards }
        return shards.filter { !part.has($0) }
    }

    private func partial(
        _ file: ChangeFile, _ shards: [Int], _ tools: inout PatchReader.Tools
    ) -> PartialPatch? {
        PartialPatch(
            folder.path(file.path(parameters)), is: file, parameters, shards: shards, &tools)
    }

    /// Adds sections that came to the files that are here.
    ///
    /// - Parameters:
    ///   - nodes: those of each file's ranges, which lead to its root.
    ///   - shards: those whose sections stay.
    func add(
        _ parts: [ChangeFile: [Int: SectionLane.Part]], nodes: [ChangeFile: [Digest]], keeping shards: [Int]
    ) throws {
        var tools = PatchReader.Tools()
        let compressor = PatchPacker(parameters).compressor()
        var packed = ByteBuffer()
        var staged: [Folder.Staged] = []
        for (file, sections) in parts {
            var patch = partial(file, shards, &tools) ?? PartialPatch(nodes: nodes[file] ?? [])
            for (shard, part) in sections { patch.add(part.section, of: shard, part.index, parameters) }
            patch.pack(parameters, with: compressor, into: &packed)
            staged.append(try folder.stage(packed.bytes, at: file.path(parameters)))
        }
        try folder.install(staged)
    }
}
