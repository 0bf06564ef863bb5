import TestSupport
import Testing

@testable import ConcordChain

@Suite struct ObfuscationTests {
    /// Byte i of the file is XORed with byte i mod 8 of the key.
    static func slow(_ bytes: [UInt8], _ key: [UInt8], at offset: Int) -> [UInt8] {
        bytes.indices.map { bytes[$0] ^ key[(offset + $0) % 8] }
    }

    static func number(_ key: [UInt8]) -> UInt64 {
        key.indices.reduce(0) { $0 | UInt64(key[$1]) << (8 * $1) }
    }

    @Test func anyOffsetAndLength() {
        var random = SeededRandom()
        let key = random.bytes(8)
        let obfuscation = Obfuscation(key: Self.number(key))
        for offset in Array(0...17) + [1 << 20, (1 << 27) - 1, (1 << 32) + 3] {
            for count in Array(0...25) + [1000, 4099] {
                let plain = random.bytes(count)
                var bytes = plain
                bytes.withUnsafeMutableBytes { obfuscation.apply(to: $0, at: offset) }
                #expect(
                    bytes == Self.slow(plain, key, at: offset), "\(offset), \(count), seed \(random.seed)")
                bytes.withUnsafeMutableBytes { obfuscation.apply(to: $0, at: offset) }
                #expect(bytes == plain)
            }
        }
    }

    /// A record is read in parts: memory that is not aligned, offsets that are not either.
    @Test func partsAreAsTheWhole() {
        var random = SeededRandom()
        let key = random.bytes(8)
        let obfuscation = Obfuscation(key: Self.number(key))
        let plain = random.bytes(200)
        for cut in 0...200 {
            var bytes = plain
            bytes.withUnsafeMutableBytes {
                obfuscation.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[..<cut]), at: 5)
                obfuscation.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[cut...]), at: 5 + cut)
            }
            #expect(bytes == Self.slow(plain, key, at: 5), "\(cut), seed \(random.seed)")
        }
    }

    @Test func theZeroKeyChangesNothing() {
        var bytes: [UInt8] = Array(0..<40)
        bytes.withUnsafeMutableBytes { Obfuscation.none.apply(to: $0, at: 3) }
        #expect(bytes == Array(0..<40))
    }
}
