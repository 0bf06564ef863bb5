import Concord
import ConcordFiles

/// A block of the chain that a client follows, by its header.
public struct StoredHeader: Sendable {
    public let height: Int
    /// The 80 bytes.
    public let bytes: [UInt8]
    public let header: BlockHeader

    public var block: BlockID { BlockID(height: height, hash: header.hash) }
}

extension HeaderStore {
    /// The stored chain's header at a height; nil above its tip, and below its first.
    public func header(at height: Int) throws(FileError) -> StoredHeader? {
        guard (base..<end).contains(height) else { return nil }
        var bytes = ByteBuffer()
        try read(height..<height + 1, into: &bytes)
        var cursor = ByteCursor(bytes.bytes)
        do throws(ParseError) {
            return StoredHeader(
                height: height, bytes: [UInt8](bytes.bytes), header: try BlockHeader(parsing: &cursor))
        } catch {
            return nil
        }
    }

    /// The height of the stored chain's block with this hash; nil where it has none. Nothing is hashed, for each header names
    /// its parent; on the main network it takes up to 30 ms, less for newer blocks.
    public func height(of hash: Digest) throws(FileError) -> Int? {
        if tip?.hash == hash { return tip?.height }
        var headers = ByteBuffer()
        var end = end
        while end > base {
            let start = max(base, end - Self.searched)
            try read(start..<end, into: &headers)
            for i in (0..<end - start).reversed()
            where headers.bytes.loadUnaligned(fromByteOffset: i * BlockHeader.size + 4, as: Digest.self)
                == hash
            {
                // The parent of the first is not here.
                return start + i > base ? start + i - 1 : nil
            }
            end = start
        }
        return nil
    }

    /// Headers that are looked at in one piece.
    private static let searched = 4096

    /// The work of the stored chain up to a height, that block included (`nChainWork`). It must be stored; nil below a pinned
    /// block.
    public func work(to height: Int) throws -> UInt128? {
        height < start?.block.height ?? 0 ? nil : try follower(before: height + 1).work
    }

    /// The median of the times of a block and the ten before it, seconds since 1970 (`GetMedianTimePast`). The height must be
    /// stored; nil where not all of the ten are.
    public func medianTime(at height: Int) throws(FileError) -> UInt32? {
        guard base == 0 || height >= base + 10 else { return nil }
        var headers = ByteBuffer()
        let heights = max(0, height - 10)..<height + 1
        try read(heights, into: &headers)
        let times = (0..<heights.count).map { i in
            UInt32(
                littleEndian: headers.bytes.loadUnaligned(
                    fromByteOffset: i * BlockHeader.size + 68, as: UInt32.self))
        }
        return times.sorted()[times.count / 2]
    }
}
