import CZstd
import Concord

/// Unpacks single zstd frames whose contents have a known length; one a worker.
public struct ZstdFrames: ~Copyable {
    private let stream: OpaquePointer

    /// Of a frame, its first four bytes (RFC 8878, section 3.1.1).
    private static let magic: UInt32 = 0xFD2F_B528

    public init() {
        guard let stream = ZSTD_createDCtx() else { preconditionFailure("zstd has no memory") }
        self.stream = stream
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, ZstdDecompressor.windowLog)
    }

    deinit {
        ZSTD_freeDCtx(stream)
    }

    /// Fills `out` with what `frame` holds. False unless these bytes are one frame, from end to end, that names the length of
    /// `out` as that of its contents, needs no larger window than allowed, and unpacks to it.
    public borrowing func unpack(_ frame: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer)
        -> Bool
    {
        guard frame.count > 4, frame.loadUnaligned(as: UInt32.self).littleEndian == Self.magic,
            ZSTD_getFrameContentSize(frame.baseAddress, frame.count) == UInt64(out.count),
            ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count) == frame.count
        else { return false }
        ZSTD_DCtx_reset(stream, ZSTD_reset_session_only)
        var output = ZSTD_outBuffer(dst: out.baseAddress, size: out.count, pos: 0)
        // The first byte alone: zstd unpacks a frame that it has as a whole at once, whatever window the header names.
        var input = ZSTD_inBuffer(src: frame.baseAddress, size: 1, pos: 0)
        guard ZSTD_isError(ZSTD_decompressStream(stream, &output, &input)) == 0 else { return false }
        input.size = frame.count
        while true {
            let before = (input.pos, output.pos)
            let left = ZSTD_decompressStream(stream, &output, &input)
            if left == 0 { return input.pos == frame.count && output.pos == out.count }
            guard ZSTD_isError(left) == 0, before != (input.pos, output.pos) else { return false }
        }
    }
}
