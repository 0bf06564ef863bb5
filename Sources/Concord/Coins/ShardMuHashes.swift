/// The MuHash of every shard's coins after a block, and the Merkle tree over them (FORMAT.md, «Statements»).
public struct ShardMuHashes: Hashable, Sendable {
    /// One a shard, internal order.
    public let entries: [Digest]
    /// The Merkle tree hash over each range of entries.
    public let nodes: [Digest]

    public init(_ entries: [Digest], _ parameters: TreeParameters) {
        self.entries = entries
        nodes = MerkleTree.nodes(parameters.ranges, ofLeaves: entries.map(Self.leaf))
    }

    /// What statements name as `muhashes`.
    public var root: Digest { MerkleTree.root(ofLeaves: nodes) }

    private static func leaf(_ entry: Digest) -> Digest { entry.withBytes(MerkleTree.leaf) }

    /// Bytes of a file.
    public static func size(_ parameters: TreeParameters) -> Int {
        32 * (parameters.ranges + parameters.shards)
    }

    /// The bytes of a file: the nodes, then the entries.
    public func append(to out: inout ByteBuffer) {
        for node in nodes { out.append(node) }
        for entry in entries { out.append(entry) }
    }

    /// Reads a whole file; the nodes must be those of the entries.
    public init(parsing bytes: [UInt8], _ parameters: TreeParameters) throws(ParseError) {
        let (nodes, entries) = try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            var digests: [Digest] = []
            for _ in 0..<parameters.ranges + parameters.shards { digests.append(try cursor.readDigest()) }
            try cursor.finish()
            return (digests.prefix(parameters.ranges), Array(digests.dropFirst(parameters.ranges)))
        }
        self.init(entries, parameters)
        if let wrong = nodes.indices.first(where: { nodes[$0] != self.nodes[$0] }) {
            throw ParseError(.malformed("has a node that is not that of its entries"), at: 32 * wrong)
        }
    }
}
