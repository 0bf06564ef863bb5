import CCrypto

/// HMAC-SHA512 (RFC 2104) of many messages under one key. What depends on the key alone is hashed once.
struct HMACSHA512: Sendable {
    private let inner: SHA512_CTX
    private let outer: SHA512_CTX

    /// A key of at most 128 bytes, a block of SHA-512.
    init(key: [UInt8]) {
        precondition(key.count <= 128)
        let block = key + [UInt8](repeating: 0, count: 128 - key.count)
        inner = Self.begun(block.map { $0 ^ 0x36 })
        outer = Self.begun(block.map { $0 ^ 0x5c })
    }

    /// Writes the code of a message to the 64 bytes at `out`.
    func code(_ message: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<UInt8>) {
        var context = inner
        SHA512_Update(&context, message.baseAddress, message.count)
        SHA512_Final(out, &context)
        context = outer
        SHA512_Update(&context, out, 64)
        SHA512_Final(out, &context)
    }

    private static func begun(_ block: [UInt8]) -> SHA512_CTX {
        var context = SHA512_CTX()
        SHA512_Init(&context)
        SHA512_Update(&context, block, block.count)
        return context
    }
}
