import TestSupport
import Testing

@testable import Concord

@Suite struct PatchIndexTests {
    static let sections: [[UInt8]] = [
        [0], section(spent: [Outpoint(txid: Digest(every: 7), index: 1)]), [0],
        section(created: [ShardChangesTests.coin(3, 2)]),
    ]

    static let patch = TestSupport.patch(sections)

    static func check(_ patch: [UInt8], shards: Int = 4) throws(ParseError) -> PatchIndex {
        try patch.withBytes { raw throws(ParseError) in try PatchIndex(checking: raw, shards: shards) }
    }

    static func parse(_ bytes: [UInt8], shards: Int = 4) throws(ParseError) -> PatchIndex {
        try bytes.withBytes { raw throws(ParseError) in try PatchIndex(parsing: raw, shards: shards) }
    }

    @Test func theIndexSaysWhereSectionsLie() throws {
        let index = try Self.check(Self.patch)
        #expect(index.entries.map { Int($0.length) } == Self.sections.map(\.count))
        #expect(index.size == 144 && index.patchSize == Self.patch.count)
        for (shard, section) in Self.sections.enumerated() {
            #expect(Array(Self.patch[index.range(of: shard)]) == section)
        }
        #expect(index.entries[0] == .empty && index.entries[1] != .empty)
    }

    @Test func theIndexComesBack() throws {
        let index = try Self.parse(Array(Self.patch[..<144]))
        #expect(bytes { index.append(to: &$0) } == Array(Self.patch[..<144]))
        #expect(index.entries == (try Self.check(Self.patch).entries))
    }

    /// RFC 6962 over the 36 bytes of each entry as they stand in the file.
    @Test func theRootIsOverTheEntries() throws {
        let leaves = (0..<4).map { Array(Self.patch[36 * $0..<36 * $0 + 36]) }
        #expect(try Self.check(Self.patch).root == MerkleTreeTests.slowRoot(leaves[...]))
        let empty = TestSupport.patch([[UInt8]](repeating: [0], count: 4))
        let leaf = Array(empty[..<36])
        #expect(try Self.check(empty).root == MerkleTreeTests.slowRoot([leaf, leaf, leaf, leaf]))
    }

    @Test func truncationAtEachByteIsRefused() {
        for count in Self.patch.indices {
            let error = #expect(throws: ParseError.self) { try Self.check(Array(Self.patch[..<count])) }
            #expect(error?.reason == .truncated, "\(count) bytes")
        }
        for count in 0..<144 {
            let error = #expect(throws: ParseError.self) { try Self.parse(Array(Self.patch[..<count])) }
            #expect(error?.reason == .truncated, "\(count) bytes")
        }
    }

    @Test func trailingBytesAreForbidden() {
        #expect(throws: ParseError(.trailingBytes, at: Self.patch.count)) { try Self.check(Self.patch + [0]) }
        #expect(throws: ParseError(.trailingBytes, at: 144)) { try Self.parse(Array(Self.patch[..<145])) }
    }

    @Test func eachChangedBitIsRefused() {
        for bit in 0..<Self.patch.count * 8 {
            var patch = Self.patch
            patch[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: ParseError.self, "bit \(bit)") { try Self.check(patch) }
        }
    }

    /// The empty section's digest is not computed, its byte is looked at.
    @Test func anotherByteUnderTheEmptySectionsDigestIsRefused() {
        var patch = TestSupport.patch([[0], [0]])
        patch[73] = 1
        #expect(
            throws: ParseError(
                .malformed("has a section for shard 001 that is not the one its index names"), at: 73)
        ) { try Self.check(patch, shards: 2) }
    }

    @Test func sectionsInAnotherOrderAreRefused() {
        var patch = Array(Self.patch[..<144])
        for section in Self.sections.reversed() { patch += section }
        #expect(throws: ParseError.self) { try Self.check(patch) }
    }

    /// A section has at least the number of its groups of spent outpoints.
    @Test func aSectionOfNoBytesIsRefused() {
        #expect(throws: ParseError(.outOfRange("a section's length"), at: 36)) {
            try Self.check(TestSupport.patch([[0], []]), shards: 2)
        }
        #expect(throws: ParseError(.outOfRange("a section's length"), at: 36)) {
            try Self.parse(Array(TestSupport.patch([[0], []])[..<72]), shards: 2)
        }
    }

    @Test func moreThanABlockCanChangeIsRefused() throws {
        let index = { (lengths: [UInt32]) in
            bytes { out in
                for length in lengths {
                    out.append(length)
                    out.append(Digest.zero)
                }
            }
        }
        #expect(try Self.parse(index([16 << 20]), shards: 1).patchSize == 36 + (16 << 20))
        #expect(throws: ParseError(.outOfRange("a section's length"), at: 0)) {
            try Self.parse(index([(16 << 20) + 1]), shards: 1)
        }
        #expect(throws: ParseError(.outOfRange("a section's length"), at: 36)) {
            try Self.parse(index([8 << 20, (8 << 20) + 1]), shards: 2)
        }
        #expect(throws: ParseError(.outOfRange("a section's length"), at: 0)) {
            try Self.parse(index([.max, .max]), shards: 2)
        }
        #expect(PatchIndex.maxBytes(shards: 1024) == 1024 * 36 + (16 << 20))
    }
}
