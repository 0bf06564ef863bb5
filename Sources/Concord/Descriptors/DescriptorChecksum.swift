/// The checksum of a descriptor: BIP 380, Bitcoin Core's `DescriptorChecksum`.
enum DescriptorChecksum {
    /// The characters that a descriptor may have. Those of hex, paths and brackets are in the first group of 32.
    private static let characters = Array(
        ("0123456789()[],'/*abcdefgh@:$%{}" + "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
            + "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ").utf8)
    private static let digits = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    /// The place of each byte in `characters`; 255 for none.
    private static let places: [UInt8] = {
        var places = [UInt8](repeating: 255, count: 256)
        for (place, character) in characters.enumerated() { places[Int(character)] = UInt8(place) }
        return places
    }()

    /// Where the first byte is that no descriptor has; nil where there is none.
    static func firstForeign(in text: [UInt8]) -> Int? {
        text.firstIndex { places[Int($0)] == 255 }
    }

    /// Eight characters for a text, which has none but those of descriptors.
    static func of(_ text: [UInt8]) -> String {
        var state: UInt64 = 1
        var group: UInt64 = 0
        var inGroup = 0
        for byte in text {
            let place = UInt64(places[Int(byte)])
            advance(&state, place & 31)
            group = group * 3 + place >> 5
            inGroup += 1
            if inGroup == 3 {
                advance(&state, group)
                (group, inGroup) = (0, 0)
            }
        }
        if inGroup > 0 { advance(&state, group) }
        for _ in 0..<8 { advance(&state, 0) }
        state ^= 1
        return String(
            decoding: (0..<8).map { digits[Int(state >> (5 * (7 - $0)) & 31)] }, as: UTF8.self)
    }

    private static func advance(_ state: inout UInt64, _ value: UInt64) {
        let top = state >> 35
        state = (state & 0x7_ffff_ffff) << 5 ^ value
        for (bit, generator) in generators.enumerated() where top >> bit & 1 == 1 { state ^= generator }
    }

    private static let generators: [UInt64] = [
        0xf5_dee5_1989, 0xa9_fdca_3312, 0x1b_ab10_e32d, 0x37_06b1_677a, 0x64_4d62_6ffd,
    ]
}
