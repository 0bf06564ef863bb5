/// Bytes in Bitcoin's base 58 with a checksum (base58check): Bitcoin Core's `base58.cpp`.
enum Base58 {
    private static let digits = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

    /// The cost of decoding grows with the square of the length; the longest thing of Bitcoin's in base58check, an
    /// extended key, has 112 characters.
    private static let longest = 128

    /// The text for `payload` and the first four bytes of its double SHA-256.
    static func encode(_ payload: [UInt8]) -> String {
        encode(unchecked: payload + checksum(payload))
    }

    /// The payload that `encode` has this text for; at least one byte. Spaces are not skipped.
    static func decode(_ text: String) throws(AddressError) -> [UInt8] {
        guard text.utf8.count <= longest else { throw .tooLong(text.utf8.count) }
        let bytes = try decode(unchecked: text)
        guard bytes.count > 4 else { throw .tooShort }
        let payload = Array(bytes.dropLast(4))
        guard checksum(payload) == Array(bytes.suffix(4)) else { throw .checksum }
        return payload
    }

    /// Bitcoin Core's `EncodeBase58`, without a checksum.
    static func encode(unchecked bytes: [UInt8]) -> String {
        let zeros = bytes.prefix { $0 == 0 }.count
        var places: [UInt8] = []  // base 58, least significant first
        for byte in bytes.dropFirst(zeros) {
            var carry = Int(byte)
            for i in places.indices {
                carry += Int(places[i]) << 8
                places[i] = UInt8(carry % 58)
                carry /= 58
            }
            while carry > 0 {
                places.append(UInt8(carry % 58))
                carry /= 58
            }
        }
        let text = [UInt8](repeating: digits[0], count: zeros) + places.reversed().map { digits[Int($0)] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Bitcoin Core's `DecodeBase58`, without a checksum.
    static func decode(unchecked text: String) throws(AddressError) -> [UInt8] {
        var places: [UInt8] = []  // base 256, least significant first
        for (offset, character) in text.utf8.enumerated() {
            guard let digit = digits.firstIndex(of: character) else { throw .character(in: text, at: offset) }
            var carry = digit
            for i in places.indices {
                carry += Int(places[i]) * 58
                places[i] = UInt8(carry & 0xff)
                carry >>= 8
            }
            if carry > 0 { places.append(UInt8(carry)) }
        }
        let zeros = text.utf8.prefix { $0 == digits[0] }.count
        return [UInt8](repeating: 0, count: zeros) + places.reversed()
    }

    private static func checksum(_ payload: [UInt8]) -> [UInt8] {
        Array(payload.withBytes { SHA256.double($0) }.bytes.prefix(4))
    }
}
