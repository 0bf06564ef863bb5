import Concord
import ConcordFiles

/// The file of a patch or delta on the disk.
public enum PatchFile {
    /// Unpacks and checks a whole file; `out` then holds its canonical bytes. Throws unless its root is the one that the
    /// statement names, and its directory leads to every part of it.
    public static func read(
        _ path: String, _ changes: ChangeFile, _ parameters: TreeParameters, _ tools: inout PatchReader.Tools,
        into out: inout ByteBuffer
    ) throws(FileError) -> PatchIndex {
        try PatchReader(path, is: changes, parameters).readAll(&tools, into: &out)
    }

    /// What a worker keeps to check one file after the other.
    public struct Checker: ~Copyable {
        private var tools = PatchReader.Tools()
        private var buffer = ByteBuffer(capacity: 1 << 20)

        public init() {}

        /// Reads a whole file, and what its sections say: see `PatchCheck`.
        public mutating func check(
            _ path: String, is changes: ChangeFile, _ parameters: TreeParameters
        ) throws(FileError) {
            let index = try PatchFile.read(path, changes, parameters, &tools, into: &buffer)
            do throws(ParseError) {
                try PatchCheck.check(buffer.bytes, index, heights: changes.heights, of: parameters)
            } catch {
                throw .parse(error, path)
            }
        }
    }
}
