import Concord
import ConcordFiles

/// What the blocks claim to spend is not what the set has, or the set is not what was said of it: nothing of this may be
/// signed.
public struct SetContradiction: Error, CustomStringConvertible {
    /// What is wrong, where, and how to go on with the chain data.
    public let fault: FileError
    /// The height of the first block that spends a coin as the set does not have it; nil where no block does.
    public let height: Int?

    public var description: String { fault.description }
}
