import Concord
import ConcordFiles

/// Where the best chain comes from: a folder of block files, a running node, or both.
public protocol ChainSource: Sendable {
    var network: Network { get }
    /// What messages call it: a path or a URL.
    var name: String { get }
    /// The height of the newest block.
    var tip: Int { get }
    /// The block of the best chain at a height from 0 to `tip`.
    func blockID(at height: Int) -> BlockID
    /// The 80 bytes of that block's header.
    func header(at height: Int) throws -> [UInt8]
    /// Whether the node has this block, on whatever branch.
    func knows(_ block: BlockID) throws -> Bool
    /// Whether the node is done with its work and has left this block, which is above its tip: one that its operator has
    /// declared invalid (`invalidateblock`). False where nobody can tell.
    func hasLeft(_ block: BlockID) throws -> Bool
    /// How many blocks from a height on are best asked for at once; at least one.
    func batch(from height: Int) -> Int
    /// Gets blocks ready to be read, from any thread.
    func blocks(_ heights: Range<Int>) throws -> any BlockReader
    /// Compares statements with what the node itself says of its set after these blocks, where it says anything.
    func confirm(_ statements: [Statement]) throws
    /// The MuHash of the node's own set after a block of the chain; nil where it cannot say.
    func ownMuHash(of block: BlockID) throws -> Digest?
}

extension ChainSource {
    public func confirm(_ statements: [Statement]) throws {}
    public func hasLeft(_ block: BlockID) throws -> Bool { false }
    public func ownMuHash(of block: BlockID) throws -> Digest? { nil }
}

/// Blocks of the best chain that are at hand.
public protocol BlockReader: Sendable {
    /// Replaces what the buffers hold with a block and its undo record without the checksum, which is empty for the
    /// genesis block.
    func read(_ height: Int, block: inout ByteBuffer, undo: inout ByteBuffer) throws
    /// The error for a block, or an undo record, that was read but makes no sense.
    func damaged(_ height: Int, _ error: BlockError) -> FileError
}
