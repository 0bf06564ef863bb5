import CZstd
import TestSupport

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

/// zstd as the library has it, apart from the code under test.
enum Zstd {
    /// One frame. With a window the size of the content is not in its header, as in a stream.
    static func frame(_ bytes: [UInt8], level: Int32 = 3, windowLog: Int32? = nil, checksum: Bool = true)
        -> [UInt8]
    {
        guard let context = ZSTD_createCCtx() else { fatalError("zstd has no memory") }
        defer { ZSTD_freeCCtx(context) }
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0)
        if let windowLog {
            ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog)
            ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)
        }
        var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count) + 1024)
        let room = out.count
        let count = out.withUnsafeMutableBytes { out in
            bytes.withUnsafeBytes { bytes in
                var output = ZSTD_outBuffer(dst: out.baseAddress, size: room, pos: 0)
                let half = windowLog == nil ? 0 : bytes.count / 2
                if half > 0 {
                    // A flush before the end: the frame's header is written before its size is known.
                    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: half, pos: 0)
                    while ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush) != 0 {}
                }
                var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: half)
                while true {
                    let left = ZSTD_compressStream2(context, &output, &input, ZSTD_e_end)
                    precondition(ZSTD_isError(left) == 0)
                    if left == 0 { return output.pos }
                }
            }
        }
        return Array(out[..<count])
    }

    /// A skippable frame of the first or the last kind.
    static func skippable(_ bytes: [UInt8], magic: UInt32 = 0x184d_2a50) -> [UInt8] {
        TestSupport.bytes { out in
            out.append(magic)
            out.append(UInt32(bytes.count))
            out.append(bytes)
        }
    }

    /// What one frame alone unpacks to, at most `room` bytes; nil if it is not one whole frame.
    static func unpack(_ frame: [UInt8], room: Int) -> [UInt8]? {
        guard ZSTD_findFrameCompressedSize(frame, frame.count) == frame.count else { return nil }
        var out = [UInt8](repeating: 0, count: room)
        let count = ZSTD_decompress(&out, room, frame, frame.count)
        return ZSTD_isError(count) == 0 ? Array(out[..<count]) : nil
    }

    /// Bytes that compress somewhat.
    static func text(_ count: Int, using random: inout SeededRandom) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            if bytes.count > 100, Bool.random(using: &random) {
                let start = Int.random(in: 0..<bytes.count - 50, using: &random)
                bytes += Array(bytes[start..<start + 50])
            } else {
                bytes += random.bytes(20)
            }
        }
        return Array(bytes[..<count])
    }
}
