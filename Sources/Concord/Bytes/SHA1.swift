import CCrypto

/// SHA-1 over pieces, which BitTorrent's first version names its data by (BEP 3). Nothing is believed by it.
struct SHA1 {
    /// The bytes of a digest.
    static let size = 20

    private var context: SHA_CTX

    init() {
        context = SHA_CTX()
        SHA1_Init(&context)
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        SHA1_Update(&context, bytes.baseAddress, bytes.count)
    }

    /// The 20 bytes of all that was given. The value is used up: start a new one for the next digest.
    mutating func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.size) { buffer, count in
            SHA1_Final(buffer.baseAddress, &context)
            count = Self.size
        }
    }

    static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var sha = SHA1()
        bytes.withUnsafeBytes { sha.update($0) }
        return sha.finish()
    }
}
