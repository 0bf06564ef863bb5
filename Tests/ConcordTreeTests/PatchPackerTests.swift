import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct PatchPackerTests {
    static func pack(_ sections: [[UInt8]], onAllCores: Bool = false) throws -> [UInt8] {
        let parameters = TreeParameters(shards: sections.count, epoch: 10)
        let patch = TestSupport.patch(sections)
        let packer = PatchPacker(parameters)
        let compressor = packer.compressor()
        var out = ByteBuffer()
        out.append([1, 2, 3])
        try patch.withBytes {
            let index = try PatchIndex(checking: $0, shards: sections.count)
            if onAllCores {
                try packer.packOnAllCores($0, index, into: &out)
            } else {
                packer.pack($0, index, with: compressor, into: &out)
            }
        }
        return [UInt8](out.bytes)
    }

    static func sections(_ shards: Int, most: Int, using random: inout SeededRandom) -> [[UInt8]] {
        (0..<shards).map { _ in
            Bool.random(using: &random) ? [0] : random.bytes(Int.random(in: 1...most, using: &random))
        }
    }

    @Test(arguments: [
        (1, 1000), (1, 300_000), (2, 10), (4, 10), (8, 200), (16, 100_000), (64, 20_000), (1024, 500),
        (4096, 100),
    ])
    func everyFrameUnpacksAloneToWhatItShould(shards: Int, most: Int) throws {
        var random = SeededRandom()
        let sections = Self.sections(shards, most: most, using: &random)
        let file = try Self.pack(sections)
        #expect(try Self.pack(sections, onAllCores: true) == file)
        let directory = try PlainPatchFile.directory(file, shards: shards)
        let entries = sections.map { section in
            TestSupport.bytes { $0.append(UInt32(section.count)) } + SHA256.hash(section).bytes
        }
        let perRange = shards / directory.index.count
        for (range, frame) in directory.index.enumerated() {
            let own = entries[range * perRange..<(range + 1) * perRange]
            #expect(Zstd.unpack(Array(file[frame]), room: 36 * perRange) == own.flatMap(\.self))
            #expect(plainMerkleRoot(Array(own)) == directory.nodes[range])
        }
        for frame in Set(directory.sections) {
            let own = directory.sections.indices.filter { directory.sections[$0] == frame }
            // Of one range, and those of 256 bytes and more alone.
            #expect(Set(own.map { $0 / perRange }).count == 1)
            #expect(own.count == 1 || own.allSatisfy { sections[$0].count < 256 })
            let expected = own.flatMap { sections[$0] }
            #expect(Zstd.unpack(Array(file[frame]), room: expected.count) == expected, "seed \(random.seed)")
        }
        #expect(
            try run("zstd", "-dc", input: file) == TestSupport.patch(sections), "seed \(random.seed)")
    }

    /// A wallet's part of an empty block, and a mirror's.
    @Test func whatABlockWithoutPaymentsCosts() throws {
        var sections = [[UInt8]](repeating: [0], count: 1024)
        sections[77] = section(created: [
            TestCoin(outpoint: Outpoint(txid: Digest(every: 3), index: 0), code: 9, amount: 5, script: [0x51])
        ])
        let file = try Self.pack(sections)
        #expect(file.count < 8 << 10)
        let directory = try PlainPatchFile.directory(file, shards: 1024)
        #expect(Set(directory.sections).count == 32)
    }
}
