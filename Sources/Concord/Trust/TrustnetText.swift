/// `trustnet.json` has one form only: the same trustnet is the same bytes, and text that parses prints again as it was.
extension Trustnet {
    /// The exact text: JSON, members in this order, two spaces a level, one value a line, LF at the end.
    public var text: String {
        """
        {
          "format": "concord/1 trustnet",
          "name": "\(name)",
          "network": "\(network.rawValue)",
          "version": \(version),
          "expires": "\(Timestamp.text(expires))",
          "shards": \(parameters.shards),
          "epoch": \(parameters.epoch),
          "minimum": \(minimum),
          "bootstrap": "\(bootstrap.hex)",
          "authorities": [\(members.isEmpty ? "]" : members.map(Self.text).joined(separator: ",") + "\n  ]")
        }

        """
    }

    private static func text(_ member: Member) -> String {
        let authority = member.authority
        return """

                {
                  "name": "\(authority.name)",
                  "key": "\(authority.key.hex)",
            \(member.withdrawn.map { "      \"withdrawn\": \($0),\n" } ?? "")\
                  "urls": [
            \(authority.urls.map { "        \"\($0)\"" }.joined(separator: ",\n"))
                  ]
                }
            """
    }

    /// Reads a whole file. It is not believed before its signature is checked.
    public init(parsing bytes: [UInt8]) throws(TrustnetError) {
        try self.init(parsingDraft: bytes)
        try check()
    }

    /// Reads a list that is still being made: it may have fewer authorities than its minimum.
    public init(parsingDraft bytes: [UInt8]) throws(TrustnetError) {
        guard bytes.count <= Self.maxBytes else {
            throw .malformed(ParseError(.outOfRange("a trustnet's length"), at: Self.maxBytes))
        }
        var lines = FieldLines(bytes)
        do throws(ParseError) { try self.init(lines: &lines) } catch { throw .malformed(error) }
        try checkDraft()
    }

    private init(lines: inout FieldLines) throws(ParseError) {
        try lines.expect("{")
        try lines.expect("  \"format\": \"concord/1 trustnet\",")
        name = try lines.string("name") { AuthorityName($0) }
        network = try lines.string("network") { Network(rawValue: $0) }
        version = try lines.number("version", atMost: Self.maxVersion)
        expires = try lines.string("expires", Timestamp.seconds)
        let start = lines.offset
        let shards = try lines.number("shards", atMost: TreeParameters.maxShards)
        let epoch = try lines.number("epoch", atMost: TreeParameters.maxEpoch)
        guard let parameters = TreeParameters(checking: shards, epoch: epoch) else {
            throw ParseError(.outOfRange("the number of shards or blocks of an epoch"), at: start)
        }
        self.parameters = parameters
        minimum = try lines.number("minimum", atMost: Self.maxMembers)
        bootstrap = try lines.string("bootstrap") { PublicKey(hex: $0) }
        members = []
        let isEmpty = try lines.value("  \"authorities\"") { ["[]": true, "[": false][$0] }
        var isLast = isEmpty
        while !isLast {
            members.append(try Self.member(&lines))
            isLast = try lines.isEnd(of: "    }")
        }
        if !isEmpty { try lines.expect("  ]") }
        try lines.expect("}")
        try lines.finish()
    }

    /// All of a member but its last line.
    private static func member(_ lines: inout FieldLines) throws(ParseError) -> Member {
        try lines.expect("    {")
        let name = try lines.string("name", indent: 6) { AuthorityName($0) }
        let key = try lines.string("key", indent: 6) { PublicKey(hex: $0) }
        let withdrawn =
            lines.isNext("      \"withdrawn\"")
            ? try lines.number("withdrawn", indent: 6, atMost: TreePath.maxHeight) : nil
        try lines.expect("      \"urls\": [")
        var urls: [String] = []
        var isLast = false
        while !isLast {
            let start = lines.offset
            var line = try lines.line()
            isLast = line.last != ","
            if !isLast { line.removeLast() }
            guard line.hasPrefix("        "), let url = FieldLines.unquoted(line.dropFirst(8)) else {
                throw ParseError(.malformed("lacks a URL"), at: start)
            }
            urls.append(url)
        }
        try lines.expect("      ]")
        return Member(Authority(name: name, key: key, urls: urls), withdrawn: withdrawn)
    }
}

/// Members of a JSON object, each on its line with a comma behind it.
extension FieldLines {
    fileprivate mutating func string<T>(
        _ name: String, indent: Int = 2, _ parse: (String) -> T?
    ) throws(ParseError) -> T {
        try value(Self.member(name, indent)) { text in
            text.last == "," ? Self.unquoted(text.dropLast()).flatMap(parse) : nil
        }
    }

    fileprivate mutating func number(
        _ name: String, indent: Int = 2, atMost most: Int
    ) throws(ParseError) -> Int {
        try value(Self.member(name, indent)) { text in
            text.last == "," ? Self.decimal(String(text.dropLast()), atMost: UInt64(most)).map(Int.init) : nil
        }
    }

    /// Reads the line that ends one of several things, and says if it was the last of them: no comma follows.
    fileprivate mutating func isEnd(of text: String) throws(ParseError) -> Bool {
        let start = offset
        let line = try line()
        guard line == text || line == text + "," else {
            throw ParseError(.malformed("lacks the line «\(text)»"), at: start)
        }
        return line == text
    }

    private static func member(_ name: String, _ indent: Int) -> String {
        String(repeating: " ", count: indent) + "\"\(name)\""
    }

    /// A JSON string in which nothing is escaped.
    fileprivate static func unquoted(_ text: Substring) -> String? {
        guard text.utf8.count >= 2, text.first == "\"", text.last == "\"" else { return nil }
        let inner = text.dropFirst().dropLast()
        return inner.contains("\"") || inner.contains("\\") ? nil : String(inner)
    }
}
