/// A `bitcoin:` URI (BIP 21, BIP 321): an address and what somebody would like to be done with it. Here the address counts.
struct PaymentURI {
    private let body: Substring
    /// Keys in lower case, and values as they stand.
    private let parameters: [(key: String, value: Substring)]

    /// Nil for anything that does not begin with `bitcoin:`, in whatever case: codes for cameras are in capitals.
    init?(_ text: String) {
        let scheme = "bitcoin:"
        guard text.lowercased().hasPrefix(scheme) else { return nil }
        var rest = text.dropFirst(scheme.count)
        // Some wallets write it like a web address.
        if rest.hasPrefix("//") { rest = rest.dropFirst(2) }
        rest = rest.prefix { $0 != "#" }
        body = rest.prefix { $0 != "?" }
        parameters = rest.dropFirst(body.count + 1).split(separator: "&").map { pair in
            let key = pair.prefix { $0 != "=" }
            return (key.lowercased(), pair.dropFirst(key.count + 1))
        }
    }

    /// The one address of a network that it names.
    func address(on network: Network) throws(TypedScriptError) -> String {
        // BIP 21: who does not know such a parameter must not use the URI.
        if let unknown = parameters.first(where: { $0.key.hasPrefix("req-") }) {
            throw .requirement(unknown.key)
        }
        var named = body.isEmpty ? [] : [body]
        named += parameters.filter { $0.key == network.bech32 }.map(\.value)
        let different = Set(named.map { $0.lowercased() })
        guard let first = named.first else {
            for (key, value) in parameters where !value.isEmpty {
                switch key {
                case "sp": throw .foreign(.silentPayment)
                case "lightning", "lno": throw .foreign(.lightning)
                default: continue
                }
            }
            throw .noAddress
        }
        guard different.count == 1 else { throw .severalAddresses }
        return String(first)
    }
}
