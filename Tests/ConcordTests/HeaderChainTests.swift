import Concord
import TestSupport
import Testing

@Suite struct HeaderChainTests {
    static let headers = TestHeaders.genesis + TestHeaders.chain(3)

    @Test func whatIsRightOfANetwork() throws {
        let chain = try HeaderChain(parsing: Self.headers, from: 0, of: .regtest)
        #expect(chain.hashes.count == 4 && chain.hashes[0].reversedHex == Network.regtest.genesis)
        // Further up any block may be the first.
        let rest = Array(Self.headers[80...])
        #expect(try HeaderChain(parsing: rest, from: 1, of: .regtest).parent == chain.hashes[0])
    }

    @Test func anotherGenesisBlock() {
        let rest = Array(Self.headers[80...])
        #expect(throws: ParseError.self) { try HeaderChain(parsing: rest, from: 0, of: .regtest) }
        #expect(throws: Never.self) { try HeaderChain(parsing: rest, from: 0) }
        #expect(throws: ParseError.self) { try HeaderChain(parsing: Self.headers, from: 0, of: .signet) }
    }

    /// Headers of regtest cost two hashes each: on no other network are there such targets.
    @Test(arguments: [Network.main, .testnet4, .signet]) func aTargetThatIsTooEasy(network: Network) {
        #expect(throws: ParseError.self) { try HeaderChain(parsing: Self.headers, from: 50, of: network) }
    }
}
