import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct SeekablePatchTests {
    struct Frame: Equatable {
        var offset: Int
        var packed: Int
        var canonical: Int
    }

    static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The seek table, read from the file's end as facebook/zstd's seekable format says.
    static func seekTable(_ file: [UInt8]) throws -> [Frame] {
        let footer = file[(file.count - 9)...]
        try #require(number(footer[(footer.endIndex - 4)...]) == 0x8f92_eab1)
        let descriptor = footer[footer.startIndex + 4]
        // No checksums, no reserved or unused bits.
        try #require(descriptor == 0)
        let count = number(footer[..<(footer.startIndex + 4)])
        let size = 8 * count + 9
        let table = file.count - size - 8
        try #require(number(file[table..<table + 4]) == 0x184d_2a5e)
        try #require(number(file[table + 4..<table + 8]) == size)
        var frames: [Frame] = []
        var offset = 0
        for i in 0..<count {
            let entry = table + 8 + 8 * i
            let (packed, canonical) = (number(file[entry..<entry + 4]), number(file[entry + 4..<entry + 8]))
            frames.append(Frame(offset: offset, packed: packed, canonical: canonical))
            offset += packed
        }
        try #require(offset == table)
        return frames
    }

    static func pack(_ patch: [UInt8], shards: Int, level: Int = 3) -> [UInt8] {
        bytes { out in
            let compressor = ZstdCompressor(level: level)
            patch.withBytes { SeekablePatch.pack($0, shards: shards, with: compressor, into: &out) }
        }
    }

    static func sections(_ shards: Int, most: Int, using random: inout SeededRandom) -> [[UInt8]] {
        (0..<shards).map { _ in
            Bool.random(using: &random) ? [0] : random.bytes(Int.random(in: 1...most, using: &random))
        }
    }

    @Test(arguments: [
        (1, 1000), (1, 300_000), (2, 10), (16, 100_000), (64, 20_000), (1024, 500), (4096, 100),
    ])
    func everyFrameUnpacksAlone(shards: Int, most: Int) throws {
        var random = SeededRandom()
        let sections = Self.sections(shards, most: most, using: &random)
        let patch = TestSupport.patch(sections)
        let file = Self.pack(patch, shards: shards)
        let frames = try Self.seekTable(file)
        var all: [UInt8] = []
        for frame in frames {
            let packed = Array(file[frame.offset..<frame.offset + frame.packed])
            let text = try #require(Zstd.unpack(packed, room: frame.canonical), "seed \(random.seed)")
            #expect(text.count == frame.canonical)
            all += text
        }
        #expect(all == patch, "seed \(random.seed)")
        #expect(try run("zstd", "-dc", input: file) == patch, "seed \(random.seed)")
    }

    /// The index can be had alone, and no section lies in two frames.
    @Test func framesEndWhereSectionsEnd() throws {
        var random = SeededRandom()
        let sections = Self.sections(256, most: 20_000, using: &random)
        let frames = try Self.seekTable(Self.pack(TestSupport.patch(sections), shards: 256))
        #expect(frames[0].canonical == 256 * 36)
        var ends: Set<Int> = []
        var end = 256 * 36
        ends.insert(end)
        for section in sections {
            end += section.count
            ends.insert(end)
        }
        var at = 0
        for (i, frame) in frames.enumerated() {
            at += frame.canonical
            #expect(ends.contains(at), "seed \(random.seed)")
            if i > 0, i < frames.count - 1 {
                #expect((64 << 10..<(64 << 10) + 20_000).contains(frame.canonical), "seed \(random.seed)")
            }
        }
        #expect(at == end && frames.count > 3)
    }

    @Test func aPatchThatChangesNothingHasTwoFrames() throws {
        let patch = TestSupport.patch([[UInt8]](repeating: [0], count: 1024))
        let file = Self.pack(patch, shards: 1024)
        #expect(try Self.seekTable(file).map(\.canonical) == [1024 * 36, 1024])
        #expect(file.count < 400)
    }

    @Test func whatTheBufferHeldIsReplaced() throws {
        let patch = TestSupport.patch([[0]])
        var out = ByteBuffer()
        out.append([1, 2, 3])
        let compressor = ZstdCompressor(level: 1)
        patch.withBytes { SeekablePatch.pack($0, shards: 1, with: compressor, into: &out) }
        #expect(try Self.seekTable([UInt8](out.bytes)).count == 2)
    }

    @Test func everyLevelGivesTheSamePatch() throws {
        var random = SeededRandom()
        let patch = TestSupport.patch(Self.sections(16, most: 3000, using: &random))
        for level in ZstdCompressor.levels {
            #expect(
                try run("zstd", "-dc", input: Self.pack(patch, shards: 16, level: level)) == patch,
                "level \(level)")
        }
    }
}
