import Concord
import ConcordFiles
import ConcordTree

/// Writes what belongs to a block beside its statement, aside: patches, deltas, MuHashes of shards. What is there already
/// must be the same, or was never signed for.
struct DataFiles: Sendable {
    let folder: Folder
    let parameters: TreeParameters
    /// Whether a block's data is fixed for good, because it was signed for.
    let isFixed: @Sendable (BlockID) throws(FileError) -> Bool

    /// What a worker keeps from file to file.
    struct Tools: ~Copyable {
        fileprivate let compressor: ZstdCompressor
        fileprivate var reading = PatchReader.Tools()
        fileprivate var packed = ByteBuffer(capacity: 1 << 20)
    }

    private var packer: PatchPacker { PatchPacker(parameters) }

    func tools() -> Tools { Tools(compressor: packer.compressor()) }

    /// Writes a patch. Nil where it is there.
    ///
    /// - Parameter isAlone: whether nothing else is being packed, so that all cores may.
    func stage(
        _ file: ChangeFile, _ canonical: UnsafeRawBufferPointer, _ index: PatchIndex, isAlone: Bool,
        _ tools: inout Tools
    ) throws -> Folder.Staged? {
        if try isThere(file, &tools.reading) { return nil }
        if isAlone {
            try packer.packOnAllCores(canonical, index, into: &tools.packed)
        } else {
            packer.pack(canonical, index, with: tools.compressor, into: &tools.packed)
        }
        return try folder.stage(tools.packed.bytes, at: file.path(parameters))
    }

    /// Writes the MuHashes of all shards after a block. Nil where they are there.
    func stage(_ muhashes: ShardMuHashes, of block: BlockID) throws(FileError) -> Folder.Staged? {
        let path = TreePath.muhashes(block, parameters)
        if try folder.contains(path) {
            let known = Result { () throws(FileError) in
                try ShardMuHashes.read(folder.path(path), parameters)
            }
            if case .success(muhashes) = known { return nil }
            if try isFixed(block) { throw try difference(between: muhashes, and: known.get(), at: path) }
        }
        var bytes = ByteBuffer(capacity: ShardMuHashes.size(parameters))
        muhashes.append(to: &bytes)
        return try folder.stage(bytes.bytes, at: path)
    }

    private func difference(
        between own: ShardMuHashes, and signed: ShardMuHashes, at path: String
    ) -> FileError {
        let shards = own.entries.indices.filter { own.entries[$0] != signed.entries[$0] }
        return FileError(
            folder.path(path),
            "was signed for, and the chain data gives other coins in \(shards.count) of \(parameters.shards) shards, "
                + "the first of them \(TreePath.shardDigits(shards[0])); nothing was signed. Check the node and the "
                + "tree before you go on",
            kind: .conflict)
    }

    /// Makes a delta from what is before it, and puts it in its place. Gives what a statement says of it, and whether it was
    /// not there.
    func makeDelta(
        _ span: Int, endingWith block: BlockID, of parts: DeltaBuilder.Parts
    ) throws -> (file: ChangeFile, isNew: Bool) {
        var packed = ByteBuffer()
        let index = try DeltaBuilder(parts, parameters).build(into: &packed)
        let file = ChangeFile(block: block, span: span, root: index.root)
        var tools = PatchReader.Tools()
        if try isThere(file, &tools) { return (file, false) }
        try folder.install([try folder.stage(packed.bytes, at: file.path(parameters))])
        return (file, true)
    }

    /// Whether a file is there as it should be. Throws where it is not and was signed for.
    private func isThere(_ file: ChangeFile, _ tools: inout PatchReader.Tools) throws -> Bool {
        let path = file.path(parameters)
        guard try folder.contains(path) else { return false }
        do throws(FileError) {
            var bytes = ByteBuffer()
            _ = try PatchFile.read(folder.path(path), file, parameters, &tools, into: &bytes)
            return true
        } catch {
            if try isFixed(file.block) { throw error }
            return false
        }
    }
}
