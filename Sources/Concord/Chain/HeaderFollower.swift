/// Follows a network's headers from the genesis block on, or from one that is known, and keeps only what is needed to judge
/// the next one.
///
/// Checked are the genesis block, each link, the proof of work, the target that the rules ask for, the time against the
/// eleven blocks before, the version, and the blocks that the network's chain is known to have. What needs a clock is not:
/// see `latestTime`. What the headers of signet and regtest cannot show is said at `HeaderRules`.
public struct HeaderFollower: Sendable {
    public let network: Network
    private var context: HeaderContext
    /// The hash of the last header, internal byte order; that of no block before the first.
    private var hash = Digest.zero
    private let knownBlocks: [BlockID]
    /// How many of them are passed.
    private var passed = 0
    /// The expected number of hashes for all headers of the chain together, the genesis block's too (`nChainWork`).
    public private(set) var work: UInt128 = 0
    /// The latest time that any header names of those it was given, seconds since 1970. Nodes refuse a block that is more than
    /// `HeaderRules.maxAhead` ahead of their clock.
    public private(set) var latestTime: UInt32 = 0

    /// Stands before the genesis block.
    public init(_ network: Network) {
        self.init(network, knownBlocks: network.knownBlocks)
    }

    /// - Parameter knownBlocks: those that the chain must pass through, in order.
    init(_ network: Network, knownBlocks: [BlockID]) {
        self.network = network
        self.knownBlocks = knownBlocks
        context = HeaderContext(HeaderRules(network))
    }

    /// Stands on a pinned block.
    ///
    /// - Parameter headers: from `start.base` to that block, 80 bytes each.
    /// - Throws: `.truncated` unless they are so many; `.notKnown` for the highest that is not the pinned block's, or that
    ///   of the ancestor it has there.
    public init(
        _ network: Network, at start: PinnedStart, above headers: UnsafeRawBufferPointer
    ) throws(HeaderFault) {
        self.network = network
        knownBlocks = network.knownBlocks
        passed = knownBlocks.prefix { $0.height <= start.block.height }.count
        context = HeaderContext(HeaderRules(network), at: start.base - 1)
        (hash, work) = (start.block.hash, start.work)
        guard headers.count == start.count * BlockHeader.size else {
            throw HeaderFault(.truncated, height: start.base + headers.count / BlockHeader.size)
        }
        var cursor = ByteCursor(headers)
        var parsed: [BlockHeader] = []
        parsed.reserveCapacity(start.count)
        while let header = try? BlockHeader(parsing: &cursor) { parsed.append(header) }
        // From the pinned block down each names the next.
        var known = start.block
        for header in parsed.reversed() {
            guard header.hash == known.hash else {
                throw HeaderFault(.notKnown(known.hash), height: known.height)
            }
            known = BlockID(height: known.height - 1, hash: header.parent)
        }
        for header in parsed {
            context.append(time: header.time, bits: header.bits)
            latestTime = max(latestTime, header.time)
        }
    }

    /// Of the last header; -1 before the genesis block.
    public var height: Int { context.height }

    /// The last block; nil before the genesis block.
    public var tip: BlockID? { height < 0 ? nil : BlockID(height: height, hash: hash) }

    /// Goes on over headers of 80 bytes each, in order. After an error it stands before the header that is at fault.
    public mutating func follow(_ headers: UnsafeRawBufferPointer) throws(HeaderFault) {
        var cursor = ByteCursor(headers)
        while !cursor.isAtEnd {
            let header: BlockHeader
            do throws(ParseError) {
                header = try BlockHeader(parsing: &cursor)
            } catch {
                throw HeaderFault(.truncated, height: height + 1)
            }
            if let reason = fault(header) { throw HeaderFault(reason, height: height + 1) }
            append(header)
        }
    }

    /// What the next header must be, if that is known.
    private var known: BlockID? {
        passed < knownBlocks.count && knownBlocks[passed].height == height + 1 ? knownBlocks[passed] : nil
    }

    private func fault(_ header: BlockHeader) -> HeaderFault.Reason? {
        if height < 0 {
            return header.hash.reversedHex == network.genesis ? nil : .notGenesis
        }
        guard header.parent == hash else { return .notChild }
        guard header.meetsItsTarget else { return .noWork }
        if let known, known.hash != header.hash { return .notKnown(known.hash) }
        return context.fault(version: header.version, time: header.time, bits: header.bits)
    }

    private mutating func append(_ header: BlockHeader) {
        if known != nil { passed += 1 }
        context.append(time: header.time, bits: header.bits)
        hash = header.hash
        // What was really worked for does not overflow.
        work += BlockHeader.work(bits: header.bits)
        latestTime = max(latestTime, header.time)
    }
}
