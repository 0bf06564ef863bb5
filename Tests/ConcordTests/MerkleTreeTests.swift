import TestSupport
import Testing

@testable import Concord

@Suite struct MerkleTreeTests {
    static func sha(_ bytes: [UInt8]) -> Digest { SHA256.hash(bytes) }

    /// RFC 6962, section 2.1, word for word.
    static func slowRoot(_ entries: ArraySlice<[UInt8]>) -> Digest {
        if entries.isEmpty { return sha([]) }
        if entries.count == 1 { return sha([0] + entries.first!) }
        var k = 1
        while 2 * k < entries.count { k *= 2 }
        let middle = entries.startIndex + k
        return sha([1] + slowRoot(entries[..<middle]).bytes + slowRoot(entries[middle...]).bytes)
    }

    static func root(_ entries: [[UInt8]]) -> Digest {
        MerkleTree.root(ofLeaves: entries.map { $0.withBytes { MerkleTree.leaf($0) } })
    }

    /// The hashes of the test data of Certificate Transparency's own implementation (merkletree_test).
    @Test func knownRoots() {
        let entries = [
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        .map { hex($0) }
        for (count, root) in [
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            #expect(Self.root(Array(entries[..<count])).hex == root)
            #expect(Self.slowRoot(entries[..<count]).hex == root)
        }
    }

    @Test func everyNumberOfShards() {
        var random = SeededRandom()
        for power in 0...12 {
            let entries = (0..<1 << power).map { _ in random.bytes(Int.random(in: 0...80, using: &random)) }
            #expect(
                Self.root(entries) == Self.slowRoot(entries[...]), "\(entries.count), seed \(random.seed)")
        }
    }

    /// Pairs that repeat are hashed once: runs of equal leaves that begin and end anywhere.
    @Test func repeatedLeaves() {
        var random = SeededRandom()
        for power in [1, 2, 3, 6, 10] {
            for _ in 0..<20 {
                let entries = (0..<1 << power).map { _ -> [UInt8] in
                    Int.random(in: 0..<8, using: &random) == 0 ? random.bytes(1) : [0]
                }
                #expect(Self.root(entries) == Self.slowRoot(entries[...]), "seed \(random.seed)")
            }
        }
    }

    @Test func orderCounts() {
        #expect(Self.root([[1], [2]]) != Self.root([[2], [1]]))
        #expect(Self.root([[1], [1], [2], [2]]) != Self.root([[2], [2], [1], [1]]))
    }

    /// A leaf is never a node (the 0x00 and 0x01 in front).
    @Test func aNodeIsNoLeaf() {
        let (left, right) = (Self.sha([0, 1]), Self.sha([0, 2]))
        #expect(Self.root([[1], [2]]) == Self.sha([1] + left.bytes + right.bytes))
        #expect(Self.root([[1], [2]]) != Self.root([left.bytes + right.bytes]))
    }
}
