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
