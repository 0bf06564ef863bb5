import Concord

/// The headers of a chain from the genesis block on, checked as they come: each is the child of the one before and has
/// its proof of work.
struct HeaderList: Sendable {
    let network: Network
    /// 80 bytes each.
    private(set) var bytes: [UInt8] = []
    /// Internal byte order.
    private(set) var hashes: [Digest] = []

    init(_ network: Network) {
        self.network = network
    }

    var count: Int { hashes.count }

    func header(at height: Int) -> ArraySlice<UInt8> {
        bytes[height * BlockHeader.size..<(height + 1) * BlockHeader.size]
    }

    /// Whether this block is on the chain.
    func contains(_ block: BlockID) -> Bool {
        hashes.indices.contains(block.height) && hashes[block.height] == block.hash
    }

    /// The work of the chain up to a block, that one included (`nChainWork`).
    func work(through height: Int) -> UInt128 {
        var total: UInt128 = 0
        var last: (bits: UInt32, work: UInt128) = (0, 0)
        for height in 0...height {
            let start = height * BlockHeader.size + 72
            let bits = (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
            if bits != last.bits { last = (bits, BlockHeader.work(bits: bits)) }
            total += last.work
        }
        return total
    }

    /// The miner's time, seconds since 1970.
    func time(at height: Int) -> UInt32 {
        let start = height * BlockHeader.size + 68
        return (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
    }

    mutating func truncate(to count: Int) {
        guard count < self.count else { return }
        hashes.removeLast(self.count - count)
        bytes.removeLast(bytes.count - count * BlockHeader.size)
    }

    /// Adds the headers that follow, up to the first that is not one of this chain, and throws there.
    mutating func append(_ more: [UInt8]) throws(ParseError) {
        try more.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            while !cursor.isAtEnd {
                let start = cursor.offset
                let header = try BlockHeader(parsing: &cursor)
                if let last = hashes.last {
                    guard header.parent == last else {
                        throw ParseError(
                            .malformed("has a header that is not the child of the one before"), at: start)
                    }
                } else {
                    guard header.hash.reversedHex == network.genesis else {
                        throw ParseError(
                            .malformed("does not begin with the genesis block of \(network.rawValue)"),
                            at: start)
                    }
                }
                guard header.meetsItsTarget else {
                    throw ParseError(.malformed("has a header without proof of work"), at: start)
                }
                hashes.append(header.hash)
                bytes.append(contentsOf: raw[start..<cursor.offset])
            }
        }
    }
}
