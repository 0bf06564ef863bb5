import Concord
import Foundation

/// The `blocks` folder of a data directory as a test changes it: records found the plain way, bytes written back
/// under the folder's key.
public struct CoreFiles: Sendable {
    public let folder: String
    public let magic: [UInt8]
    private let key: [UInt8]

    /// A block or undo record where it lies.
    public struct Record: Sendable {
        /// The number in the file's name.
        public let file: Int
        /// Of the first byte behind magic and length.
        public let offset: Int
        public let count: Int
        public let bytes: [UInt8]
    }

    public struct Block: Sendable {
        public let record: Record
        public let undo: Record?
        /// As Bitcoin Core prints them.
        public let hash: String
        public let parent: String
        public let height: Int
    }

    /// All blocks, in the order in which the node stored them.
    public let blocks: [Block]

    /// - Parameter folder: the one that holds the `blk*.dat` files.
    public init(_ folder: String, magic: [UInt8]) throws {
        self.folder = folder
        self.magic = magic
        key = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder)/xor.dat")))
        blocks = try Self.read(folder, magic, key)
    }

    /// A copy of the same files in another folder.
    public init(_ folder: String, sameAs other: CoreFiles) {
        self.folder = folder
        (magic, key, blocks) = (other.magic, other.key, other.blocks)
    }

    public static func name(_ kind: String, _ number: Int) -> String {
        kind + String(repeating: "0", count: 5 - String(number).count) + "\(number).dat"
    }

    public func path(_ kind: String, _ number: Int) -> String { "\(folder)/\(Self.name(kind, number))" }

    /// The block of the chain that ends in `tip`.
    public func block(at height: Int, below tip: String) throws -> Block {
        let byHash = Dictionary(uniqueKeysWithValues: blocks.map { ($0.hash, $0) })
        var block = byHash[tip]
        while let at = block, at.height > height { block = byHash[at.parent] }
        guard let block, block.height == height else { throw TestError("no block of height \(height)") }
        return block
    }

    private static func read(_ folder: String, _ magic: [UInt8], _ key: [UInt8]) throws -> [Block] {
        let numbers = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasPrefix("blk") }.compactMap { Int($0.dropFirst(3).prefix(5)) }.sorted()
        var blocks: [Block] = []
        var heights: [Digest: Int] = [:]
        for number in numbers {
            let path = "\(folder)/\(name("rev", number))"
            let hasUndo = FileManager.default.fileExists(atPath: path)
            var undo = hasUndo ? try records(path, number, magic, key, behind: 32) : []
            for record in try records("\(folder)/\(name("blk", number))", number, magic, key, behind: 0) {
                let hash = SHA256.hash(SHA256.hash(Array(record.bytes.prefix(80))).bytes)
                guard let parent = Digest(record.bytes[4..<36]) else { continue }
                // Blocks may lie before their parents; here they do not.
                heights[hash] = parent == .zero ? 0 : (heights[parent] ?? -2) + 1
                let own = undo.firstIndex {
                    checksum(parent, $0.bytes.dropLast(32)).bytes == Array($0.bytes.suffix(32))
                }
                blocks.append(
                    Block(
                        record: record, undo: own.map { undo.remove(at: $0) }, hash: hash.reversedHex,
                        parent: parent.reversedHex, height: heights[hash] ?? -1))
            }
        }
        return blocks
    }

    /// Of an undo record: SHA256(SHA256(hash of the block before ‖ record)).
    public static func checksum(_ parent: Digest, _ record: some Sequence<UInt8>) -> Digest {
        SHA256.hash(SHA256.hash(parent.bytes + record).bytes)
    }

    /// The records of a file; `behind` bytes after each length belong to it as well.
    private static func records(
        _ path: String, _ number: Int, _ magic: [UInt8], _ key: [UInt8], behind: Int
    ) throws -> [Record] {
        let bytes = apply(key, to: try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
        var records: [Record] = []
        var offset = 0
        while offset + 8 < bytes.count {
            guard bytes[offset] == magic[0], bytes[offset..<offset + 4].elementsEqual(magic) else {
                offset += 1
                continue
            }
            let length = bytes[offset + 4..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
            let start = offset + 8
            let end = start + length + behind
            guard end <= bytes.count else { break }
            records.append(
                Record(file: number, offset: start, count: length, bytes: Array(bytes[start..<end])))
            offset = end
        }
        return records
    }

    private static func apply(_ key: [UInt8], to bytes: [UInt8]) -> [UInt8] {
        bytes.enumerated().map { $1 ^ key[$0 % 8] }
    }

    /// Flips bits of the byte at `offset` of a file; under the key or not is the same.
    public func flip(_ kind: String, _ number: Int, at offset: Int) throws {
        let path = path(kind, number)
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[offset] ^= 0x10
        try Self.overwrite(path, bytes)
    }

    /// Writes plain bytes at `offset` of a file, under the key.
    public func write(_ plain: [UInt8], _ kind: String, _ number: Int, at offset: Int) throws {
        let path = path(kind, number)
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        for (i, byte) in plain.enumerated() { bytes[offset + i] = byte ^ key[(offset + i) % 8] }
        try Self.overwrite(path, bytes)
    }

    /// In place, as a disk that decays or a node that runs would.
    private static func overwrite(_ path: String, _ bytes: [UInt8]) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: Data(bytes))
        try file.close()
    }

    /// Puts another undo record in the place of a block's own, with a checksum that fits: what stands behind it moves.
    /// Records of the file that were found before are not where they were.
    public func replaceUndo(of block: Block, with record: [UInt8]) throws {
        guard let undo = block.undo, let parent = Digest(reversedHex: block.parent) else {
            throw TestError("no undo record of \(block.hash)")
        }
        let path = path("rev", undo.file)
        var plain = Self.apply(key, to: try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
        let length = withUnsafeBytes(of: UInt32(record.count).littleEndian, Array.init)
        plain.replaceSubrange(
            undo.offset - 4..<undo.offset + undo.count + 32,
            with: length + record + Self.checksum(parent, record).bytes)
        try Data(Self.apply(key, to: plain)).write(to: URL(fileURLWithPath: path))
    }

    /// Cuts a file off behind `count` bytes. With `size`, raw zeros follow up to there, as in a file that Core has
    /// made room in: zeros on the disk, not under the key.
    public func cut(_ kind: String, _ number: Int, behind count: Int, size: Int? = nil) throws {
        let path = path(kind, number)
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)).prefix(count))
        if let size { bytes += [UInt8](repeating: 0, count: max(0, size - bytes.count)) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    /// Makes the folder what it was when `tip` was the best block: nothing behind its records.
    ///
    /// - Parameter size: pads both of its files with raw zeros; nil cuts them off.
    public func rewind(to tip: String, paddingTo size: Int? = nil) throws {
        guard let block = blocks.first(where: { $0.hash == tip }), let undo = block.undo else {
            throw TestError("no block \(tip) with undo")
        }
        let number = block.record.file
        try cut("blk", number, behind: block.record.offset + block.record.count, size: size)
        try cut("rev", number, behind: undo.offset + undo.count + 32, size: size)
        for later in Set(blocks.map(\.record.file)) where later > number {
            try FileManager.default.removeItem(atPath: path("blk", later))
            try FileManager.default.removeItem(atPath: path("rev", later))
        }
    }
}
