import TestSupport
import Foundation
import Testing

@testable import Concord
@testable import ConcordChain
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct BlockFolderTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test func blocksAreFoundInTheDataDirectory() throws {
        try scratch.write([], to: "node/blocks/blk00000.dat")
        try scratch.write([], to: "node/regtest/blocks/blk00000.dat")
        #expect(try BlockFolder(scratch.path("node"), network: .main).path == scratch.path("node/blocks"))
        #expect(
            try BlockFolder(scratch.path("node"), network: .regtest).path
                == scratch.path("node/regtest/blocks"))
        #expect(
            try BlockFolder(scratch.path("node/regtest"), network: .regtest).path
                == scratch.path("node/regtest/blocks"))
        // Which network a folder without its own name is of says its contents.
        #expect(try BlockFolder(scratch.path("node"), network: .signet).path == scratch.path("node/blocks"))
    }

    @Test func aDirectoryWithoutBlocksIsRefused() throws {
        try scratch.write([], to: "empty/other")
        for name in ["empty", "missing"] {
            let error = #expect(throws: FileError.self) {
                try BlockFolder(scratch.path(name), network: .main)
            }
            #expect(error?.message.contains("has no «blocks» folder") == true)
        }
        try scratch.write([], to: "index/blocks/index/CURRENT")
        let error = #expect(throws: FileError.self) { try BlockFolder(scratch.path("index"), network: .main) }
        #expect(error?.message.contains("no blk*.dat files") == true)
    }

    private func refusal(_ name: String) -> String {
        let error = #expect(throws: FileError.self) { try BlockFolder(scratch.path(name), network: .main) }
        return error?.description ?? ""
    }

    /// `-blocksdir`: what to give is said.
    @Test func blocksElsewhereAreFound() throws {
        try scratch.write([], to: "disk/blocks/blk00000.dat")
        #expect(refusal("disk/blocks").contains("give the folder above it, \(scratch.path("disk"))"))
        #expect(refusal("disk/blocks/").contains("give the folder above it, \(scratch.path("disk"))"))
        try scratch.write([], to: "moved/blk00000.dat")
        #expect(refusal("moved").contains("a folder in which it is called blocks"))
        try scratch.write([], to: "node/blocks/index/CURRENT")
        #expect(refusal("node").contains("-blocksdir"))
        try scratch.write("# blocksdir=/no\nserver=1\n blocksdir = /big/disk \n", to: "node/bitcoin.conf")
        #expect(refusal("node").contains("Give --datadir /big/disk; with"))
        try scratch.write("[main]\nblocksdir=/other\n", to: "young/bitcoin.conf")
        #expect(
            refusal("young").contains("has no blocks folder") && refusal("young").contains("--datadir /other")
        )
        try scratch.write("rpcuser=x\n", to: "plain/bitcoin.conf")
        #expect(refusal("plain").contains("has no «blocks» folder"))
    }

    /// `blk%05u.dat`: other names are other people's.
    @Test func onlyBitcoinCoresNamesCount() throws {
        for name in [
            "blk00000.dat", "blk00007.dat", "blk00010.dat", "blk99999.dat", "blk100000.dat", "rev00001.dat",
            "xor.dat.bak",
            "blk00001.dat.bak", "blk00002.dat~", "blk0003.dat", "blk000004.dat", "blk0000a.dat",
            "blk-0005.dat", "blk+0005.dat",
            "blk 0006.dat", "blk.dat", "blk000000.dat", "blk00008_old.dat", "blk99999999999.dat",
            "blk99999999999999999999999.dat", "BLK00009.dat",
        ] {
            try scratch.write([], to: "node/blocks/\(name)")
        }
        let folder = try BlockFolder(scratch.path("node"), network: .main)
        #expect(folder.numbers == [0, 7, 10, 99_999, 100_000])
        for number in folder.numbers {
            #expect(FileManager.default.fileExists(atPath: folder.blockPath(number)))
        }
        #expect(folder.undoPath(7) == scratch.path("node/blocks/rev00007.dat"))
    }

    @Test func theKeyIsReadInFileOrder() throws {
        try scratch.write([], to: "node/blocks/blk00000.dat")
        try scratch.write([1, 2, 3, 4, 5, 6, 7, 8], to: "node/blocks/xor.dat")
        #expect(
            try BlockFolder(scratch.path("node"), network: .main).obfuscation
                == Obfuscation(key: 0x0807_0605_0403_0201))
    }

    @Test func readingBehindTheEndIsRefused() throws {
        let files = try TestBlockFiles()
        files.add([.genesis] + TestBlock.chain(2))
        let entries = try files.found()
        let folder = try files.folder()
        var block = ByteBuffer()
        var undo = ByteBuffer()
        try File.truncate(folder.undoPath(0), to: Int(entries[2].undoOffset + entries[2].undoSize) - 1)
        let short = #expect(throws: FileError.self) {
            try folder.read(entries[2], height: 2, block: &block, undo: &undo)
        }
        #expect(short?.path == folder.undoPath(0))
        #expect(short?.message == "ends inside the record at byte \(entries[2].undoOffset)")
        try File.truncate(folder.blockPath(0), to: Int(entries[2].offset) + 79)
        #expect(throws: FileError.self) { try folder.read(entries[2], height: 2, block: &block, undo: &undo) }
        #expect(throws: FileError.self) { try folder.header(entries[2]) }
        #expect(throws: Never.self) { try folder.read(entries[1], height: 1, block: &block, undo: &undo) }
        try files.scratch.remove("blocks/rev00000.dat")
        let gone = #expect(throws: FileError.self) {
            try folder.read(entries[1], height: 1, block: &block, undo: &undo)
        }
        #expect(gone?.isMissing == true)
    }

    @Test func damageIsNamedWithItsFileAndHeight() throws {
        let files = try TestBlockFiles()
        files.add([.genesis] + TestBlock.chain(2))
        let entry = try files.found()[2]
        let folder = try files.folder()
        let block = folder.damaged(entry, height: 2, .block(ParseError(.truncated, at: 5)))
        #expect(block.path.hasSuffix("blk00000.dat"))
        #expect(block.message.contains("height 2 at byte \(entry.offset) ends too early"))
        let undo = folder.damaged(entry, height: 2, .undo(ParseError(.trailingBytes, at: 5)))
        #expect(undo.path.hasSuffix("rev00000.dat"))
        #expect(undo.message.contains("height 2 at byte \(entry.undoOffset) has bytes behind its end"))
    }
}
