/// A value of BitTorrent's files (BEP 3), to be written in its only form: keys stand in the order of their bytes.
indirect enum Bencode {
    case integer(Int)
    case bytes([UInt8])
    case list([Bencode])
    case dictionary([[UInt8]: Bencode])
    /// One that is encoded already.
    case encoded([UInt8])

    static func text(_ text: String) -> Bencode { .bytes(Array(text.utf8)) }

    static func fields(_ fields: [String: Bencode]) -> Bencode {
        .dictionary([[UInt8]: Bencode](uniqueKeysWithValues: fields.map { (Array($0.utf8), $1) }))
    }

    var encoded: [UInt8] {
        var out: [UInt8] = []
        encode(into: &out)
        return out
    }

    private func encode(into out: inout [UInt8]) {
        switch self {
        case .integer(let value): out += "i\(value)e".utf8
        case .bytes(let bytes):
            out += "\(bytes.count):".utf8
            out += bytes
        case .list(let values):
            out.append(UInt8(ascii: "l"))
            for value in values { value.encode(into: &out) }
            out.append(UInt8(ascii: "e"))
        case .dictionary(let values):
            out.append(UInt8(ascii: "d"))
            for (key, value) in values.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                Bencode.bytes(key).encode(into: &out)
                value.encode(into: &out)
            }
            out.append(UInt8(ascii: "e"))
        case .encoded(let bytes): out += bytes
        }
    }

    /// The values of a dictionary by their keys, each as it is encoded. Throws unless there is nothing else.
    static func values(ofDictionary bytes: [UInt8]) throws(ParseError) -> [String: [UInt8]] {
        try bytes.withBytes { raw throws(ParseError) in
            var cursor = ByteCursor(raw)
            var values: [String: [UInt8]] = [:]
            guard try cursor.readUInt8() == UInt8(ascii: "d") else {
                throw ParseError(.malformed("is no dictionary"), at: 0)
            }
            while raw[cursor.offset...].first != UInt8(ascii: "e") {
                let key = String(decoding: try string(&cursor), as: UTF8.self)
                let start = cursor.offset
                try skip(&cursor)
                values[key] = [UInt8](raw[start..<cursor.offset])
            }
            try cursor.skip(1)
            try cursor.finish()
            return values
        }
    }

    private static func skip(_ cursor: inout ByteCursor) throws(ParseError) {
        // How many lists and dictionaries it is inside of.
        var depth = 0
        repeat {
            let start = cursor
            switch try cursor.readUInt8() {
            case UInt8(ascii: "l"), UInt8(ascii: "d"): depth += 1
            case UInt8(ascii: "e") where depth > 0: depth -= 1
            case UInt8(ascii: "i"): while try cursor.readUInt8() != UInt8(ascii: "e") {}
            default:
                cursor = start
                _ = try string(&cursor)
            }
        } while depth > 0
    }

    private static func string(_ cursor: inout ByteCursor) throws(ParseError) -> UnsafeRawBufferPointer {
        let start = cursor.offset
        var count = 0
        while true {
            switch try cursor.readUInt8() {
            case let digit where (0x30...0x39).contains(digit) && count < 1 << 32:
                count = 10 * count + Int(digit - 0x30)
            case UInt8(ascii: ":") where cursor.offset > start + 1: return try cursor.readBytes(count)
            default: throw ParseError(.malformed("is no string"), at: start)
            }
        }
    }
}
