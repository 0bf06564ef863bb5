import Concord

/// The seekable form of a patch: the index in frames of its own, then frames of several sections each, then the seek
/// table of the zstd seekable format (facebook/zstd, contrib/seekable_format) in a skippable frame.
public enum SeekablePatch {
    /// A frame ends behind the first section that takes it over this many bytes.
    static let frameBytes = 64 << 10

    private static let skippableMagic: UInt32 = 0x184D_2A5E
    private static let seekableMagic: UInt32 = 0x8F92_EAB1

    /// Replaces what `out` holds with the packed patch. Where frames begin is read from the lengths in its index.
    public static func pack(
        _ patch: UnsafeRawBufferPointer, shards: Int, with compressor: borrowing ZstdCompressor,
        into out: inout ByteBuffer
    ) {
        out.removeAll()
        var frames: [(packed: Int, canonical: Int)] = []
        var start = 0
        var end = shards * PatchIndex.entrySize
        for shard in -1..<shards {
            if shard >= 0 {
                let length = patch.loadUnaligned(
                    fromByteOffset: shard * PatchIndex.entrySize, as: UInt32.self)
                end += Int(length.littleEndian)
            }
            let isLast = shard == shards - 1
            guard shard < 0 || isLast || end - start >= frameBytes else { continue }
            let piece = UnsafeRawBufferPointer(rebasing: patch[start..<end])
            frames.append((compressor.appendFrame(piece, to: &out), piece.count))
            start = end
        }
        out.append(skippableMagic)
        out.append(UInt32(frames.count * 8 + 9))
        for frame in frames {
            out.append(UInt32(frame.packed))
            out.append(UInt32(frame.canonical))
        }
        out.append(UInt32(frames.count))
        out.append(0 as UInt8)
        out.append(seekableMagic)
    }
}
