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

    private static func wrong(_ text: String, _ words: String) -> NodeError {
        NodeError(.address, WebAddress.shown(text.contains("://") ? text : "http://\(text)"), words)
    }
}
