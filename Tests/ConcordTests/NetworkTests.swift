import Testing

@testable import Concord

@Suite struct NetworkTests {
    @Test func namesAreBitcoinCores() {
        #expect(Network.allCases.map(\.rawValue) == ["main", "testnet4", "signet", "regtest"])
        #expect(Network(rawValue: "mainnet") == nil)
    }

    @Test func prefixesAreBitcoinCores() {
        #expect(Network.allCases.map(\.bech32) == ["bc", "tb", "tb", "bcrt"])
        #expect(Network.allCases.map(\.base58.keyHash) == [0, 111, 111, 111])
        #expect(Network.allCases.map(\.base58.scriptHash) == [5, 196, 196, 196])
    }
}
