/// BIP 173's base 32 with a checksum, and BIP 350's Bech32m, which differs in one constant.
enum Bech32 {
    /// Which checksum a text ends with. No text has both.
    enum Variant: UInt32 {
        case bech32 = 1
        case bech32m = 0x2bc8_30a3
    }

    private static let digits = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    private static let separator = UInt8(ascii: "1")

    /// The lower-case text; `values` are numbers below 32.
    static func encode(prefix: String, values: [UInt8], variant: Variant) -> String {
        let remainder =
            polymod(expanded(prefix.utf8) + values + [UInt8](repeating: 0, count: 6)) ^ variant.rawValue
        let checksum = (0..<6).map { UInt8(remainder >> (5 * (5 - $0)) & 31) }
        return prefix + "1" + String(decoding: (values + checksum).map { digits[Int($0)] }, as: UTF8.self)
    }

    /// The human-readable part in lower case and the values between it and the checksum.
    static func decode(
        _ text: String
    ) throws(AddressError) -> (prefix: String, values: [UInt8], variant: Variant) {
        let characters = Array(text.utf8)
        guard characters.count <= 90 else { throw .tooLong(characters.count) }
        if let offset = characters.firstIndex(where: { !(33...126).contains($0) }) {
            throw .character(in: text, at: offset)
        }
        let lower = characters.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
        guard lower == characters || !characters.contains(where: { (97...122).contains($0) }) else {
            throw .mixedCase
        }
        guard let end = lower.lastIndex(of: separator) else { throw .noPrefix }
        guard end > 0 else { throw .noPrefix }
        guard lower.count - end - 1 >= 6 else { throw .tooShort }
        var values: [UInt8] = []
        for offset in (end + 1)..<lower.count {
            guard let value = digits.firstIndex(of: lower[offset]) else {
                throw .character(in: text, at: offset)
            }
            values.append(UInt8(value))
        }
        guard let variant = Variant(rawValue: polymod(expanded(lower[..<end]) + values)) else {
            throw .checksum
        }
        return (String(decoding: lower[..<end], as: UTF8.self), values.dropLast(6), variant)
    }

    private static func expanded(_ prefix: some Collection<UInt8>) -> [UInt8] {
        prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 }
    }

    private static func polymod(_ values: [UInt8]) -> UInt32 {
        let generator: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        var check: UInt32 = 1
        for value in values {
            let top = check >> 25
            check = (check & 0x1ff_ffff) << 5 ^ UInt32(value)
            for (i, term) in generator.enumerated() where top >> i & 1 == 1 { check ^= term }
        }
        return check
    }

    /// Bytes as numbers below 32, first bit first; zero bits fill the last one up.
    static func fives(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var bits = 0
        var held = 0
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xfff
            held += 8
            while held >= 5 {
                held -= 5
                result.append(UInt8(bits >> held & 31))
            }
        }
        if held > 0 { result.append(UInt8(bits << (5 - held) & 31)) }
        return result
    }

    /// The inverse of `fives`: at most four bits may be left over, all zero.
    static func bytes(_ fives: some Sequence<UInt8>) throws(AddressError) -> [UInt8] {
        var result: [UInt8] = []
        var bits = 0
        var held = 0
        for value in fives {
            bits = (bits << 5 | Int(value)) & 0xfff
            held += 5
            if held >= 8 {
                held -= 8
                result.append(UInt8(bits >> held & 0xff))
            }
        }
        guard held < 5, bits & (1 << held - 1) == 0 else { throw .padding }
        return result
    }
}
