import Concord

/// What is wrong with a node, or with what it says: which node, what was asked of it, what it said, and what to do.
public struct NodeError: Error, CustomStringConvertible, Sendable {
    public enum Kind: Equatable, Sendable {
        /// The address cannot be one.
        case address
        /// It may pass by itself: not there, too slow, warming up, too busy.
        case passing
        /// Name, password or permissions.
        case denied
        /// The node refuses a call, with its own number for the reason (Bitcoin Core's rpc/protocol.h).
        case refused(Int)
        /// What came is no answer to what was asked.
        case garbage
        /// It is a node, but not one that can be used: of another network, or without the data.
        case unsuitable
        /// What it says of its chain is not what it said, or not what its own data comes to.
        case contradiction
        /// Its chain has moved since it was read: what was worked out is of a block that it has left.
        case moved
        /// Whoever asked does not want to know any more.
        case stopped
        /// A file on this machine: the password's.
        case local
    }

    public let kind: Kind
    /// URL and method, or the file.
    public let subject: String
    public let message: String

    init(_ kind: Kind, _ subject: String, _ message: String) {
        self.kind = kind
        self.subject = subject
        self.message = message
    }

    /// What is wrong, without what a person may do about a chain that has moved: whoever looks again by itself says this.
    public var words: String { "\(subject): \(message)" }

    public var description: String { kind == .moved ? "\(words). Run the command again" : words }

    /// The data of a height changed while it was read.
    ///
    /// - Parameter source: a folder or a URL.
    public static func changed(_ source: String, height: Int) -> NodeError {
        NodeError(.moved, source, "changed while it was read, at height \(height)")
    }
}
