import TestSupport
import Testing

@testable import Concord

/// Torrents against what libtorrent 2.0.8 (`create_torrent`, without its creation date) makes of the same files.
@Suite struct TorrentTests {
    static let lengths = [1, 0, 16_383, 16_384, 16_385, 32_768, 32_769, 65_536, 98_305, 163_841]
    static let webSeeds = ["http://a.example/snapshots/", "https://b.example/snapshots/"]

    /// A manifest and shards of the lengths above, byte j of file i being 31j + ⌊j/256⌋ + 7i.
    static func torrent(pieceLength: Int) -> Torrent {
        let files = lengths.enumerated().map { i, length in
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 31 + $0 >> 8 + i * 7) }
            var hasher = TorrentFile.Hasher(length: length, pieceLength: pieceLength)
            var done = 0
            while hasher.next > 0 {
                let piece = bytes[done..<done + hasher.next]
                done += piece.count
                piece.withUnsafeBytes { hasher.add($0) }
            }
            return hasher.finish(
                at: i == 0 ? ["manifest.txt"] : ["shards", "\(TreePath.shardDigits(i - 1)).zst"])
        }
        return Torrent(name: "name", pieceLength: pieceLength, files: files)
    }

    @Test(arguments: [
        (
            16_384, "7ab720cb2dc7753ec7e775995117589f6c313e02",
            "8ae8cd3688bf86ddd753a021054ccbed2165e81ce031c342c819ac805fed3e17",
            "69a700366070e0041df614b8512839028ed91ddb3865bfedf22fdfbe47eccaf0"
        ),
        (
            32_768, "7cd923806dc95ed4ba8f1fa6bef6fc9fd429d903",
            "80526b786d535abcc481026fd2b38bfabeea6d7666b795411457cb73cdc49069",
            "39a988b22eacef0a480f7e4924eef6d0e71ad2d8a39928da8be62466c9cda26c"
        ),
        (
            131_072, "988b5c4cf8542aab2047f21fc4f55157005cff44",
            "58e7eacd818f6b3a86b1065154af4a1b46d0265ad7223d4282d9ea268c54bffd",
            "4188c92e5e5d446b4b5171544526ec938df2f293a82907e04ab290879e17709d"
        ),
    ])
    func knownTorrents(pieceLength: Int, hash1: String, hash2: String, file: String) {
        let torrent = Self.torrent(pieceLength: pieceLength)
        #expect(torrent.hash1 == hash1)
        #expect(torrent.hash2.hex == hash2)
        #expect(SHA256.hash(torrent.encoded(webSeeds: Self.webSeeds)).hex == file)
    }

    /// What is read back is the same torrent, whatever web seeds it names.
    @Test(arguments: [[], ["http://c.example/snapshots/"], webSeeds])
    func theWebSeedsAreNoPartOfIt(webSeeds: [String]) throws {
        let torrent = Self.torrent(pieceLength: 32_768)
        let bytes = torrent.encoded(webSeeds: webSeeds)
        #expect(try Torrent(parsing: bytes) == torrent)
        #expect((bytes == torrent.encoded(webSeeds: [])) == webSeeds.isEmpty)
    }

    @Test func noTorrents() throws {
        let bytes = Self.torrent(pieceLength: 131_072).encoded(webSeeds: Self.webSeeds)
        for count in 0..<bytes.count where count < 100 || count % 97 == 0 || count > bytes.count - 100 {
            #expect(throws: ParseError.self) { try Torrent(parsing: Array(bytes[..<count])) }
        }
        for text in [
            "de", "le", "i1e", "d4:infode", "d4:infodee", "d12:piece layersdee",
            "d4:infode12:piece layersdeee",
            "d4:infoe", "d:infodee", "d-1:infodee", "d99999999999999999999:infodee",
            "d4:infol12:piece layersdee",
            "d4:info5:ab", "d4:infoi1", "x4:infode12:piece layersdee",
        ] {
            #expect(throws: ParseError.self, "\(text)") { try Torrent(parsing: Array(text.utf8)) }
        }
        #expect(throws: Never.self) { try Torrent(parsing: Array("d4:infode12:piece layersdee".utf8)) }
    }

    /// A folder within a folder a million times is read without a stack of that size.
    @Test func deepNesting() throws {
        let deep = [UInt8](repeating: UInt8(ascii: "l"), count: 1 << 20)
        let ends = [UInt8](repeating: UInt8(ascii: "e"), count: 1 << 20)
        let (start, rest) = (Array("d4:info".utf8), Array("12:piece layersdee".utf8))
        #expect(try Torrent(parsing: start + deep + ends + rest).info.count == 2 << 20)
        #expect(throws: ParseError.self) { try Torrent(parsing: start + deep + ends.dropLast() + rest) }
    }

    /// Keys in order of their bytes, numbers and strings in their only form (BEP 3).
    @Test func bencode() {
        let value = Bencode.dictionary([
            [0x62]: .list([.integer(0), .integer(-7), .integer(1 << 40), .bytes([])]),
            [0x61, 0xff]: .text("é"),
            [0x61]: .dictionary([:]), [0xff]: .list([]), [0x61, 0x20]: .encoded(Array("i3e".utf8)),
        ])
        let expected: [UInt8] =
            Array("d1:ade2:a i3e2:a".utf8) + [0xff] + Array("2:é1:bli0ei-7ei1099511627776e0:e1:".utf8) + [
                0xff
            ]
            + Array("lee".utf8)
        #expect(value.encoded == expected)
    }

    @Test func magnetLink() {
        let torrent = Self.torrent(pieceLength: 16_384)
        let start =
            "magnet:?xt=urn:btih:7ab720cb2dc7753ec7e775995117589f6c313e02&xt=urn:btmh:1220"
            + "8ae8cd3688bf86ddd753a021054ccbed2165e81ce031c342c819ac805fed3e17"
        #expect(torrent.magnet(name: "0000300-ab", webSeeds: []) == start + "&dn=0000300-ab")
        #expect(
            torrent.magnet(
                name: "a b&c", webSeeds: ["http://a.example:8080/~x/", "https://b.example/é%20=+/"])
                == start + "&dn=a%20b%26c&ws=http%3A%2F%2Fa.example%3A8080%2F~x%2F"
                + "&ws=https%3A%2F%2Fb.example%2F%C3%A9%2520%3D%2B%2F")
    }

    /// 8 to 16 pieces a file, but for the least and the most that a piece may have.
    @Test func pieceLengths() {
        #expect(Torrent.pieceLength(files: 1025, bytes: 0) == 16 << 10)
        #expect(Torrent.pieceLength(files: 1025, bytes: 1025 * 256 << 10) == 16 << 10)
        #expect(Torrent.pieceLength(files: 1025, bytes: 1025 * 256 << 10 + 1) == 32 << 10)
        // The main network in 2026.
        #expect(Torrent.pieceLength(files: 1025, bytes: 9_300_000_000) == 1 << 20)
        #expect(Torrent.pieceLength(files: 2, bytes: 9_300_000_000) == 4 << 20)
    }

    /// FIPS 180, appendix A, and the empty string.
    @Test func sha1() {
        #expect(SHA1.hash(Array("abc".utf8)).hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(SHA1.hash([]).hex == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    }
}
