import TestSupport
import Testing

@testable import Concord

@Suite struct ManifestTests {
    static let manifest = Manifest(
        (0..<16).map {
            Manifest.Shard(coins: UInt64($0), bytes: UInt64($0) * 100, digest: Digest(every: UInt8($0)))
        })

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
            Self.manifest.text.hasPrefix("000 0 0 \(Digest.zero.hex)\n001 1 100 \(Digest(every: 1).hex)\n"))
        #expect(Self.manifest.text.hasSuffix("00f 15 1500 \(Digest(every: 15).hex)\n"))
        #expect(try Self.parse(Self.manifest.text) == Self.manifest)
        #expect(Self.manifest.coins == 120)
    }

    @Test func shardsAreNumberedInThreeHexDigits() throws {
        let all = Manifest(
            [Manifest.Shard](repeating: Manifest.Shard(coins: 1, bytes: 40, digest: .zero), count: 4096))
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
        "001 3 100 \(Digest.zero.hex)", "03 3 100 \(Digest.zero.hex)", "0003 3 100 \(Digest.zero.hex)",
        "3 3 100 \(Digest.zero.hex)", "003  3 100 \(Digest.zero.hex)", "003 03 100 \(Digest.zero.hex)",
        "003 3 0100 \(Digest.zero.hex)", "003 +3 100 \(Digest.zero.hex)", "003 -3 100 \(Digest.zero.hex)",
        "003 3 100 \(Digest.zero.hex)0", "003 3 100 \(Digest.zero.hex.dropLast())",
        "003 3 100 \(Digest(every: 0xab).hex.uppercased())",
        "003 3 100", "003 3 100 \(Digest.zero.hex) x", "003\t3 100 \(Digest.zero.hex)",
        "003 3 100  \(Digest.zero.hex)", "",
        // More coins than bytes; more bytes than any shard has.
        "003 101 100 \(Digest.zero.hex)", "003 1 281474976710657 \(Digest.zero.hex)",
        "003 1 18446744073709551616 \(Digest.zero.hex)",
    ])
    func otherLinesAreRefused(line: String) {
        let error = #expect(throws: ParseError.self) { try Self.parse(Self.withLine(3, line)) }
        #expect(error?.offset == 216 || error?.offset ?? 0 > 216)
    }

    @Test func hexDigitsOfShardsAreLowerCase() throws {
        #expect(throws: ParseError.self) { try Self.parse(Self.withLine(10, "00A 3 100 \(Digest.zero.hex)")) }
        #expect(throws: Never.self) { try Self.parse(Self.withLine(10, "00a 3 100 \(Digest.zero.hex)")) }
    }

    @Test func anotherNumberOfShardsIsRefused() {
        #expect(throws: ParseError.self) { try Self.parse(Self.manifest.text, shards: 8) }
        #expect(throws: ParseError(.truncated, at: Self.manifest.text.utf8.count)) {
            try Self.parse(Self.manifest.text, shards: 32)
        }
    }
}
