/// The headers of an epoch's blocks, each the child of the one before (FORMAT.md, «Layout», headers).
public struct HeaderChain: Sendable {
    /// The height of the first.
    public let start: Int
    /// Internal byte order; the first one's parent is `parent`.
    public let hashes: [Digest]
    public let parent: Digest

    /// Reads 80 bytes a header; at least one.
    ///
    /// - Parameter network: the one whose genesis block and easiest target they are held to, if any.
    public init(parsing bytes: [UInt8], from start: Int, of network: Network? = nil) throws(ParseError) {
        guard !bytes.isEmpty, bytes.count.isMultiple(of: BlockHeader.size) else {
            throw ParseError(.malformed("is not a whole number of headers"), at: bytes.count)
        }
        self.start = start
        let easiest = network.map { HeaderRules($0).limit }
        var hashes: [Digest] = []
        var parent = Digest.zero
        try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            while !cursor.isAtEnd {
                let offset = cursor.offset
                let header = try BlockHeader(parsing: &cursor)
                if hashes.isEmpty { parent = header.parent }
                guard hashes.isEmpty || header.parent == hashes.last else {
                    throw ParseError(
                        .malformed("has a header that is not the child of the one before"), at: offset)
                }
                if let network, start == 0, hashes.isEmpty, header.hash.reversedHex != network.genesis {
                    throw ParseError(
                        .malformed("begins with another block than the network does"), at: offset)
                }
                guard header.meetsItsTarget else {
                    throw ParseError(.malformed("has a header without proof of work"), at: offset)
                }
                if let easiest, let target = Target(bits: header.bits), target > easiest {
                    throw ParseError(
                        .malformed("has a header with a target that the network never allows"), at: offset)
                }
                hashes.append(header.hash)
            }
        }
        self.hashes = hashes
        self.parent = parent
    }

    /// The parent that the header of a height names; nil if that is not among them.
    public func parent(at height: Int) -> Digest? {
        height == start ? parent : block(at: height - 1)?.hash
    }

    /// The block at a height, if it is among them.
    public func block(at height: Int) -> BlockID? {
        hashes.indices.contains(height - start) ? BlockID(height: height, hash: hashes[height - start]) : nil
    }
}
