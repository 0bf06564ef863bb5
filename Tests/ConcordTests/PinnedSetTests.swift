import Testing

@testable import Concord

@Suite struct PinnedSetTests {
    @Test func everyPinIsAHashAndThereOnce() {
        for pin in PinnedSet.all {
            #expect(Digest(reversedHex: pin.block) != nil && Digest(reversedHex: pin.hash) != nil)
        }
        #expect(Set(PinnedSet.all.map { "\($0.network) \($0.height)" }).count == PinnedSet.all.count)
        #expect(PinnedSet.all.map(\.height).filter { $0 % 5000 != 0 } == [110, 200, 299])
    }

    @Test func blockAndHashMustBeThePinnedOnes() throws {
        for pin in PinnedSet.all {
            let (hash, block) = (
                try #require(Digest(reversedHex: pin.hash)), try #require(Digest(reversedHex: pin.block))
            )
            func compare(_ height: Int, _ block: Digest, _ hash: Digest, _ network: Network)
                -> PinnedSet.Comparison
            {
                PinnedSet.compare(network: network, block: BlockID(height: height, hash: block), hash: hash)
            }
            #expect(compare(pin.height, block, hash, pin.network) == .agrees)
            #expect(compare(pin.height, block, .zero, pin.network) == .differs(pin))
            // Another block: a chain of its own on regtest, else not Bitcoin Core's chain.
            #expect(
                compare(pin.height, .zero, hash, pin.network)
                    == (pin.network == .regtest ? .notPinned : .differs(pin)))
            #expect(compare(pin.height + 1, block, hash, pin.network) == .notPinned)
            let others = Network.allCases.filter { $0 != pin.network }
            for other in others { #expect(compare(pin.height, block, hash, other) == .notPinned) }
        }
    }
}
