import Concord
import Foundation

/// Prints a result for scripts: one JSON object on standard output, keys sorted.
public func printJSON(_ value: some Encodable, onOneLine: Bool = false) throws {
    try Output.write(try encodedJSON(value, onOneLine: onOneLine))
}

/// What `printJSON` prints.
public func encodedJSON(_ value: some Encodable, onOneLine: Bool = false) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !onOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    return shown([UInt8](try encoder.encode(value))) + Array("\n".utf8)
}

/// JSON in which what nobody sees stands escaped, for objects are looked at on terminals too.
private func shown(_ json: [UInt8]) -> [UInt8] {
    let text = String(decoding: json, as: UTF8.self)
    guard text.unicodeScalars.contains(where: { $0.isHidden && $0 != "\n" }) else { return json }
    return text.unicodeScalars.flatMap { scalar -> [UInt8] in
        guard scalar.isHidden, scalar != "\n" else { return Array(UTF8.encode(scalar) ?? .init()) }
        return Unicode.UTF16.width(scalar) == 1
            ? escaped(UInt16(scalar.value))
            : escaped(Unicode.UTF16.leadSurrogate(scalar)) + escaped(Unicode.UTF16.trailSurrogate(scalar))
    }
}

private func escaped(_ unit: UInt16) -> [UInt8] {
    let digits = String(unit, radix: 16)
    return Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
}
