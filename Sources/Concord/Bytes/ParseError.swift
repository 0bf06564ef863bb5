/// Bytes that are not what they should be: what is wrong, and where.
public struct ParseError: Error, Equatable, Sendable {
    public enum Reason: Equatable, Sendable {
        /// The input ends before the value does.
        case truncated
        /// Bytes follow where the value ends.
        case trailingBytes
        /// A number that is not in its shortest form, or does not fit.
        case notCanonical
        /// A number outside what the format or consensus allows.
        case outOfRange(String)
        /// Records that are not in the order the format asks for, or twice there.
        case outOfOrder
        /// Anything else, in words.
        case malformed(String)
    }

    public var reason: Reason
    /// Bytes from the start of the input.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension ParseError: CustomStringConvertible {
    public var description: String {
        let what =
            switch reason {
            case .truncated: "ends too early"
            case .trailingBytes: "has bytes behind its end"
            case .notCanonical: "has a number that is not in its shortest form"
            case .outOfRange(let what): "has \(what) out of range"
            case .outOfOrder: "has records out of order or twice"
            case .malformed(let what): what
            }
        return "\(what) (at byte \(offset))"
    }
}
