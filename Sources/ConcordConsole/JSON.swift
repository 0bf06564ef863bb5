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
    return shown(numbers([UInt8](try encoder.encode(value)))) + Array("\n".utf8)
}

/// An amount in bitcoin, which becomes a number with all eight decimals, as Bitcoin Core prints amounts. `JSONEncoder` writes
/// no such numbers.
public struct BitcoinJSON: Encodable, Sendable {
    private let satoshi: UInt64

    public init(_ satoshi: UInt64) {
        self.satoshi = satoshi
    }

    /// What no other text of ours begins with: a control character, and how the encoder writes it.
    private static let mark = "\u{2}"
    static let encodedMark = Array("\"\\u0002".utf8)

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Self.mark + Amount.bitcoin(satoshi))
    }
}

/// JSON in which each amount that was marked is a number.
private func numbers(_ json: [UInt8]) -> [UInt8] {
    var numbered: [UInt8] = []
    var rest = json[...]
    while let marked = rest.firstRange(of: BitcoinJSON.encodedMark) {
        let number = rest[marked.upperBound...].prefix { "0123456789.".utf8.contains($0) }
        let isNumber = rest[number.endIndex...].first == UInt8(ascii: "\"")
        numbered += rest[..<(isNumber ? marked.lowerBound : marked.upperBound)] + number
        rest = rest[number.endIndex...].dropFirst(isNumber ? 1 : 0)
    }
    return numbered + rest
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
