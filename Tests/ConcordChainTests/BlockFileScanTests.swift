import TestSupport
import Testing

@testable import Concord
@testable import ConcordChain
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct BlockFileScanTests {
    let files: TestBlockFiles
    static let chain = TestBlock.chain(6)
    static let genesis = TestBlock.genesis

    init() throws {
        files = try TestBlockFiles()
    }

    /// Whether exactly these blocks are found, and at their places their bytes and those of their undo records.
    func expect(
        _ entries: [BlockEntry], _ blocks: [TestBlock], withUndo: Bool = true,
        _ sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(entries.map(\.hash) == blocks.map(\.hash), sourceLocation: sourceLocation)
        let folder = try files.folder()
        var block = ByteBuffer()
        var undo = ByteBuffer()
        for (entry, expected) in zip(entries, blocks) {
            try folder.read(entry, height: 0, block: &block, undo: &undo)
            let (read, readUndo) = ([UInt8](block.bytes), [UInt8](undo.bytes))
            #expect(read == expected.bytes && entry.parent == expected.parent, sourceLocation: sourceLocation)
            #expect(readUndo == (withUndo ? expected.undo ?? [] : []), sourceLocation: sourceLocation)
            #expect(try folder.header(entry) == Array(expected.bytes[..<80]), sourceLocation: sourceLocation)
        }
    }

    @Test func theGenesisBlockIsRegtests() {
        #expect(Self.genesis.hash.reversedHex == Network.regtest.genesis)
    }

    @Test func blocksAndTheirUndoRecords() throws {
        files.add([Self.genesis] + Self.chain)
        let entries = try files.found()
        try expect(entries, [Self.genesis] + Self.chain)
        #expect(!entries[0].hasUndo && entries[1...].allSatisfy(\.hasUndo))
        #expect(entries.map(\.bits) == [UInt32](repeating: 0x207f_ffff, count: 7))
        #expect(entries[0].offset == 8)
    }

    @Test func filesWithoutAKey() throws {
        files.add([Self.genesis] + Self.chain)
        files.key = [UInt8](repeating: 0, count: 8)
        try expect(try files.found(), [Self.genesis] + Self.chain)
        // The file of Bitcoin Core before 28: there is none.
        try files.scratch.remove("blocks/xor.dat")
        try expect(try files.scan(), [Self.genesis] + Self.chain)
    }

    @Test func aKeyOfAnotherLengthIsRefused() throws {
        files.add(Self.genesis)
        try files.write()
        for count in [0, 1, 7, 9, 16] {
            try files.scratch.write([UInt8](repeating: 1, count: count), to: "blocks/xor.dat")
            let error = #expect(throws: FileError.self) { try files.scan() }
            #expect(error?.path.hasSuffix("xor.dat") == true)
        }
    }

    /// What Bitcoin Core preallocates is raw zeros: under the key they are the key.
    @Test func preallocatedTails() throws {
        files.add([Self.genesis] + Self.chain)
        for tail in [1, 7, 8, 100, 70_000, 3 << 20] {
            try expect(try files.found(tail: tail), [Self.genesis] + Self.chain)
        }
    }

    @Test func gapsOfZerosAndJunk() throws {
        var random = SeededRandom()
        for count in [1, 2, 3, 4, 5, 8, 100, 5000] {
            for isJunk in [false, true] {
                (files.blocks, files.undo) = ([:], [:])
                for block in [Self.genesis] + Self.chain {
                    for _ in 0..<2 {
                        let gap = isJunk ? random.bytes(count) : [UInt8](repeating: 0, count: count)
                        files.blocks[0, default: []] += gap
                        files.undo[0, default: []] += gap.dropFirst()
                    }
                    files.add(block)
                }
                try expect(try files.found(), [Self.genesis] + Self.chain)
            }
        }
    }

    /// The search reads a mebibyte at a time: a magic may lie across its steps.
    @Test func longGaps() throws {
        for count in ((1 << 20) - 6)...((1 << 20) + 6) {
            (files.blocks, files.undo) = ([:], [:])
            files.add(Self.genesis)
            files.blocks[0]? += [UInt8](repeating: 0xfa, count: count)
            files.undo[0] = [UInt8](repeating: 0xfa, count: count)
            files.add(Self.chain[0])
            try expect(try files.found(), [Self.genesis, Self.chain[0]])
        }
    }

    /// Junk that looks like a record: the magic in part or twice, a length that cannot be, a header without work.
    @Test func junkThatLooksLikeARecord() throws {
        let magic = Network.regtest.magic
        let length = { (n: UInt32) in bytes { $0.append(n) } }
        var weak = Self.chain[1].bytes
        // A header whose hash does not meet its target: another nonce than the one that was looked for.
        repeat { weak[76] &+= 1 } while weak[..<80].withUnsafeBytes { SHA256.double($0).bytes[31] } < 0x80
        let junk: [[UInt8]] = [
            [0xfa], [0xfa, 0xbf], [0xfa, 0xbf, 0xb5], magic, magic + [0], magic + magic, [0xfa] + magic,
            [0xfa, 0xbf] + magic,
            magic + length(0), magic + length(79), magic + length(80), magic + length(4_000_001),
            magic + length(.max),
            magic + length(3_000_000) + Array(Self.chain[3].bytes[..<80]), TestBlockFiles.record(weak),
            TestBlockFiles.record([UInt8](repeating: 0, count: 200)),
            TestBlockFiles.record(Self.chain[0].bytes, magic: Network.main.magic),
        ]
        for junk in junk {
            (files.blocks, files.undo) = ([:], [:])
            for block in [Self.genesis] + Self.chain {
                files.blocks[0, default: []] += junk
                files.undo[0, default: []] += junk
                files.add(block)
            }
            try expect(try files.found(), [Self.genesis] + Self.chain)
            files.blocks[0]? += junk
            files.undo[0]? += junk
            try expect(try files.found(), [Self.genesis] + Self.chain)
        }
    }

    /// The node is writing: the file ends anywhere inside the last record, or its rest is still zeros.
    @Test func aHalfWrittenLastRecordDoesNotCount() throws {
        files.add([Self.genesis] + Self.chain.prefix(3))
        let whole = files.blocks[0] ?? []
        let last = Self.chain[3]
        let record = TestBlockFiles.record(last.bytes)
        for count in stride(from: 0, to: record.count, by: 3) {
            files.blocks[0] = whole + record[..<count]
            try expect(try files.found(), [Self.genesis] + Self.chain.prefix(3))
            try expect(try files.found(tail: 4096), [Self.genesis] + Self.chain.prefix(3))
        }
        // Zeros under the key: the record ends in some of its own.
        for count in stride(from: 0, to: record.count - 4, by: 3) {
            files.blocks[0] = whole + record[..<count] + [UInt8](repeating: 0, count: record.count - count)
            try expect(try files.found(), [Self.genesis] + Self.chain.prefix(3))
        }
        files.blocks[0] = whole + record
        #expect(try files.found().last?.hash == last.hash)
        #expect(try files.found().last?.hasUndo == false)
    }

    @Test func aHalfWrittenUndoRecordDoesNotCount() throws {
        files.add([Self.genesis] + Self.chain)
        let whole = files.undo[0] ?? []
        let size = TestBlockFiles.undoRecord(Self.chain[5]).count
        for cut in 1...size {
            files.undo[0] = Array(whole.dropLast(cut))
            for tail in [0, 4096] {
                let entries = try files.found(tail: tail)
                #expect(entries.map(\.hash) == ([Self.genesis] + Self.chain).map(\.hash))
                #expect(
                    entries.map(\.hasUndo) == [false, true, true, true, true, true, false], "cut by \(cut)")
            }
        }
    }

    @Test func aMissingUndoFileIsNoError() throws {
        files.add([Self.genesis] + Self.chain, withUndo: false)
        try expect(try files.found(), [Self.genesis] + Self.chain, withUndo: false)
    }

    /// Undo records lie in the order of connection, blocks in the order of arrival.
    @Test func undoInAnotherOrder() throws {
        var random = SeededRandom()
        for _ in 0..<20 {
            (files.blocks, files.undo) = ([:], [:])
            let blocks = ([Self.genesis] + TestBlock.chain(20)).shuffled(using: &random)
            files.add(blocks, withUndo: false)
            for block in blocks.shuffled(using: &random) where block.undo != nil { files.addUndo(block) }
            try expect(try files.found(), blocks)
        }
    }

    @Test func eachChangedBitOfAnUndoRecordIsNoticed() throws {
        files.add([Self.genesis] + Self.chain.prefix(3))
        let whole = files.undo[0] ?? []
        let start =
            TestBlockFiles.undoRecord(Self.chain[0]).count + TestBlockFiles.undoRecord(Self.chain[1]).count
        for bit in start * 8..<whole.count * 8 {
            var damaged = whole
            damaged[bit / 8] ^= 1 << (bit % 8)
            files.undo[0] = damaged
            #expect(try files.found().map(\.hasUndo) == [false, true, true, false], "bit \(bit)")
        }
    }

    /// An undo record that belongs to no block here: the checksum covers the block before it.
    @Test func strayUndoRecordsAreIgnored() throws {
        let other = TestBlock.chain(3, salt: 9)
        files.add(Self.genesis)
        for (a, b) in zip(Self.chain, other) {
            files.addUndo(b)
            files.add(a)
            files.addUndo(a)
        }
        // The first ones have the same parent and the same record.
        try expect(try files.found(), [Self.genesis] + Self.chain.prefix(3))
    }

    @Test func anEmptyFileHasNoBlocks() throws {
        files.blocks[0] = []
        #expect(try files.found() == [])
        #expect(try files.found(tail: 16) == [])
        #expect(try files.found(tail: 2 << 20) == [])
    }
}
