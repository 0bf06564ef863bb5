import TestSupport
import Foundation
import Synchronization
import Testing

@testable import Concord
@testable import ConcordChain
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct BestChainTests {
    let files: TestBlockFiles
    static let genesis = TestBlock.genesis

    init() throws {
        files = try TestBlockFiles()
    }

    func scan(_ network: Network = .regtest) throws -> BestChain {
        try BestChain.scan(files.folder(network), cache: Folder(files.scratch.path("cache")))
    }

    func chain() throws -> BestChain {
        try files.write()
        return try scan()
    }

    func expect(
        _ chain: BestChain, _ blocks: [TestBlock], _ sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect((0...chain.tip).map { chain[$0].hash } == blocks.map(\.hash), sourceLocation: sourceLocation)
        #expect(chain.blockID(at: chain.tip).height == blocks.count - 1, sourceLocation: sourceLocation)
    }

    func refusal(_ network: Network = .regtest) -> FileError? {
        #expect(throws: FileError.self) { try scan(network) }
    }

    @Test func oneChain() throws {
        let blocks = [Self.genesis] + TestBlock.chain(10)
        files.add(blocks)
        expect(try chain(), blocks)
    }

    @Test func theGenesisBlockAlone() throws {
        files.add(Self.genesis)
        expect(try chain(), [Self.genesis])
    }

    @Test func blocksInAnyOrderOverFiles() throws {
        var random = SeededRandom()
        let main = [Self.genesis] + TestBlock.chain(25)
        let stale = TestBlock.chain(4, on: main[7], salt: 5) + TestBlock.chain(2, on: main[25 - 3], salt: 6)
        for _ in 0..<10 {
            (files.blocks, files.undo) = ([:], [:])
            for block in (main + stale).shuffled(using: &random) {
                files.add(block, file: Int.random(in: 0..<5, using: &random))
            }
            expect(try chain(), main)
        }
    }

    @Test func theBranchWithMoreBlocksWins() throws {
        let main = [Self.genesis] + TestBlock.chain(5)
        let other = TestBlock.chain(4, on: main[2], salt: 1)
        files.add(main)
        files.add(other)
        expect(try chain(), main[...2] + other)
    }

    /// Work, not blocks: one block of 2^-16 of the target has the work of many.
    @Test func theBranchWithMoreWorkWins() throws {
        let main = [Self.genesis] + TestBlock.chain(5)
        let hard = TestBlock.on(Self.genesis, salt: 1, payments: [500], bits: 0x2007_ffff)
        files.add(main)
        files.add(hard)
        expect(try chain(), [Self.genesis, hard])
        // 16 · 2 hashes: five blocks of 2 are less, seventeen are more.
        let more = TestBlock.chain(12, on: main[5], salt: 2)
        files.add(more, file: 1)
        expect(try chain(), main + more)
    }

    @Test func ofEqualWorkTheFirstStoredWins() throws {
        let (a, b) = (TestBlock.chain(3, salt: 1), TestBlock.chain(3, salt: 2))
        files.add(Self.genesis)
        files.add(a)
        files.add(b)
        expect(try chain(), [Self.genesis] + a)
        (files.blocks, files.undo) = ([:], [:])
        files.add(Self.genesis)
        files.add(b)
        files.add(a)
        expect(try chain(), [Self.genesis] + b)
        // Over files: the lower number came first.
        (files.blocks, files.undo) = ([:], [:])
        files.add(Self.genesis)
        files.add(a, file: 2)
        files.add(b, file: 1)
        expect(try chain(), [Self.genesis] + b)
    }

    /// Blocks without undo were downloaded, not connected.
    @Test func blocksThatWereNotConnectedDoNotCount() throws {
        let main = [Self.genesis] + TestBlock.chain(3)
        files.add(main)
        files.add(TestBlock.chain(5, on: main[3], salt: 1), withUndo: false)
        files.add(TestBlock.chain(9, on: main[1], salt: 2), withUndo: false)
        // Their parents are not here yet.
        files.add(TestBlock.chain(2, on: TestBlock.on(main[3], salt: 7), salt: 3), withUndo: false)
        expect(try chain(), main)
    }

    @Test func aBlockThatIsStoredTwice() throws {
        let main = [Self.genesis] + TestBlock.chain(4)
        files.add(main[0])
        files.add(main[2], withUndo: false)
        files.add(Array(main[1...]))
        files.add(main[3], withUndo: false)
        expect(try chain(), main)
        // With its undo record, in two files: a node that lost its index writes both again.
        files.add(Array(main[2...]), file: 1)
        expect(try chain(), main)
    }

    @Test func undoThatIsMissingInTheMiddleIsNamed() throws {
        let main = [Self.genesis] + TestBlock.chain(6)
        files.add(Array(main[...2]))
        files.add(main[3], file: 12, withUndo: false)
        files.add(Array(main[4...]), file: 12)
        try files.write()
        let error = refusal()
        #expect(error?.path.hasSuffix("/rev00012.dat") == true)
        #expect(
            error?.message.contains("no undo record for the block of height 3 (\(main[3].hash.reversedHex)")
                == true)
    }

    @Test func aDamagedUndoRecordIsNamed() throws {
        let main = [Self.genesis] + TestBlock.chain(6)
        files.add(Array(main[...3]))
        // The last byte of the checksum.
        var records = files.undo[0] ?? []
        records[records.count - 1] ^= 1
        files.undo[0] = records
        files.add(Array(main[4...]), file: 1)
        try files.write()
        let error = refusal()
        #expect(error?.path.hasSuffix("/rev00000.dat") == true)
        #expect(error?.message.contains("height 3") == true)
    }

    /// The tip's own record may not be written yet: the chain ends below it.
    @Test func undoThatIsMissingAtTheTipIsNoError() throws {
        let main = [Self.genesis] + TestBlock.chain(6)
        files.add(Array(main[...5]))
        files.add(main[6], withUndo: false)
        expect(try chain(), Array(main[...5]))
    }

    @Test func aMissingUndoFileIsNamed() throws {
        let main = [Self.genesis] + TestBlock.chain(6)
        for (i, block) in main.enumerated() { files.add(block, file: i / 3) }
        try files.write()
        try files.scratch.remove("blocks/rev00001.dat")
        let error = refusal()
        #expect(error?.path.hasSuffix("/rev00001.dat") == true)
        #expect(error?.message.contains("height 5") == true)
    }

    @Test func aMissingBlockFileIsSaid() throws {
        let main = [Self.genesis] + TestBlock.chain(8)
        for (i, block) in main.enumerated() { files.add(block, file: i / 3) }
        try files.write()
        try files.scratch.remove("blocks/blk00001.dat")
        let error = refusal()
        #expect(error?.path.hasSuffix("/blocks") == true)
        let message = error?.message ?? ""
        #expect(message.contains("lacks the block \(main[5].hash.reversedHex)"))
        #expect(message.contains(main[6].hash.reversedHex) && message.contains("blk00002.dat"))
        #expect(message.contains("ends at height 2") && message.contains("blk file is missing"))
    }

    @Test func aPrunedFolderIsSaid() throws {
        let main = [Self.genesis] + TestBlock.chain(8)
        for (i, block) in main.enumerated() { files.add(block, file: i / 3) }
        try files.write()
        try files.scratch.remove("blocks/blk00000.dat")
        try files.scratch.remove("blocks/rev00000.dat")
        let message = refusal()?.message ?? ""
        #expect(message.contains("lacks the block of height 0") && message.contains("prune"))
    }

    @Test func blocksOfAnotherNetworkAreNamed() throws {
        files.add([Self.genesis] + TestBlock.chain(2))
        try files.write()
        for network in [Network.main, .testnet4, .signet] {
            let message = refusal(network)?.message ?? ""
            #expect(message.contains("holds blocks of the network regtest, not of \(network.rawValue)"))
            #expect(message.contains("--network regtest"))
        }
    }

    /// Blocks under a magic that is none of ours.
    private func refusal(magic: String, blocks: Int) throws -> String {
        files.blocks[0] = ([Self.genesis] + TestBlock.chain(blocks)).flatMap {
            TestBlockFiles.record($0.bytes, magic: hex(magic))
        }
        try files.write(tail: 100)
        return refusal(.signet)?.message ?? ""
    }

    @Test func networksThatAreNotPublishedAreNamed() throws {
        #expect(
            try refusal(magic: "0b110907", blocks: 3).contains(
                "holds blocks of testnet3, which is not published"))
        #expect(try refusal(magic: "0b110907", blocks: 0).contains("testnet3"))
        let custom = try refusal(magic: "5ec03cf1", blocks: 3)
        #expect(
            custom.contains("begins with 5ec03cf1")
                && custom.contains("challenge of its own is not supported"), "\(custom)")
        #expect(!custom.contains("xor.dat"))
        // What begins as it should is damaged, and of no other network.
        files.blocks[0] = TestBlockFiles.record(
            [UInt8](repeating: 0, count: 100), magic: Network.signet.magic)
        try files.write()
        #expect(refusal(.signet)?.message.contains("holds no whole block of the network signet") == true)
        // Once is no magic.
        #expect(try refusal(magic: "5ec03cf1", blocks: 0).contains("xor.dat"))
    }

    @Test func anotherFoldersKeyIsSuspected() throws {
        files.add([Self.genesis] + TestBlock.chain(2))
        try files.write()
        try files.scratch.write([1, 2, 3, 4, 5, 6, 7, 8], to: "blocks/xor.dat")
        #expect(refusal()?.message.contains("is xor.dat the folder's own?") == true)
    }

    /// How many files were read, and what came of it.
    func count() throws -> (files: Int, chain: BestChain) {
        let scanned = Counter()
        let chain = try BestChain.scan(files.folder(), cache: Folder(files.scratch.path("cache"))) {
            done, all in
            _ = scanned.next()
            #expect((1...3).contains(done) && all == 3)
        }
        return (scanned.next() - 1, chain)
    }

    @Test func filesThatHaveNotChangedAreNotReadAgain() throws {
        let main = [Self.genesis] + TestBlock.chain(9)
        for (i, block) in main.enumerated() { files.add(block, file: i / 4) }
        try files.write()
        let first = try count()
        #expect(first.files == 3)
        expect(first.chain, main)
        let second = try count()
        #expect(second.files == 0)
        expect(second.chain, main)
        #expect((0...9).allSatisfy { first.chain[$0] == second.chain[$0] })

        // One more block in the last file.
        let more = TestBlock.on(main[9], salt: 77)
        files.add(more, file: 2)
        try files.write()
        for number in 0...1 {
            for prefix in ["blk", "rev"] {
                try touch("blocks/" + TestBlockFiles.name(prefix, number), at: 1_000_000)
            }
        }
        _ = try count()
        files.blocks[2] = (files.blocks[2] ?? []) + [0]
        try files.scratch.write(
            ObfuscationTests.slow(files.blocks[2] ?? [], files.key, at: 0), to: "blocks/blk00002.dat")
        let third = try count()
        #expect(third.files == 1)
        expect(third.chain, main + [more])
    }

    func touch(_ name: String, at seconds: Double) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: files.scratch.path(name))
    }

    /// Of the same length, but written at another time: its bytes may be others.
    @Test func aFileThatWasWrittenAgainIsReadAgain() throws {
        let main = [Self.genesis] + TestBlock.chain(9)
        for (i, block) in main.enumerated() { files.add(block, file: i / 4) }
        try files.write()
        _ = try count()
        try touch("blocks/blk00001.dat", at: 1_000_000)
        #expect(try count().files == 1)
        try touch("blocks/rev00002.dat", at: 1_000_000)
        #expect(try count().files == 1)
        #expect(try count().files == 0)
        try files.scratch.remove("blocks/rev00002.dat")
        let third = try count()
        #expect(third.files == 1)
        expect(third.chain, Array(main[...7]))
    }

    @Test func aDamagedCacheIsMadeAgain() throws {
        let main = [Self.genesis] + TestBlock.chain(9)
        for (i, block) in main.enumerated() { files.add(block, file: i / 4) }
        try files.write()
        _ = try count()
        let good = try files.scratch.read("cache/scan/1")
        var wrong: [[UInt8]] = [
            [], [0], Array(good.dropLast()), good + [0], Array("concord scan 1\n\n".utf8),
        ]
        for i in stride(from: 0, to: good.count, by: 13) {
            var damaged = good
            damaged[i] ^= 0x10
            wrong += [damaged, Array(good[..<i])]
        }
        for bytes in wrong {
            try files.scratch.write(bytes, to: "cache/scan/1")
            let (read, chain) = try count()
            #expect(read == 1)
            expect(chain, main)
            #expect(try files.scratch.read("cache/scan/1") == good)
        }
        try files.scratch.remove("cache/scan/1")
        #expect(try count().files == 1)
    }

    /// A cache of another file would send readers to the wrong places.
    @Test func aCacheOfAnotherKeyIsMadeAgain() throws {
        let main = [Self.genesis] + TestBlock.chain(9)
        for (i, block) in main.enumerated() { files.add(block, file: i / 4) }
        try files.write()
        for number in 0...2 {
            for prefix in ["blk", "rev"] {
                try touch("blocks/" + TestBlockFiles.name(prefix, number), at: 1_000_000)
            }
        }
        _ = try count()
        files.key = [8, 7, 6, 5, 4, 3, 2, 1]
        try files.write()
        for number in 0...2 {
            for prefix in ["blk", "rev"] {
                try touch("blocks/" + TestBlockFiles.name(prefix, number), at: 1_000_000)
            }
        }
        let (read, chain) = try count()
        #expect(read == 3)
        expect(chain, main)
    }
}
