import CZstd
import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct ZstdDecompressorTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    /// All that a file unpacks to, `step` bytes at a time.
    func unpack(_ packed: [UInt8], step: Int = 1 << 17) throws -> [UInt8] {
        var zstd = try ZstdDecompressor(try scratch.write(packed, to: "packed.zst"), canonical: 1 << 40)
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: step)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try zstd.read(into: $0) }
            all += buffer[..<count]
            if count < step { break }
        }
        // At the end it stays at the end.
        let more = try buffer.withUnsafeMutableBytes { try zstd.read(into: $0) }
        #expect(more == 0)
        return all
    }

    func refusal(of packed: [UInt8], step: Int = 1 << 17) -> String? {
        #expect(throws: FileError.self) { try unpack(packed, step: step) }?.message
    }

    @Test func oneFrame() throws {
        var random = SeededRandom()
        let text = Zstd.text(400_000, using: &random)
        for packed in [Zstd.frame(text), Zstd.frame(text, windowLog: 17), Zstd.frame(text, checksum: false)] {
            for step in [1000, 4096, 65_536, 131_072, 400_000, 400_001, 1 << 20] {
                #expect(try unpack(packed, step: step) == text, "step \(step), seed \(random.seed)")
            }
        }
        #expect(try unpack(Zstd.frame([])) == [])
    }

    @Test func severalFramesAreOneText() throws {
        var random = SeededRandom()
        let texts = [0, 1, 300_000, 0, 70_000, 5].map { Zstd.text($0, using: &random) }
        let packed = texts.flatMap { Zstd.frame($0) }
        for step in [1, 7, 4096, 1 << 20] where step > 1 {
            #expect(
                try unpack(packed, step: step) == texts.flatMap { $0 }, "step \(step), seed \(random.seed)")
        }
        #expect(try unpack(Array(packed[..<Zstd.frame([]).count]), step: 1) == [])
        #expect(try unpack(Zstd.frame([1, 2, 3]) + Zstd.frame([4]), step: 1) == [1, 2, 3, 4])
    }

    @Test func oneThatIsTooLong() throws {
        let text = [UInt8](repeating: 7, count: 6400)
        let most = 6400 + 100 + 65_536
        for (size, isRight) in [(most, true), (most + 1, false)] {
            let frame = Zstd.frame(text)
            let filling = size - frame.count - 8
            let header: [UInt8] =
                [0x50, 0x2a, 0x4d, 0x18] + (0..<4).map { UInt8(filling >> (8 * $0) & 0xff) }
            let path = try scratch.write(
                frame + header + [UInt8](repeating: 0, count: filling), to: "long.zst")
            let refusal = Result { _ = try ZstdDecompressor(path, canonical: text.count) }
            #expect(((try? refusal.get()) != nil) == isRight, "\(size): \(refusal)")
        }
    }

    /// As `zstd -dc` takes them: they stand for nothing, wherever they are.
    @Test func skippableFramesAreSkipped() throws {
        let (a, b) = (Zstd.frame([1, 2, 3]), Zstd.frame([4, 5]))
        let long = Zstd.skippable([UInt8](repeating: 0xee, count: 300_000), magic: 0x184d_2a5f)
        let packed = Zstd.skippable([]) + a + Zstd.skippable([9, 9]) + long + b + Zstd.skippable([7])
        for step in [1, 2, 5, 6, 100] {
            #expect(try unpack(packed, step: step) == [1, 2, 3, 4, 5], "step \(step)")
        }
        // A file of nothing else is no file of ours.
        let alone = #expect(throws: FileError.self) { try unpack(Zstd.skippable([1, 2, 3])) }
        #expect(alone?.message.contains("skippable frames alone") == true)
        #expect(try run("zstd", "-dc", input: packed) == [1, 2, 3, 4, 5])
    }

    @Test func truncationAtEachByteIsRefused() throws {
        let pieces = [
            Zstd.frame(Array(0..<100)), Zstd.skippable([1, 2, 3]), Zstd.frame([7, 8]), Zstd.skippable([]),
        ]
        let packed = pieces.flatMap { $0 }
        // Behind a frame the file is a shorter one; what is missing says its length and digest.
        var boundaries: Set<Int> = []
        for piece in pieces { boundaries.insert((boundaries.max() ?? 0) + piece.count) }
        for count in packed.indices {
            for step in [1, 3, 100, 1000] {
                if boundaries.contains(count) {
                    #expect(try unpack(Array(packed[..<count]), step: step).count >= 100)
                } else {
                    #expect(
                        refusal(of: Array(packed[..<count]), step: step)?.hasPrefix("ends inside") == true,
                        "\(count) bytes")
                }
            }
        }
    }

    @Test func anEmptyFileIsRefused() {
        #expect(refusal(of: [])?.hasPrefix("ends inside a zstd frame") == true)
    }

    @Test(
        arguments: [
            [0], [0x0a], [0x28], [0x28, 0xb5], [0x28, 0xb5, 0x2f], [0x28, 0xb5, 0x2f, 0xfd],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], Array("trailing junk".utf8),
            [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0],
        ] as [[UInt8]])
    func trailingJunkIsRefused(junk: [UInt8]) {
        for step in [1, 3, 4, 100] {
            #expect(refusal(of: Zstd.frame([1, 2, 3]) + junk, step: step) != nil)
            #expect(refusal(of: Zstd.frame([1, 2, 3]) + Zstd.skippable([1]) + junk, step: step) != nil)
        }
        #expect(refusal(of: junk) != nil)
    }

    @Test func largeWindowsAreRefused() throws {
        var random = SeededRandom()
        let text = Zstd.text(50_000, using: &random)
        #expect(try unpack(Zstd.frame(text, windowLog: 23)) == text)
        for log in [24, 25, 27] as [Int32] {
            #expect(refusal(of: Zstd.frame(text, windowLog: log))?.contains("too much memory") == true)
            #expect(refusal(of: Zstd.frame([1]) + Zstd.frame(text, windowLog: log)) != nil)
        }
    }

    /// The header of a small frame may ask for a large window too; what it is packed with must not matter.
    @Test func largeWindowsOfSmallFramesAreRefused() throws {
        // Magic; content size of 8 bytes and no checksum; window 2^(10 + w); size 3; one raw block of 3 bytes.
        let frame = { (w: UInt8) -> [UInt8] in
            hex("28b52ffd c0") + [w << 3] + hex("0300000000000000 190000") + [1, 2, 3]
        }
        #expect(try unpack(frame(13)) == [1, 2, 3])
        for step in [2, 3, 1000] {
            #expect(refusal(of: frame(14), step: step)?.contains("too much memory") == true)
            #expect(refusal(of: frame(31), step: step) != nil)
        }
    }

    @Test func everyLevelOfTheCompressorCanBeRead() throws {
        var random = SeededRandom()
        let text = Zstd.text(30_000, using: &random)
        for level in ZstdCompressor.levels {
            let compressor = ZstdCompressor(level: level)
            var out = ByteBuffer()
            let size = text.withBytes { compressor.appendFrame($0, to: &out) }
            let whole = [UInt8](out.bytes)
            #expect(whole.count == size)
            #expect(try unpack(whole) == text, "level \(level)")
            out.removeAll()
            text.withBytes {
                compressor.append(UnsafeRawBufferPointer(rebasing: $0[..<10_000]), isLast: false, to: &out)
            }
            text.withBytes {
                compressor.append(UnsafeRawBufferPointer(rebasing: $0[10_000...]), isLast: true, to: &out)
            }
            let streamed = [UInt8](out.bytes)
            #expect(try unpack(streamed) == text, "level \(level)")
        }
    }

    /// A changed byte is noticed by zstd or its checksum, or changes nothing, like a bit that no reader looks at.
    @Test func damageNeverChangesTheText() throws {
        var random = SeededRandom()
        let text = Zstd.text(300, using: &random)
        let packed = Zstd.frame(text)
        var refused = 0
        for bit in 0..<packed.count * 8 {
            var damaged = packed
            damaged[bit / 8] ^= 1 << (bit % 8)
            do {
                let read = try unpack(damaged)
                #expect(read == text, "bit \(bit), seed \(random.seed)")
            } catch is FileError {
                refused += 1
            }
        }
        #expect(refused > packed.count * 8 - 20)
    }

    /// 64 MiB out of some kilobytes: whoever reads takes what they have room for, and no more is unpacked.
    @Test func aBombIsBoundedByTheReader() throws {
        let bomb = Zstd.frame([UInt8](repeating: 0, count: 64 << 20), windowLog: 20)
        #expect(bomb.count < 20_000)
        var zstd = try ZstdDecompressor(try scratch.write(bomb, to: "bomb.zst"), canonical: 1 << 40)
        var buffer = [UInt8](repeating: 1, count: 1000)
        let counts = try (0..<10).map { _ in try buffer.withUnsafeMutableBytes { try zstd.read(into: $0) } }
        #expect(counts == [Int](repeating: 1000, count: 10))
        #expect(buffer.allSatisfy { $0 == 0 })
    }

    @Test func missingFilesAndFoldersAreErrors() throws {
        let missing = #expect(throws: FileError.self) {
            _ = try ZstdDecompressor(scratch.path("missing"), canonical: 1)
        }
        #expect(missing?.isMissing == true)
        let folder = #expect(throws: FileError.self) {
            _ = try ZstdDecompressor(scratch.folder, canonical: 1)
        }
        #expect(folder?.message == "is not a regular file")
    }
}
