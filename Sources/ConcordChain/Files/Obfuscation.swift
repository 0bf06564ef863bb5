import Concord

/// The key that Bitcoin Core XORs its block files with (`Obfuscation` in its util/obfuscation.h): byte i of the file
/// with byte i mod 8 of the key. Undoing it is the same.
struct Obfuscation: Equatable, Sendable {
    /// The eight bytes as a little-endian integer; zero where files are plain.
    let key: UInt64

    static let none = Obfuscation(key: 0)

    /// XORs bytes that stand at `offset` in their file.
    func apply(to bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        guard key != 0 else { return }
        let shift = UInt64(offset % 8 * 8)
        let turned = shift == 0 ? key : key >> shift | key << (64 - shift)
        let words = bytes.count / 8
        for i in 0..<words {
            let word = bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self) ^ turned.littleEndian
            bytes.storeBytes(of: word, toByteOffset: 8 * i, as: UInt64.self)
        }
        for i in 8 * words..<bytes.count {
            bytes[i] ^= UInt8(truncatingIfNeeded: turned >> UInt64(i % 8 * 8))
        }
    }
}
