/// latest.txt: the newest attested block. Unsigned, a hint.
extension BlockID {
    /// Reads the one line of latest.txt.
    public init(parsingLatest bytes: [UInt8]) throws(ParseError) {
        var lines = FieldLines(bytes)
        let words = try lines.line().split(separator: " ", omittingEmptySubsequences: false)
        try lines.finish()
        guard words.count == 2, let height = FieldLines.height(String(words[0])),
            let hash = Digest(reversedHex: words[1])
        else { throw ParseError(.malformed("is not a height and a block hash"), at: 0) }
        self.init(height: height, hash: hash)
    }
}
