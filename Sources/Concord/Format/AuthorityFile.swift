/// authority.txt: what an authority says of itself. Unsigned: trust comes from the key a client was given.
public struct AuthorityFile: Hashable, Sendable {
    public var name: AuthorityName
    public var network: Network
    public var key: PublicKey
    public var parameters: TreeParameters
    /// The lowest attested height, an epoch height.
    public var first: Int

    public static let maxBytes = 1024

    public init(name: AuthorityName, network: Network, key: PublicKey, parameters: TreeParameters, first: Int)
    {
        self.name = name
        self.network = network
        self.key = key
        self.parameters = parameters
        self.first = first
    }

    public var text: String {
        """
        concord/1 authority
        name: \(name)
        network: \(network.rawValue)
        key: \(key.hex)
        shards: \(parameters.shards)
        epoch: \(parameters.epoch)
        first: \(first)

        """
    }

    public init(parsing bytes: [UInt8]) throws(ParseError) {
        var lines = FieldLines(bytes)
        try lines.expect("concord/1 authority")
        name = try lines.value("name") { AuthorityName($0) }
        network = try lines.value("network") { Network(rawValue: $0) }
        key = try lines.value("key") { PublicKey(hex: $0) }
        let parameters = try lines.parameters()
        self.parameters = parameters
        first = try lines.value("first") { text in
            FieldLines.height(text).flatMap { parameters.epochStart(of: $0) == $0 ? $0 : nil }
        }
        try lines.finish()
    }
}
