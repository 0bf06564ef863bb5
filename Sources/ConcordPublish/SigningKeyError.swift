#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Why a private key was not read, written or used, in which file, and what mends it. It never holds a part of the key.
public struct SigningKeyError: Error, Equatable, Sendable {
    public enum Reason: Error, Equatable, Sendable {
        /// A system call failed, with this `errno`.
        case system(call: String, errno: Int32)
        /// The file to write is there already.
        case exists
        /// A folder, a pipe or a device.
        case notRegular
        /// Group or others can get at the file: its permission bits.
        case permissions(UInt32)
        /// Others can write to a file that they may read: its permission bits.
        case writable(UInt32)
        /// A file that others may read, of another user than root or oneself.
        case owner
        /// The file is longer than any key file.
        case tooLong
        /// The key needs a passphrase.
        case encrypted
        /// The PEM is damaged, or there is none.
        case notPEM
        /// A PEM block that is no elliptic-curve private key, such as `PUBLIC KEY`.
        case block(String)
        /// This many private keys instead of one.
        case keyCount(Int)
        /// The DER inside the PEM is not what SEC 1 or PKCS #8 say.
        case malformed(String)
        /// A PKCS #8 key of another kind, by its object identifier.
        case algorithm(String)
        /// A key on another curve, by its object identifier.
        case curve(String)
        /// A curve that is spelled out instead of named, or none at all.
        case curveNotNamed
        /// A private key that is not 32 bytes long.
        case secretLength(Int)
        /// Zero, or not below the order of the curve.
        case secretRange
        /// The public key in the file is not the private key's.
        case otherPublicKey
        /// No signature came out, or one that does not verify.
        case signing
    }

    public var reason: Reason
    /// The file as it was named; nil where there is none.
    public var file: String?

    init(_ reason: Reason, file: String? = nil) {
        self.reason = reason
        self.file = file
    }
}

extension SigningKeyError: CustomStringConvertible {
    public var description: String {
        let file = file ?? "the signing key"
        switch reason {
        case .system(let call, let code):
            return "\(file): \(call): \(String(cString: strerror(code)))"
        case .exists:
            return "\(file): exists already, and a key is never overwritten; give another name"
        case .notRegular:
            return "\(file): is not a regular file; give the name of a PEM file with a private key"
        case .permissions(let mode):
            return "\(file): has mode \(Self.octal(mode)), so that others than its owner can get at the key; "
                + "run: chmod 600 \(file.shellWord), or, where that cannot be done, as of a secret that is mounted "
                + "read-only, give --key-readable, or the key on standard input with --key -"
        case .writable(let mode):
            return
                "\(file): has mode \(Self.octal(mode)), so that others than its owner can write to it, which "
                + "--key-readable does not allow; run: chmod go-w \(file.shellWord), or give the key on standard input "
                + "with --key -"
        case .owner:
            return
                "\(file): can be read by others, and belongs to neither root nor you, as --key-readable wants it; give "
                + "the key on standard input with --key -"
        case .tooLong:
            return "\(file): is too long for a key file; \(Self.wanted)"
        case .encrypted:
            return "\(file): is encrypted with a passphrase; write a plain copy with: "
                + "(umask 077 && openssl ec -in \(file.shellWord) -out NEWFILE)"
        case .notPEM:
            return "\(file): is not readable as PEM; \(Self.wanted)"
        case .block(let name):
            return "\(file): holds a block \(name.debugDescription); \(Self.wanted)"
        case .keyCount(let count):
            return "\(file): holds \(count) private keys instead of one; \(Self.wanted)"
        case .malformed(let what):
            return "\(file): the private key is damaged (\(what)); take it from a backup"
        case .algorithm(let name):
            return "\(file): is a key of another kind (\(name)); \(Self.wanted)"
        case .curve(let name):
            return "\(file): is a key on another curve (\(name)); \(Self.wanted)"
        case .curveNotNamed:
            return "\(file): does not name its curve; write it so with: "
                + "(umask 077 && openssl ec -in \(file.shellWord) -param_enc named_curve -out NEWFILE)"
        case .secretLength(let count):
            return "\(file): the private key has \(count) bytes instead of 32; take it from a backup"
        case .secretRange:
            return "\(file): the private key is not a number of secp256k1; take it from a backup"
        case .otherPublicKey:
            return "\(file): its public key is not the private key's; take it from a backup"
        case .signing:
            return "\(file): made no signature that verifies; check this machine's memory and processor"
        }
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static let wanted =
        "wanted is one unencrypted private key on secp256k1, as `openssl ecparam -name secp256k1 -genkey` makes it"
}
