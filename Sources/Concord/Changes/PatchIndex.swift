/// The index at the head of a patch: for every shard, in order, the length of its section and its SHA-256
/// (FORMAT.md, «Patches»). The patch root is the Merkle tree hash over these entries.
public struct PatchIndex: Sendable {
    /// Bytes of one entry: u32 length, SHA-256.
    public static let entrySize = 36
    /// No block of 4,000,000 weight units changes this many bytes: sections of a patch together are refused beyond.
    public static let maxSectionBytes = 16 << 20

    public struct Entry: Equatable, Sendable {
        public let length: UInt32
        public let digest: Digest

        /// The entry of a section that changes nothing: the one byte 00, no groups of spent outpoints.
        public static let empty = Entry(length: 1, digest: SHA256.hash([0]))
    }

    public let entries: [Entry]
    /// Where each shard's section begins, counted from the start of the patch; one more at the end: its size.
    public let offsets: [Int]

    public init(_ entries: [Entry]) {
        self.entries = entries
        var offset = entries.count * Self.entrySize
        var offsets: [Int] = []
        offsets.reserveCapacity(entries.count + 1)
        for entry in entries {
            offsets.append(offset)
            offset += Int(entry.length)
        }
        offsets.append(offset)
        self.offsets = offsets
    }

    /// Reads the first `36 · shards` bytes of a patch.
    public init(parsing bytes: UnsafeRawBufferPointer, shards: Int) throws(ParseError) {
        var cursor = ByteCursor(bytes)
        var entries: [Entry] = []
        entries.reserveCapacity(shards)
        var total = 0
        for _ in 0..<shards {
            let start = cursor.offset
            let entry = Entry(length: try cursor.readUInt32(), digest: try cursor.readDigest())
            total += Int(entry.length)
            // The shortest section is one byte: no groups of spent outpoints.
            guard entry.length > 0, total <= Self.maxSectionBytes else {
                throw ParseError(.outOfRange("a section's length"), at: start)
            }
            entries.append(entry)
        }
        try cursor.finish()
        self.init(entries)
    }

    /// Bytes of the index itself.
    var size: Int { entries.count * Self.entrySize }
    /// Bytes of the whole patch.
    public var patchSize: Int { offsets[entries.count] }

    public func range(of shard: Int) -> Range<Int> { offsets[shard]..<offsets[shard + 1] }

    public func append(to out: inout ByteBuffer) {
        for entry in entries {
            out.append(entry.length)
            out.append(entry.digest)
        }
    }

    /// The patch root.
    public var root: Digest {
        let emptyLeaf = Self.leaf(.empty)
        return MerkleTree.root(ofLeaves: entries.map { $0 == .empty ? emptyLeaf : Self.leaf($0) })
    }

    private static func leaf(_ entry: Entry) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: entrySize, alignment: 4) { bytes in
            bytes.storeBytes(of: entry.length.littleEndian, as: UInt32.self)
            entry.digest.withBytes {
                UnsafeMutableRawBufferPointer(rebasing: bytes[4...]).copyMemory(from: $0)
            }
            return MerkleTree.leaf(UnsafeRawBufferPointer(bytes))
        }
    }
}

extension PatchIndex {
    /// Checks a whole patch: its index, its length and the digest of every section.
    public init(checking patch: UnsafeRawBufferPointer, shards: Int) throws(ParseError) {
        var cursor = ByteCursor(patch)
        try self.init(parsing: try cursor.readBytes(shards * Self.entrySize), shards: shards)
        guard patch.count >= patchSize else { throw ParseError(.truncated, at: patch.count) }
        guard patch.count == patchSize else { throw ParseError(.trailingBytes, at: patchSize) }
        for (shard, entry) in entries.enumerated() where entry != .empty || patch[offsets[shard]] != 0 {
            let section = UnsafeRawBufferPointer(rebasing: patch[range(of: shard)])
            guard SHA256.hash(section) == entry.digest else {
                throw ParseError(
                    .malformed(
                        "has a section for shard \(TreePath.shardDigits(shard)) that is not the one its index names"
                    ),
                    at: offsets[shard])
            }
        }
    }

    /// The most canonical bytes a patch can have.
    public static func maxBytes(shards: Int) -> Int { shards * entrySize + maxSectionBytes }
}
