/// Where a key comes from: `[fingerprint/path]` (BIP 380).
struct KeyOrigin: Sendable {
    /// The first four bytes of the first key's `Hash160`.
    let fingerprint: [UInt8]
    /// Numbers of children, from 2³¹ hardened.
    let path: [UInt32]
    /// Whether hardened steps were marked with `'` instead of `h`, the last of them.
    let hasApostrophes: Bool

    /// Without the brackets. The mark of hardened steps stays as it was, as it does in Bitcoin Core: the checksum depends
    /// on it.
    var text: String { fingerprint.hex + Self.text(path, hasApostrophes ? "'" : "h") }

    /// `/1/2h`: Bitcoin Core's `FormatHDKeypath`.
    static func text(_ path: [UInt32], _ mark: String = "h") -> String {
        path.map { $0 < 1 << 31 ? "/\($0)" : "/\($0 - 1 << 31)\(mark)" }.joined()
    }
}
