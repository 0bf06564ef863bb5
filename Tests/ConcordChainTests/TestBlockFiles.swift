import TestSupport
import Foundation

@testable import Concord
@testable import ConcordChain

/// The `blocks` folder of a node, written by the test: what stands in each file, and the key over all of them.
final class TestBlockFiles {
    let scratch: Scratch
    var key: [UInt8] = hex("a1b2c3d4e5f60718")
    var blocks: [Int: [UInt8]] = [:]
    var undo: [Int: [UInt8]] = [:]

    init() throws {
        scratch = try Scratch()
    }

    static func record(_ bytes: [UInt8], magic: [UInt8] = Network.regtest.magic) -> [UInt8] {
        magic + TestSupport.bytes { $0.append(UInt32(bytes.count)) } + bytes
    }

    static func undoRecord(_ block: TestBlock) -> [UInt8] {
        let undo = block.undo ?? []
        return record(undo) + (block.parent.bytes + undo).withBytes { SHA256.double($0) }.bytes
    }

    func add(_ block: TestBlock, file: Int = 0, withUndo: Bool = true) {
        blocks[file, default: []] += Self.record(block.bytes)
        if withUndo, block.undo != nil { addUndo(block, file: file) }
    }

    func add(_ chain: [TestBlock], file: Int = 0, withUndo: Bool = true) {
        for block in chain { add(block, file: file, withUndo: withUndo) }
    }

    func addUndo(_ block: TestBlock, file: Int = 0) {
        undo[file, default: []] += Self.undoRecord(block)
    }

    private func hidden(_ bytes: [UInt8]) -> [UInt8] { ObfuscationTests.slow(bytes, key, at: 0) }

    static func name(_ prefix: String, _ number: Int) -> String {
        String(format: "\(prefix)%05d.dat", number)
    }

    /// Writes all files; `tail` raw zeros stand behind each, as in one that was preallocated.
    func write(tail: Int = 0, xorFile: Bool = true) throws {
        let zeros = [UInt8](repeating: 0, count: tail)
        for (number, bytes) in blocks {
            try scratch.write(hidden(bytes) + zeros, to: "blocks/" + Self.name("blk", number))
        }
        for (number, bytes) in undo {
            try scratch.write(hidden(bytes) + zeros, to: "blocks/" + Self.name("rev", number))
        }
        if xorFile { try scratch.write(key, to: "blocks/xor.dat") }
    }

    func folder(_ network: Network = .regtest) throws -> BlockFolder {
        try BlockFolder(scratch.folder, network: network)
    }

    func scan(_ number: Int = 0) throws -> [BlockEntry] {
        var scan = BlockFileScan(try folder(), number: number)
        return try scan.run().entries
    }

    /// Writes the files, and scans one of them.
    func found(_ number: Int = 0, tail: Int = 0) throws -> [BlockEntry] {
        try write(tail: tail)
        return try scan(number)
    }
}
