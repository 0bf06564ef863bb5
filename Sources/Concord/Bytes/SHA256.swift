import CCrypto

/// SHA-256 over pieces, without an allocation.
public struct SHA256: Sendable {
    private var context: SHA256_CTX

    public init() {
        context = SHA256_CTX()
        SHA256_Init(&context)
    }

    /// Begins a tagged hash (BIP 340): the SHA-256 of the tag comes twice before all else.
    init(tag: String) {
        self.init()
        let name = Self.hash(tag)
        update(name)
        update(name)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        SHA256_Update(&context, bytes.baseAddress, bytes.count)
    }

    public mutating func update(_ digest: Digest) {
        digest.withBytes { update($0) }
    }

    public mutating func update(_ byte: UInt8) {
        withUnsafeBytes(of: byte) { update($0) }
    }

    /// The digest of all that was given. The value is used up: start a new one for the next digest.
    public mutating func finish() -> Digest {
        var digest = Digest()
        withUnsafeMutableBytes(of: &digest) {
            _ = SHA256_Final($0.baseAddress?.assumingMemoryBound(to: UInt8.self), &context)
        }
        return digest
    }

    /// SHA-256 of the bytes.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
        var sha = SHA256()
        sha.update(bytes)
        return sha.finish()
    }

    public static func hash(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { hash($0) }
    }

    public static func hash(_ text: String) -> Digest {
        hash(Array(text.utf8))
    }

    /// SHA-256 of the SHA-256 of the bytes: Bitcoin's block hashes, txids and checksums.
    public static func double(_ bytes: UnsafeRawBufferPointer) -> Digest {
        hash(bytes).withBytes { hash($0) }
    }

    /// Like `finish`, hashed once more.
    public mutating func finishDouble() -> Digest {
        finish().withBytes { SHA256.hash($0) }
    }
}
