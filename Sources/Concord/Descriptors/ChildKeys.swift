import CSecp256k1

/// The children of one extended public key (BIP 32's CKDpub). What is the same for all of them is worked out once.
struct ChildKeys: Sendable {
    private let code: HMACSHA512
    private let key: [UInt8]
    private let point: secp256k1_pubkey

    init(_ parent: ExtendedPublicKey) {
        code = HMACSHA512(key: parent.chainCode)
        key = parent.key
        point = parent.point
    }

    /// The compressed point of a child, 33 bytes; nil for what has no child: see `ExtendedPublicKey.child`.
    func key(_ number: UInt32) -> [UInt8]? {
        var point = point
        return derive(number) { Secp256k1.add(UnsafeRawBufferPointer(rebasing: $0[..<32]), to: &point) }
    }

    /// The same, and what its own children need.
    func child(_ number: UInt32) -> (key: [UInt8], point: secp256k1_pubkey, chainCode: [UInt8])? {
        var point = point
        return derive(number) { hash in
            Secp256k1.add(UnsafeRawBufferPointer(rebasing: hash[..<32]), to: &point)
                .map { ($0, point, Array(hash[32...])) }
        }
    }

    /// Hands on the 64 bytes that BIP 32 calls I.
    private func derive<R>(_ number: UInt32, _ body: (UnsafeRawBufferPointer) -> R?) -> R? {
        guard number < 1 << 31 else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 37 + 64, alignment: 1) { bytes in
            bytes.copyBytes(from: key)
            bytes.storeBytes(of: number.bigEndian, toByteOffset: 33, as: UInt32.self)
            let hash = UnsafeMutableRawBufferPointer(rebasing: bytes[37...])
            code.code(
                UnsafeRawBufferPointer(rebasing: bytes[..<37]),
                into: hash.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self))
            return body(UnsafeRawBufferPointer(hash))
        }
    }
}
