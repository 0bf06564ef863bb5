/// Reads the tree's text files: ASCII, LF line ends, `name: value` a line, in the order asked for, nothing else
/// (FORMAT.md, «Conventions»). What differs in a single byte is refused.
public struct FieldLines {
    private let bytes: [UInt8]
    public private(set) var offset = 0

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public var isAtEnd: Bool { offset == bytes.count }

    /// The next line without its LF.
    public mutating func line() throws(ParseError) -> String {
        guard let end = bytes[offset...].firstIndex(of: 0x0a) else {
            throw ParseError(.truncated, at: bytes.count)
        }
        let line = bytes[offset..<end]
        if let bad = line.firstIndex(where: { !(0x20...0x7e).contains($0) }) {
            throw ParseError(.malformed("has a byte that is not printable ASCII"), at: bad)
        }
        if line.last == 0x20 { throw ParseError(.malformed("has a space at the end of a line"), at: end - 1) }
        offset = end + 1
        return String(decoding: line, as: UTF8.self)
    }

    /// The next line, which must be exactly this.
    public mutating func expect(_ text: String) throws(ParseError) {
        let start = offset
        guard try line() == text else { throw ParseError(.malformed("lacks the line «\(text)»"), at: start) }
    }

    /// The value of the next line, which must have this name.
    public mutating func value(_ name: String) throws(ParseError) -> String {
        let start = offset
        let text = try line()
        guard text.hasPrefix(name + ": ") else {
            throw ParseError(.malformed("lacks the field «\(name)»"), at: start)
        }
        return String(text.dropFirst(name.count + 2))
    }

    /// The value, turned into something that prints as the very same text again.
    public mutating func value<T>(
        _ name: String, _ parse: (String) -> T?
    ) throws(ParseError) -> T {
        let start = offset
        guard let value = parse(try value(name)) else {
            throw ParseError(.malformed("has a wrong value in the field «\(name)»"), at: start)
        }
        return value
    }

    /// The next two lines, `shards` and `epoch`.
    public mutating func parameters() throws(ParseError) -> TreeParameters {
        let start = offset
        let shards = try value("shards") { Self.decimal($0, atMost: UInt64(TreeParameters.maxShards)) }
        let epoch = try value("epoch") { Self.decimal($0, atMost: UInt64(TreeParameters.maxEpoch)) }
        guard let parameters = TreeParameters(checking: Int(shards), epoch: Int(epoch)) else {
            throw ParseError(.outOfRange("the number of shards or blocks of an epoch"), at: start)
        }
        return parameters
    }

    /// Whether the next line begins with this name.
    public func isNext(_ name: String) -> Bool {
        bytes[offset...].starts(with: Array((name + ": ").utf8))
    }

    public func finish() throws(ParseError) {
        guard isAtEnd else { throw ParseError(.trailingBytes, at: offset) }
    }

    /// A decimal number without sign or leading zeros, at most `most`.
    public static func decimal(_ text: String, atMost most: UInt64 = .max) -> UInt64? {
        guard let value = UInt64(text), String(value) == text, value <= most else { return nil }
        return value
    }

    /// A height: seven digits hold it.
    public static func height(_ text: String) -> Int? {
        decimal(text, atMost: UInt64(TreePath.maxHeight)).map(Int.init)
    }
}
