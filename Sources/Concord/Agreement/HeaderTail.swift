/// The last headers of a chain, up to one block: enough to see which blocks it stands on, and to go on with a chain that
/// is a few blocks behind.
public struct HeaderTail: Sendable {
    /// 80 bytes each, lowest first.
    public let headers: [UInt8]
    /// The height of the first.
    public let start: Int
    public let tip: BlockID
    private let chain: HeaderChain

    /// Blocks below the tip, where its epoch has so many.
    public static let depth = Agreement.defaultDepth

    /// The bytes of an epoch's headers file that are wanted of a chain that ends at a height.
    public static func range(of height: Int, _ parameters: TreeParameters) -> Range<Int> {
        let start = parameters.epochStart(of: height)
        return (max(height - depth, start) - start) * BlockHeader.size..<(height + 1 - start)
            * BlockHeader.size
    }

    /// Nil unless these are headers, each the child of the one before, and the last is that of the block.
    public init?(_ headers: [UInt8], leadingTo tip: BlockID, _ parameters: TreeParameters) {
        let range = Self.range(of: tip.height, parameters)
        start = parameters.epochStart(of: tip.height) + range.lowerBound / BlockHeader.size
        guard headers.count == range.count, let chain = try? HeaderChain(parsing: headers, from: start),
            chain.block(at: tip.height) == tip
        else { return nil }
        self.headers = headers
        self.tip = tip
        self.chain = chain
    }

    /// The blocks below the tip, highest first, down to the parent of the first header.
    public var blocks: [BlockID] {
        let blocks = (start..<tip.height).reversed().compactMap(chain.block(at:))
        return start > 0 ? blocks + [BlockID(height: start - 1, hash: chain.parent)] : blocks
    }
}
