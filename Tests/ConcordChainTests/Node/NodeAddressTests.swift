import Concord
import Testing

@testable import ConcordChain

@Suite("Where a node answers")
struct NodeAddressTests {
    @Test(
        "The port is the network's unless there is one",
        arguments: [
            ("http://127.0.0.1", Network.main, "http://127.0.0.1:8332"),
            ("127.0.0.1", .testnet4, "http://127.0.0.1:48332"),
            ("http://127.0.0.1/", .signet, "http://127.0.0.1:38332"),
            ("localhost", .regtest, "http://localhost:18443"),
            ("localhost:99", .regtest, "http://localhost:99"),
            ("http://[::1]:8332", .regtest, "http://[::1]:8332"),
            ("https://node.example/btc/", .main, "https://node.example/btc"),
        ])
    func ports(text: String, network: Network, base: String) throws {
        #expect(try NodeAddress(text, network: network).base == base)
    }

    @Test(
        "A name or password in it is refused, and not shown",
        arguments: ["http://bob:cret@host", "bob:cret@host:1"])
    func passwords(text: String) {
        let error = #expect(throws: NodeError.self) { try NodeAddress(text, network: .main) }
        #expect(error?.description.contains("--password-file") == true)
        #expect(error?.description.contains("cret") == false)
    }

    @Test(
        "What is no URL of a node",
        arguments: [
            "", "ftp://host", "file:///etc/passwd", "http://host/?x", "http://", "/run/bitcoind.sock",
            "./sock",
            "node/rpc", "unix:", "unix:/run/x", "unix:///run/x", "http:/127.0.0.1", "http:///run/x",
            "http://unix:/run/x", "http://%2Frun%2Fx", ":8332", "host:", "host:x", "host:99999", "::1", ".",
        ])
    func nonsense(text: String) {
        #expect(throws: NodeError.self) { try NodeAddress(text, network: .main) }
    }

    @Test("A chain that moved: who looks again by itself does not say to run again")
    func moved() {
        let error = NodeError.changed("/node", height: 5)
        #expect(error.kind == .moved && error.words == "/node: changed while it was read, at height 5")
        #expect(error.description == "\(error.words). Run the command again")
    }
}
