import TestSupport
import Testing

@testable import Concord

@Suite struct ManifestTests {
    static let manifest = Manifest(
        (0..<16).map {
            shard(coins: UInt64($0), bytes: UInt64($0) * 100, digest: Digest(every: UInt8($0)))
        })

    static func shard(coins: UInt64, bytes: UInt64, digest: Digest) -> Manifest.Shard {
        Manifest.Shard(
            ShardContents(coins: coins, bytes: bytes, digest: digest),
            filter: Manifest.Filter(bytes: coins + 1, digest: Digest(every: 0xfe)))
    }

    /// The last columns of a line.
    static let filter = "4 " + Digest(every: 0xfe).hex

    static func parse(_ text: String, shards: Int = 16) throws(ParseError) -> Manifest {
        try Manifest(parsing: Array(text.utf8), shards: shards)
    }

    static func withLine(_ i: Int, _ line: String) -> String {
        var lines = manifest.text.split(separator: "\n").map(String.init)
        lines[i] = line
        return lines.map { $0 + "\n" }.joined()
    }

    @Test func textComesBack() throws {
        #expect(
            Self.manifest.text.hasPrefix(
                "000 0 0 \(Digest.zero.hex) 1 \(Digest(every: 0xfe).hex)\n001 1 100 \(Digest(every: 1).hex) 2 "
            ))
        #expect(
            Self.manifest.text.hasSuffix(
                "00f 15 1500 \(Digest(every: 15).hex) 16 \(Digest(every: 0xfe).hex)\n"))
        #expect(try Self.parse(Self.manifest.text) == Self.manifest)
        #expect(Self.manifest.coins == 120)
    }

    @Test func shardsAreNumberedInThreeHexDigits() throws {
        let all = Manifest(
            [Manifest.Shard](repeating: Self.shard(coins: 1, bytes: 40, digest: .zero), count: 4096))
        let lines = all.text.split(separator: "\n")
        #expect(
            lines[4095].hasPrefix("fff 1 40 ") && lines[255].hasPrefix("0ff ") && lines[256].hasPrefix("100 ")
        )
        #expect(try Self.parse(all.text, shards: 4096) == all)
        #expect(all.text.utf8.count <= Manifest.maxBytes(shards: 4096))
    }

    /// RFC 6962 over the lines without their line feeds.
    @Test func theRootIsOverTheLines() {
        let leaves = Self.manifest.text.split(separator: "\n").map { Array($0.utf8) }
        #expect(Self.manifest.root == MerkleTreeTests.slowRoot(leaves[...]))
    }

    @Test func everyFaultIsRefused() {
        let small = Manifest(Array(Self.manifest.shards[8..<10]))
        TextFaults(text: small.text) { _ = try Manifest(parsing: $0, shards: 2) }.checkAll()
    }

    @Test(arguments: [
        "001 3 100 \(Digest.zero.hex) \(filter)", "03 3 100 \(Digest.zero.hex) \(filter)",
        "0003 3 100 \(Digest.zero.hex) \(filter)",
        "3 3 100 \(Digest.zero.hex) \(filter)", "003  3 100 \(Digest.zero.hex) \(filter)",
        "003 03 100 \(Digest.zero.hex) \(filter)",
        "003 3 0100 \(Digest.zero.hex) \(filter)", "003 +3 100 \(Digest.zero.hex) \(filter)",
        "003 -3 100 \(Digest.zero.hex) \(filter)",
        "003 3 100 \(Digest.zero.hex)0 \(filter)", "003 3 100 \(Digest.zero.hex.dropLast()) \(filter)",
        "003 3 100 \(Digest(every: 0xab).hex.uppercased()) \(filter)",
        "003 3 100 \(filter)", "003 3 100 \(Digest.zero.hex) x \(filter)",
        "003\t3 100 \(Digest.zero.hex) \(filter)",
        "003 3 100  \(Digest.zero.hex) \(filter)", "",
        // Of the filter: a length that it cannot have, another form, more.
        "003 3 100 \(Digest.zero.hex) 0 \(Digest.zero.hex)",
        "003 3 100 \(Digest.zero.hex) 16 \(Digest.zero.hex)",
        "003 3 100 \(Digest.zero.hex) 04 \(Digest.zero.hex)",
        "003 3 100 \(Digest.zero.hex) \(Digest.zero.hex) 4",
        "003 3 100 \(Digest.zero.hex) 4", "003 3 100 \(Digest.zero.hex) \(filter) 4",
        "003 3 100 \(Digest.zero.hex)",
        // More coins than bytes; more bytes than any shard has.
        "003 101 100 \(Digest.zero.hex) \(filter)", "003 1 281474976710657 \(Digest.zero.hex) \(filter)",
        "003 1 18446744073709551616 \(Digest.zero.hex) \(filter)",
    ])
    func otherLinesAreRefused(line: String) {
        let error = #expect(throws: ParseError.self) { try Self.parse(Self.withLine(3, line)) }
        #expect(error?.offset ?? 0 >= Self.withLine(3, "").utf8.count { $0 == 10 })
    }

    @Test func hexDigitsOfShardsAreLowerCase() throws {
        #expect(throws: ParseError.self) {
            try Self.parse(Self.withLine(10, "00A 3 100 \(Digest.zero.hex) \(Self.filter)"))
        }
        #expect(throws: Never.self) {
            try Self.parse(Self.withLine(10, "00a 3 100 \(Digest.zero.hex) \(Self.filter)"))
        }
    }

    @Test func anotherNumberOfShardsIsRefused() {
        #expect(throws: ParseError.self) { try Self.parse(Self.manifest.text, shards: 8) }
        #expect(throws: ParseError(.truncated, at: Self.manifest.text.utf8.count)) {
            try Self.parse(Self.manifest.text, shards: 32)
        }
    }
}
