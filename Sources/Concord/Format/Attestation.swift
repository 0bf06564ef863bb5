/// A statement and who says it, when and with what: the text that is signed (FORMAT.md, «Attestations»).
public struct Attestation: Hashable, Sendable {
    public var statement: Statement
    public var authority: AuthorityName
    public var key: PublicKey
    /// Seconds since 1970.
    public var time: Int64
    /// Printable ASCII, like `concord/0.1.0`.
    public var software: String
    public var note: String?

    /// A file longer than this is no attestation.
    public static let maxBytes = 2048
    /// Longest `software` and `note`.
    public static let maxTextBytes = 200

    public init(
        statement: Statement, authority: AuthorityName, key: PublicKey, time: Int64, software: String,
        note: String? = nil
    ) {
        self.statement = statement
        self.authority = authority
        self.key = key
        self.time = time
        self.software = software
        self.note = note
    }

    public var text: String {
        """
        \(statement.text)
        authority: \(authority)
        key: \(key.hex)
        time: \(Timestamp.text(time))
        software: \(software)
        \(note.map { "note: \($0)\n" } ?? "")
        """
    }

    /// SHA-256 of the text: what the detached signature signs.
    public var digest: Digest { SHA256.hash(text) }

    /// Reads a whole file. It is not believed before its signature is checked.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= Self.maxBytes else {
            throw ParseError(.outOfRange("an attestation's length"), at: Self.maxBytes)
        }
        var lines = FieldLines(bytes)
        statement = try Statement(parsing: &lines)
        try lines.expect("")
        authority = try lines.value("authority") { AuthorityName($0) }
        key = try lines.value("key") { PublicKey(hex: $0) }
        time = try lines.value("time", Timestamp.seconds)
        software = try lines.value("software", Self.text)
        note = lines.isNext("note") ? try lines.value("note", Self.text) : nil
        try lines.finish()
    }

    private static func text(_ text: String) -> String? {
        (1...maxTextBytes).contains(text.utf8.count) && text.first != " " ? text : nil
    }

    /// Whether this can stand in the fields `software` and `note`.
    public static func isText(_ text: String) -> Bool {
        Self.text(text) != nil && text.utf8.allSatisfy { (0x20...0x7e).contains($0) } && text.last != " "
    }
}

/// The name of an authority: 1 to 40 of the characters a–z, A–Z, 0–9, `.`, `_` and `-`, the first a letter or digit.
public struct AuthorityName: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init?(_ text: some StringProtocol) {
        let isAlphanumeric = { (c: UInt8) in
            (0x30...0x39).contains(c) || (0x41...0x5a).contains(c) || (0x61...0x7a).contains(c)
        }
        guard (1...40).contains(text.utf8.count), let first = text.utf8.first, isAlphanumeric(first),
            text.utf8.allSatisfy({ isAlphanumeric($0) || [0x2e, 0x5f, 0x2d].contains($0) })
        else { return nil }
        description = String(text)
    }
}
