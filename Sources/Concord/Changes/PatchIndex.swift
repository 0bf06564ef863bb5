/// The index at the head of a patch or delta: for every shard, in order, the length of its section and its SHA-256
/// (FORMAT.md, «Patches»). The patch root is the Merkle tree hash over these entries.
public struct PatchIndex: Sendable {
    /// Bytes of one entry: u32 length, SHA-256.
    public static let entrySize = 36
    /// No block of 4,000,000 weight units changes this many bytes: sections of a patch together are refused beyond, and
    /// those of a delta beyond as often this as it has blocks.
    public static let maxSectionBytes = 16 << 20

    public struct Entry: Equatable, Sendable {
        public let length: UInt32
        public let digest: Digest

        init(length: UInt32, digest: Digest) {
            (self.length, self.digest) = (length, digest)
        }

        /// Of a section.
        public init(_ section: UnsafeRawBufferPointer) {
            self.init(length: UInt32(section.count), digest: SHA256.hash(section))
        }

        public func append(to out: inout ByteBuffer) {
            out.append(length)
            out.append(digest)
        }

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
    ///
    /// - Parameter span: blocks whose changes these are.
    public init(parsing bytes: UnsafeRawBufferPointer, shards: Int, span: Int = 1) throws(ParseError) {
        var cursor = ByteCursor(bytes)
        var entries: [Entry] = []
        entries.reserveCapacity(shards)
        var total = 0
        for _ in 0..<shards {
            let start = cursor.offset
            let entry = Entry(length: try cursor.readUInt32(), digest: try cursor.readDigest())
            total += Int(entry.length)
            // The shortest section is one byte: no groups of spent outpoints.
            guard entry.length > 0, total <= span * Self.maxSectionBytes else {
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
        for entry in entries { entry.append(to: &out) }
    }

    /// The patch root.
    public var root: Digest { nodes(1)[0] }

    /// The inner nodes of the Merkle tree on the level that has `count` of them.
    public func nodes(_ count: Int) -> [Digest] {
        let emptyLeaf = Self.leaf(.empty)
        return MerkleTree.nodes(count, ofLeaves: entries.map { $0 == .empty ? emptyLeaf : Self.leaf($0) })
    }

    /// The Merkle tree hash over the entries of some shards, in their canonical bytes; their number is a power of two.
    public static func node(ofEntries bytes: UnsafeRawBufferPointer) -> Digest {
        MerkleTree.root(
            ofLeaves: (0..<bytes.count / entrySize).map { i in
                MerkleTree.leaf(
                    UnsafeRawBufferPointer(rebasing: bytes[i * entrySize..<(i + 1) * entrySize]))
            })
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
    /// Checks the canonical bytes of a whole patch or delta: index, length and the digest of every section.
    public init(checking patch: UnsafeRawBufferPointer, shards: Int, span: Int = 1) throws(ParseError) {
        var cursor = ByteCursor(patch)
        try self.init(parsing: try cursor.readBytes(shards * Self.entrySize), shards: shards, span: span)
        guard patch.count >= patchSize else { throw ParseError(.truncated, at: patch.count) }
        guard patch.count == patchSize else { throw ParseError(.trailingBytes, at: patchSize) }
        for shard in entries.indices {
            guard isSection(UnsafeRawBufferPointer(rebasing: patch[range(of: shard)]), of: shard) else {
                throw Self.wrongSection(shard, at: offsets[shard])
            }
        }
    }

    /// Whether these bytes are the section that the index has of a shard.
    public func isSection(_ bytes: UnsafeRawBufferPointer, of shard: Int) -> Bool {
        guard bytes.count == Int(entries[shard].length) else { return false }
        if entries[shard] == .empty { return bytes[0] == 0 }
        return SHA256.hash(bytes) == entries[shard].digest
    }

    static func wrongSection(_ shard: Int, at offset: Int) -> ParseError {
        ParseError(
            .malformed(
                "has a section for shard \(TreePath.shardDigits(shard)) that is not the one its index names"),
            at: offset)
    }

    /// The most canonical bytes that a patch, or a delta of so many blocks, can have.
    public static func maxBytes(shards: Int, span: Int = 1) -> Int {
        shards * entrySize + span * maxSectionBytes
    }
}
