extension TypedScriptError {
    /// What a text is that is neither an address nor a script, as far as its look says. Nothing is believed by it: it makes
    /// the words that a person reads, and keeps secrets out of them.
    static func recognised(_ text: String) -> TypedScriptError? {
        let lower = text.lowercased()
        if let secret = secret(text, lower) { return .secret(secret) }
        if let foreign = foreign(text, lower) { return .foreign(foreign) }
        return nil
    }

    /// Twelve words or more, of letters only: BIP 39, Electrum, SLIP 39, aezeed.
    public static func isSeed(_ text: String) -> Bool {
        isSeed(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    /// The same where each word is an argument of its own.
    public static func isSeed(_ words: [String]) -> Bool {
        words.count >= 12 && words.allSatisfy { $0.allSatisfy(\.isLetter) && (2...12).contains($0.count) }
    }

    private static func secret(_ text: String, _ lower: String) -> Secret? {
        if text.contains("("), hasPrivateKey(text) { return .descriptor }
        if text.hasPrefix("["), hasPrivateKey(text) { return .extended }
        if isExtended(text, "prv") { return .extended }
        if lower.hasPrefix("ms1") { return .share }
        if ["nsec1", "age-secret-key-1"].contains(where: lower.hasPrefix) { return .other }
        guard isBase58(text) else { return nil }
        if (50...53).contains(text.count), text.first.map("5KL9c".contains) == true { return .wif }
        if text.hasPrefix("6P"), (57...59).contains(text.count) { return .encrypted }
        // Casascius' and its like.
        if text.hasPrefix("S"), [22, 26, 30].contains(text.count) { return .mini }
        return nil
    }

    /// Whether a text begins as descriptors and extended public keys do: with the name of a function, the origin of a key, or
    /// `xpub` and its like.
    static func isDescriptor(_ text: String) -> Bool {
        if isExtended(text, "pub") || text.hasPrefix("[") { return true }
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0 == "_") }
        return !name.isEmpty && text.dropFirst(name.count).first == "("
    }

    private static func foreign(_ text: String, _ lower: String) -> Foreign? {
        for (prefixes, kind) in byPrefix where prefixes.contains(where: lower.hasPrefix) { return kind }
        if isLightningInvoice(lower) { return .lightning }
        if lower.hasPrefix("0x") { return .ethereum }
        if text.contains("@") || text.hasPrefix("₿") { return .name }
        if lower.contains("://") { return .link }
        let parts = lower.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, Digest(hex: parts[0]) != nil { return .outpoint }
        if lower.count == 42, lower.first.map("qp".contains) == true,
            lower.allSatisfy({ "qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains($0) })
        {
            return .bitcoinCash
        }
        if let payload = try? Base58.decode(text), let version = payload.first { return byVersion[version] }
        return nil
    }

    /// What begins so, in lower case.
    private static let byPrefix: [([String], Foreign)] = [
        (["lightning:", "lnurl1", "lno1", "lnr1", "lni1"], .lightning),
        (["sp1", "tsp1", "sprt1"], .silentPayment),
        (["ex1", "lq1", "tex1", "tlq1", "ert1", "el1", "liquidnetwork:", "vjl"], .liquid),
        (["ltc1", "tltc1", "rltc1", "litecoin:"], .litecoin),
        (["bitcoincash:", "bchtest:", "bchreg:", "ecash:", "simpleledger:"], .bitcoinCash),
        (["ethereum:"], .ethereum),
        (["addr1", "cosmos1", "dogecoin:", "monero:", "dash:", "zcash:", "npub1", "age1"], .otherCoin),
        (["chnidp"], .transaction),
        (["http:", "https:"], .link),
    ]

    /// First bytes of base58check addresses of other chains.
    private static let byVersion: [UInt8: Foreign] = [
        12: .liquid, 39: .liquid, 57: .liquid,
        48: .litecoin, 50: .litecoin,
        16: .otherCoin, 22: .otherCoin, 28: .otherCoin, 30: .otherCoin, 65: .otherCoin, 76: .otherCoin,
    ]

    /// BOLT 11: `ln`, a network, perhaps an amount, `1`.
    private static func isLightningInvoice(_ lower: String) -> Bool {
        ["lnbc", "lntb", "lnbcrt", "lntbs"].contains {
            lower.hasPrefix($0) && lower.dropFirst($0.count).first?.isNumber == true
        }
    }

    /// BIP 32's keys, and those of SLIP 132 that say which addresses they are for.
    static func isExtended(_ text: some StringProtocol, _ kind: String) -> Bool {
        text.count > 50 && text.first.map("xyztuvYZUV".contains) == true && text.dropFirst().hasPrefix(kind)
    }

    /// Whether a part of a descriptor is a private key.
    private static func hasPrivateKey(_ text: String) -> Bool {
        text.split { !$0.isLetter && !$0.isNumber }.contains { part in
            isExtended(part, "prv")
                || (50...53).contains(part.count) && part.first.map("5KL9c".contains) == true
                    && isBase58(part)
        }
    }

    private static func isBase58(_ text: some StringProtocol) -> Bool {
        text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) && !"0OIl".contains($0) }
    }
}
