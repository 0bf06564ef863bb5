import Concord
import ConcordTransfers
import ConcordTree

// Parts of the files of patches and deltas, by ranges of bytes.

extension TreeFile {
    init(_ file: ChangeFile) {
        self = file.span == 1 ? .patch(file.block) : .delta(file.block, span: file.span)
    }
}

extension TreeQuestion where Answer == PatchDirectory {
    /// The directory of a patch or delta. It is a host's own, for hosts may cut frames in other ways; that its nodes come to
    /// the root is all that can be seen of it.
    static func directory(_ file: ChangeFile, _ parameters: TreeParameters) -> Self {
        let size = PatchDirectory.size(parameters)
        return Self(
            TreeFile(file), [TransferJob.File(file.path(parameters), limit: size, range: 0..<size)]
        ) { pieces in
            let directory = try pieces[0].bytes.withBytes { raw throws(ParseError) in
                try PatchDirectory(parsing: raw, parameters)
            }
            guard directory.root == file.root else {
                throw Fault.Kind.mismatch("has a directory that does not lead to the root in the statement")
            }
            return directory
        }
    }
}

extension TreeQuestion where Answer == PatchIndex {
    /// The index entries of a shard's range.
    static func index(
        _ file: ChangeFile, of shard: Int, _ directory: PatchDirectory
    ) throws(ParseError) -> Self {
        let frames = SectionFrames(file, directory)
        let range = try frames.indexFrame(of: shard)
        return Self(
            TreeFile(file),
            [TransferJob.File(file.path(directory.parameters), limit: range.count, range: range)]
        ) { pieces in try frames.index(pieces[0].bytes, of: shard) }
    }
}

extension TreeQuestion where Answer == [UInt8] {
    /// A shard's section, unpacked; `index` has the entries of its range.
    static func section(
        _ file: ChangeFile, of shard: Int, _ directory: PatchDirectory, _ index: PatchIndex
    ) throws(ParseError) -> Self {
        let frames = SectionFrames(file, directory)
        let range = try frames.sectionFrame(of: shard, index)
        return Self(
            TreeFile(file),
            [TransferJob.File(file.path(directory.parameters), limit: range.count, range: range)]
        ) { pieces in try frames.section(pieces[0].bytes, of: shard, index) }
    }
}
