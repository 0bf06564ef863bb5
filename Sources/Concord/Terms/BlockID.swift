/// Which block: its height and hash.
public struct BlockID: Hashable, Sendable, CustomStringConvertible {
    public var height: Int
    /// Internal byte order.
    public var hash: Digest

    public init(height: Int, hash: Digest) {
        self.height = height
        self.hash = hash
    }

    /// `HEIGHT BLOCK`, as in latest.txt.
    public var description: String { "\(height) \(hash.reversedHex)" }
}
