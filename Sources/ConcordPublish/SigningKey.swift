import CSecp256k1
import Concord

/// An authority's private key. The 32 bytes live in one place, are never handed out, and are wiped when the key goes.
///
/// Reading and writing the file pass through strings and arrays of swift-asn1, which nobody wipes: the key is read
/// once, when the program starts, and written once in its life.
///
/// Unchecked, because of the pointer: the memory is written in `init` and in `deinit` only, and every thread may sign.
public final class SigningKey: @unchecked Sendable {
    public let publicKey: PublicKey

    /// A number from 1 to the order of the curve less one, 32 bytes big endian.
    private let secret: UnsafeMutableRawBufferPointer

    /// Copies 32 bytes, big endian; refuses what is no key of the curve. The caller wipes its own copy.
    init(secret bytes: [UInt8]) throws(SigningKeyError.Reason) {
        guard bytes.count == 32 else { throw .secretLength(bytes.count) }
        var point = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_create(Self.context, &point, bytes) == 1 else { throw .secretRange }
        let compressed = [UInt8](unsafeUninitializedCapacity: 33) { buffer, count in
            count = 33
            let out = buffer.baseAddress.unsafelyUnwrapped
            secp256k1_ec_pubkey_serialize(Self.context, out, &count, &point, UInt32(SECP256K1_EC_COMPRESSED))
        }
        guard let publicKey = PublicKey(compressed) else { throw .secretRange }
        self.publicKey = publicKey
        secret = .allocate(byteCount: 32, alignment: 16)
        secret.copyBytes(from: bytes)
    }

    deinit {
        secret.wipe()
        secret.deallocate()
    }

    /// A new key from the kernel's random numbers.
    public static func generate() -> SigningKey {
        var bytes = randomBytes()
        defer { bytes.wipe() }
        while true {
            if let key = try? SigningKey(secret: bytes) { return key }
            // One number in 2^128 is no key.
            bytes = randomBytes()
        }
    }

    /// The ECDSA signature over a digest, as FORMAT.md has it: strict DER, low S, the nonce of RFC 6979, so that the
    /// same key and digest give the same bytes.
    ///
    /// The signature is verified before it is returned: a fault in between, which could give the key away, throws.
    public func sign(_ digest: Digest) throws(SigningKeyError) -> [UInt8] {
        var signature = secp256k1_ecdsa_signature()
        let made = digest.withBytes { hash in
            secp256k1_ecdsa_sign(
                Self.context, &signature,
                hash.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self),
                secret.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self), nil, nil)
        }
        guard made == 1 else { throw SigningKeyError(.signing) }
        let der = [UInt8](unsafeUninitializedCapacity: 72) { buffer, count in
            count = 72
            let out = buffer.baseAddress.unsafelyUnwrapped
            if secp256k1_ecdsa_signature_serialize_der(Self.context, out, &count, &signature) != 1 {
                count = 0
            }
        }
        guard publicKey.isValid(signature: der, over: digest) else { throw SigningKeyError(.signing) }
        return der
    }

    /// Lends the 32 bytes to `body`, which keeps no copy.
    func withSecret<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(secret))
    }

    /// Blinded against side channels once, before anybody signs with it, and never changed after that.
    private nonisolated(unsafe) static let context: OpaquePointer = {
        guard let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
            preconditionFailure("libsecp256k1 made no context")
        }
        var seed = randomBytes()
        defer { seed.wipe() }
        precondition(secp256k1_context_randomize(context, seed) == 1, "libsecp256k1 took no random seed")
        return context
    }()

    /// 32 of them. Swift's system generator is getrandom(2) on Linux and arc4random on macOS.
    private static func randomBytes() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<32).map { _ in random.next() }
    }
}

extension SigningKey {
    /// Reads a PEM file with one private key on secp256k1: `EC PRIVATE KEY` (SEC 1, RFC 5915), with an `EC PARAMETERS`
    /// block before it or not, or `PRIVATE KEY` (PKCS #8, RFC 5958). So `openssl ecparam -name secp256k1 -genkey` and
    /// `openssl genpkey` write them.
    ///
    /// Throws if the file is not a regular file that its owner alone can read, or holds anything else: an encrypted
    /// key, a key on another curve, a public key that is not the private key's. Symbolic links are followed, and what
    /// counts is the file that was opened.
    ///
    /// - Parameter othersMayRead: take a file of root's, or of one's own, that others can read and not write.
    public convenience init(readingFrom path: String, othersMayRead: Bool = false) throws(SigningKeyError) {
        do throws(SigningKeyError.Reason) {
            var bytes = try KeyFile.contents(of: path, othersMayRead: othersMayRead)
            defer { bytes.wipe() }
            try self.init(pem: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw SigningKeyError(error, file: path)
        }
    }

    /// Reads the same from standard input, up to its end: nobody has to leave a file for it.
    public convenience init(readingStandardInput: ()) throws(SigningKeyError) {
        do throws(SigningKeyError.Reason) {
            var bytes = try KeyFile.standardInput()
            defer { bytes.wipe() }
            try self.init(pem: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw SigningKeyError(error, file: "standard input")
        }
    }

    /// Writes the key as `EC PRIVATE KEY` (SEC 1) into a new file of mode 0600, and returns when file and name are
    /// durable. Throws if there is anything of this name already, and leaves that alone.
    public func write(to path: String) throws(SigningKeyError) {
        do throws(SigningKeyError.Reason) {
            var bytes = Array(pem.utf8)
            defer { bytes.wipe() }
            try KeyFile.create(path, holding: bytes)
        } catch {
            throw SigningKeyError(error, file: path)
        }
    }
}
