import Concord
import ConcordTransfers

/// Where a node answers: `http://HOST:PORT`, without a slash at the end.
public struct NodeAddress: Sendable, Equatable, CustomStringConvertible {
    let base: String

    public var description: String { base.printable }
    var isEncrypted: Bool { base.hasPrefix("https:") }

    /// Reads a URL, or a host with or without a port; the port is the network's if there is none.
    ///
    /// - Throws: `NodeError` in words for whoever typed it.
    public init(_ text: String, network: Network) throws(NodeError) {
        // What is no host must not become one: the login would go there.
        if let words = Self.isNoHost(text) {
            throw NodeError(
                .address, text.contains("@") ? WebAddress.shown("http://\(text)") : text.printable, words)
        }
        let address: WebAddress
        do throws(Failure.Kind) {
            address = try WebAddress(text.contains("://") ? text : "http://\(text)", port: network.rpcPort)
        } catch {
            throw Self.wrong(text, "is no URL of a node, like http://127.0.0.1:\(network.rpcPort)")
        }
        guard !address.hasLogin else {
            throw Self.wrong(
                text,
                "has a user's name in it, which other users of this machine can see: give --user and --password-file"
            )
        }
        guard address.isWeb, !address.url.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw Self.wrong(text, "is no URL of a node, like http://127.0.0.1:\(network.rpcPort)")
        }
        base = address.url.hasSuffix("/") ? String(address.url.dropLast()) : address.url
    }

    /// Why this has no host in it, in words; nil where it may have one.
    private static func isNoHost(_ text: String) -> String? {
        let scheme = text.firstRange(of: "://")
        guard !text.hasPrefix("unix:"), scheme != nil || !text.contains("/") else {
            return "is a path: a node is asked over TCP, at a URL like http://127.0.0.1:8332"
        }
        let place = text[(scheme?.upperBound ?? text.startIndex)...].prefix {
            $0 != "/" && $0 != "?" && $0 != "#"
        }
        // A name or password has its own words.
        if place.contains("@") { return nil }
        var host = place
        if place.hasPrefix("["), let end = place.firstIndex(of: "]") {
            host = place[place.index(after: end)...]
        }
        let parts = host.split(separator: ":", omittingEmptySubsequences: false)
        guard !place.isEmpty, !place.hasPrefix(":"), !place.hasPrefix("."), parts.count <= 2,
            parts.count < 2 || UInt16(parts[1]) ?? 0 > 0, !place.contains("%")
        else { return "has no host, or no port that is a number: give a URL like http://127.0.0.1:8332" }
        return nil
    }

    private static func wrong(_ text: String, _ words: String) -> NodeError {
        NodeError(.address, WebAddress.shown(text.contains("://") ? text : "http://\(text)"), words)
    }
}
