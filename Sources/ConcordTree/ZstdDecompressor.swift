import CZstd
import Concord
import ConcordFiles

/// Unpacks a `.zst` file piece by piece: bounded memory whatever the file says of itself.
///
/// Several frames and skippable frames are taken as `zstd -dc` takes them. A window over 8 MiB, bytes that are no
/// frame, a file that ends inside a frame and one longer than an honest publisher's are refused (FORMAT.md, «Compressed
/// form»).
public struct ZstdDecompressor: ~Copyable {
    /// Frames that need a larger window are refused: 2^23 bytes.
    public static let windowLog: Int32 = 23

    private let file: File
    private let stream: OpaquePointer
    private let input: UnsafeMutableRawBufferPointer
    private var pending: ZSTD_inBuffer
    private var offset = 0
    private var isInsideFrame = false
    private var sawFrame = false

    /// The most bytes that a file of so many canonical bytes has. Skippable frames would cost a host nothing.
    public static func maxBytes(canonical bytes: Int) -> Int { bytes + bytes / 64 + (64 << 10) }

    /// - Parameter bytes: the most canonical bytes that the file can have.
    public init(_ path: String, canonical bytes: Int) throws(FileError) {
        let file = try File(reading: path)
        let (size, most) = (try file.size(), Self.maxBytes(canonical: bytes))
        guard size <= most else {
            throw FileError(path, "is \(size) bytes long, at most \(most) are allowed")
        }
        guard let stream = ZSTD_createDCtx() else { throw FileError(path, "zstd has no memory") }
        self.stream = stream
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.windowLog)
        input = .allocate(byteCount: ZSTD_DStreamInSize(), alignment: 16)
        pending = ZSTD_inBuffer(src: input.baseAddress, size: 0, pos: 0)
        self.file = file
    }

    deinit {
        ZSTD_freeDCtx(stream)
        input.deallocate()
    }

    /// Fills `buffer`; fewer bytes, or none, only at the end.
    public mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while output.pos < output.size {
            if pending.pos == pending.size {
                let count = try file.read(into: input, at: offset)
                offset += count
                pending = ZSTD_inBuffer(src: input.baseAddress, size: count, pos: 0)
                if count == 0 {
                    // Output that did not fit may still wait inside.
                    let before = output.pos
                    if isInsideFrame { try step(&output) }
                    if output.pos > before { continue }
                    guard !isInsideFrame, offset > 0 else {
                        throw FileError(file.path, "ends inside a zstd frame (at byte \(offset))")
                    }
                    guard sawFrame else {
                        throw FileError(
                            file.path, "is not zstd as it may be here: it has skippable frames alone")
                    }
                    break
                }
            }
            try step(&output)
        }
        return output.pos
    }

    private mutating func step(_ output: inout ZSTD_outBuffer) throws(FileError) {
        if !isInsideFrame {
            // Not what zstd wrote before RFC 8878, of which some libraries know some.
            let first = pending.src.load(fromByteOffset: pending.pos, as: UInt8.self)
            guard first == 0x28 || first & 0xf0 == 0x50 else {
                throw FileError(
                    file.path,
                    "is not zstd as it may be here: no frame begins at byte \(offset - pending.size + pending.pos)"
                )
            }
            if first == 0x28 { sawFrame = true }
        }
        // Of a frame the first byte goes alone: zstd unpacks a frame that it has as a whole at once, whatever window
        // the header names, and a file must not be good or bad by the size of the reader's buffers.
        let size = pending.size
        if !isInsideFrame { pending.size = min(pending.pos + 1, size) }
        let code = ZSTD_decompressStream(stream, &output, &pending)
        pending.size = size
        guard ZSTD_isError(code) == 0 else {
            let place = offset - pending.size + pending.pos
            throw FileError(
                file.path,
                "is not zstd as it may be here: \(String(cString: ZSTD_getErrorName(code))) (near byte \(place))"
            )
        }
        isInsideFrame = code != 0
    }
}
