/// The names under which a trustnet is published, relative to its URL (FORMAT.md, «Trustnets»).
public enum TrustnetPath {
    /// The newest version.
    public static let newest = "trustnet.json"

    /// The bootstrap key that the newest version names, for openssl. Unsigned.
    public static let pem = "trustnet.pem"

    /// A version, for ever: `trustnet/3.json`.
    public static func version(_ version: Int) -> String { "trustnet/\(version).json" }

    /// The signature by the bootstrap key that the version names.
    public static func signature(_ path: String) -> String { TreePath.signature(path) }

    /// Where a version replaces the bootstrap key: the signature by the key before.
    public static func previousSignature(_ path: String) -> String { path + ".previous.sig" }
}
