import CZstd
import Concord

/// Packs bytes into zstd frames; one a worker.
public struct ZstdCompressor: ~Copyable {
    public static let levels = 1...22
    public static let defaultLevel = 9

    private let context: OpaquePointer

    public init(level: Int, hasChecksums: Bool = true) {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("zstd has no memory") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, hasChecksums ? 1 : 0)
        // The levels above 19 would ask for windows that readers refuse.
        if level > 19 { ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, ZstdDecompressor.windowLog) }
    }

    deinit {
        ZSTD_freeCCtx(context)
    }

    /// Appends one frame with all of `bytes`; gives its size.
    public func appendFrame(_ bytes: UnsafeRawBufferPointer, to out: inout ByteBuffer) -> Int {
        let start = out.count
        let room = out.extend(by: ZSTD_compressBound(bytes.count))
        let count = ZSTD_compress2(context, room.baseAddress, room.count, bytes.baseAddress, bytes.count)
        precondition(ZSTD_isError(count) == 0, "zstd cannot fail where the output fits")
        out.resize(to: start + count)
        return count
    }

    /// Appends what the stream gives out for `bytes`; `isLast` ends the frame.
    public func append(_ bytes: UnsafeRawBufferPointer, isLast: Bool, to out: inout ByteBuffer) {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while true {
            let start = out.count
            let room = out.extend(by: ZSTD_CStreamOutSize())
            var output = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
            let left = ZSTD_compressStream2(context, &output, &input, isLast ? ZSTD_e_end : ZSTD_e_continue)
            precondition(ZSTD_isError(left) == 0, "zstd cannot fail where the output fits")
            out.resize(to: start + output.pos)
            if isLast ? left == 0 : input.pos == input.size { return }
        }
    }
}
