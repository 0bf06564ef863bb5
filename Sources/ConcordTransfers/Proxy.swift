/// A proxy that all requests of a transport go through.
public struct Proxy: Sendable, Equatable {
    /// `SCHEME://HOST:PORT`. With `socks5h` and `socks4a` the proxy looks names up, and nobody else learns them.
    public let url: String
    /// A name and password for the proxy that are this transport's alone: Tor gives each its own circuit
    /// (`IsolateSOCKSAuth`).
    public private(set) var circuit: String?

    private static let schemes = ["socks5h", "socks5", "socks4a", "socks4", "http", "https"]

    /// Nil for what is no URL of a proxy: another scheme, no host or port, a path.
    public init?(_ url: String) {
        let parts = url.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Self.schemes.contains(String(parts[0]).lowercased()),
            parts[1].hasPrefix("//")
        else { return nil }
        let authority = parts[1].dropFirst(2)
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        guard !host.isEmpty, !host.hasPrefix(":"),
            host.allSatisfy({ $0.isASCII && !$0.isWhitespace && $0 != "/" }),
            let port = host.split(separator: ":", omittingEmptySubsequences: false).last.flatMap({ Int($0) }),
            (1...65_535).contains(port)
        else { return nil }
        self.url = url
    }

    /// Whether it is asked with a name and password of SOCKS 5, by which it can keep requests apart.
    private var takesCircuits: Bool { url.lowercased().hasPrefix("socks5") && !url.contains("@") }

    /// The same proxy over a circuit that no other has; the same one where it knows no circuits, or has a login already.
    public var isolated: Proxy {
        guard takesCircuits else { return self }
        var proxy = self
        proxy.circuit = String(UInt64.random(in: .min ... .max), radix: 16)
        return proxy
    }
}
