/// Follows a network's headers from the genesis block on, and keeps only what is needed to judge the next one.
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
    /// The expected number of hashes for all the headers together, the genesis block's too (`nChainWork`).
    public private(set) var work: UInt128 = 0
    /// The latest time that any header names, seconds since 1970. Nodes refuse a block that is more than
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
