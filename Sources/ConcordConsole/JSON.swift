import Foundation

/// Prints a result for scripts: one JSON object on standard output, keys sorted.
public func printJSON(_ value: some Encodable, onOneLine: Bool = false) throws {
    FileHandle.standardOutput.write(Data(try encodedJSON(value, onOneLine: onOneLine)))
}

/// What `printJSON` prints.
public func encodedJSON(_ value: some Encodable, onOneLine: Bool = false) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !onOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    return [UInt8](try encoder.encode(value)) + Array("\n".utf8)
}

/// A number with its thousands apart: 165 000 000.
public func grouped(_ number: some BinaryInteger) -> String {
    let digits = Array(String(number))
    var text = ""
    for (i, digit) in digits.enumerated() {
        if i > 0, (digits.count - i) % 3 == 0, text.last != "-" { text.append("\u{a0}") }
        text.append(digit)
    }
    return text
}
