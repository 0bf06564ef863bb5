/// The name of an authority: 1 to 40 of the characters a–z, A–Z, 0–9, `.`, `_` and `-`, the first a letter or digit.
public struct AuthorityName: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init?(_ text: some StringProtocol) {
        let isAlphanumeric = { (c: UInt8) in
            (0x30...0x39).contains(c) || (0x41...0x5a).contains(c) || (0x61...0x7a).contains(c)
        }
        guard (1...40).contains(text.utf8.count), let first = text.utf8.first, isAlphanumeric(first),
            text.utf8.allSatisfy({ isAlphanumeric($0) || [0x2e, 0x5f, 0x2d].contains($0) })
        else { return nil }
        description = String(text)
    }
}
