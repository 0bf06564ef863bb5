/// The text of a Swift source without its comments and the words of its strings, to look for names in it. What strings
/// interpolate stays, and every line keeps its number. Regular expressions between slashes are not known.
public struct SwiftCode {
    private let source: [UInt8]
    private var at = 0
    private var code: [UInt8] = []

    public static func of(_ text: String) -> String {
        var reader = SwiftCode(source: Array(text.utf8))
        while reader.at < reader.source.count {
            reader.copyCode()
            // A parenthesis that nothing opened.
            reader.copyByte()
        }
        return String(decoding: reader.code, as: UTF8.self)
    }

    private init(source: [UInt8]) { self.source = source }

    private func isNext(_ text: some StringProtocol) -> Bool { source[at...].starts(with: text.utf8) }

    private mutating func copyByte() {
        if at < source.count { code.append(source[at]) }
        at += 1
    }

    /// Passes over a byte that does not count; a line stays one.
    private mutating func skipByte() {
        if at < source.count, source[at] == UInt8(ascii: "\n") { code.append(source[at]) }
        at += 1
    }

    /// Goes on to the end or to a parenthesis that was opened before.
    private mutating func copyCode() {
        var open = 0
        while at < source.count {
            if isNext("//") {
                while at < source.count, !isNext("\n") { skipByte() }
            } else if isNext("/*") {
                skipComment()
            } else if let hashes = stringStart() {
                copyString(hashes)
            } else {
                if isNext("(") { open += 1 }
                if isNext(")") {
                    if open == 0 { return }
                    open -= 1
                }
                copyByte()
            }
        }
    }

    /// Comments stand in comments.
    private mutating func skipComment() {
        var open = 0
        repeat {
            if isNext("/*") { open += 1 }
            if isNext("*/") { open -= 1 }
            let isMark = isNext("/*") || isNext("*/")
            for _ in 0..<(isMark ? 2 : 1) { skipByte() }
        } while open > 0 && at < source.count
    }

    /// The number signs before a string that begins here.
    private func stringStart() -> String? {
        let hashes = source[at...].prefix { $0 == UInt8(ascii: "#") }
        guard at + hashes.count < source.count, source[at + hashes.count] == UInt8(ascii: "\"") else {
            return nil
        }
        return String(decoding: hashes, as: UTF8.self)
    }

    private mutating func copyString(_ hashes: String) {
        at += hashes.utf8.count
        let quotes = isNext("\"\"\"") ? "\"\"\"" : "\""
        let (end, escape) = (quotes + hashes, "\\" + hashes)
        at += quotes.utf8.count
        code += "\"".utf8
        while at < source.count, !isNext(end) {
            if isNext(escape) {
                at += escape.utf8.count
                if at < source.count, isNext("(") {
                    copyByte()
                    copyCode()
                    copyByte()
                } else {
                    skipByte()
                }
            } else {
                skipByte()
            }
        }
        at += end.utf8.count
        code += "\"".utf8
    }
}
