import Concord
import ConcordFiles

/// A patch on the disk.
public enum PatchFile {
    /// Unpacks and checks a whole patch; `out` then holds its canonical bytes. Throws unless its root is `root`.
    public static func read(
        _ path: String, shards: Int, root: Digest?, into out: inout ByteBuffer
    ) throws(FileError) -> PatchIndex {
        let most = PatchIndex.maxBytes(shards: shards)
        var zstd = try ZstdDecompressor(path, canonical: most)
        out.removeAll()
        while out.count <= most {
            let start = out.count
            let count = try zstd.read(into: out.extend(by: min(1 << 20, most + 1 - start)))
            out.resize(to: start + count)
            if count == 0 { break }
        }
        guard out.count <= most else { throw FileError(path, "unpacks to more than \(most) bytes") }
        let index: PatchIndex
        do throws(ParseError) {
            index = try PatchIndex(checking: out.bytes, shards: shards)
        } catch {
            throw .parse(error, path)
        }
        guard root == nil || index.root == root else {
            throw FileError(path, "is not the patch that the statement names: its root is \(index.root.hex)")
        }
        return index
    }

    /// Unpacks and checks a patch, and reads what its sections say: see `PatchCheck`.
    public static func check(
        _ path: String, is statement: Statement, with buffer: inout ByteBuffer
    ) throws(FileError) {
        let index = try read(
            path, shards: statement.parameters.shards, root: statement.patchRoot, into: &buffer)
        do throws(ParseError) {
            try PatchCheck.check(
                buffer.bytes, index, height: statement.height, of: statement.parameters)
        } catch {
            throw .parse(error, path)
        }
    }
}
