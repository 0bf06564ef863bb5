/// The torrent of a folder, for clients of either version of BitTorrent (BEP 3 and BEP 52, a «hybrid»): every file begins
/// with a piece of its own, padding files (BEP 47) fill up those before, and both versions are of the same bytes.
///
/// It depends on the files alone: what says where they are served is outside of what is hashed.
public struct Torrent: Hashable, Sendable {
    /// The info dictionary. Its hashes are the torrent's names.
    let info: [UInt8]
    let pieceLayers: [UInt8]

    /// - Parameters:
    ///   - name: the folder's.
    ///   - files: in order of their paths, byte by byte, and hashed for this length of a piece.
    public init(name: String, pieceLength: Int, files: [TorrentFile]) {
        var list: [Bencode] = []
        var pieces: [UInt8] = []
        var layers: [[UInt8]: Bencode] = [:]
        for file in files {
            list.append(
                .fields(["length": .integer(file.length), "path": .list(file.path.map { .text($0) })]))
            let padding = file.pieces.count / SHA1.size * pieceLength - file.length
            if padding > 0 {
                list.append(
                    .fields([
                        "attr": .text("p"), "length": .integer(padding),
                        "path": .list([.text(".pad"), .text("\(padding)")]),
                    ]))
            }
            pieces += file.pieces
            if let root = file.root, !file.layer.isEmpty {
                layers[root.bytes] = .bytes(file.layer.flatMap(\.bytes))
            }
        }
        info =
            Bencode.fields([
                "file tree": Self.tree(files.map { ($0.path[...], $0) }), "files": .list(list),
                "meta version": .integer(2), "name": .text(name), "piece length": .integer(pieceLength),
                "pieces": .bytes(pieces),
            ]).encoded
        pieceLayers = Bencode.dictionary(layers).encoded
    }

    private static func tree(_ files: [(path: ArraySlice<String>, file: TorrentFile)]) -> Bencode {
        .fields(
            Dictionary(grouping: files, by: { $0.path.first ?? "" }).mapValues { inner in
                if inner[0].path.isEmpty {
                    let file = inner[0].file
                    var fields: [String: Bencode] = ["length": .integer(file.length)]
                    if let root = file.root { fields["pieces root"] = .bytes(root.bytes) }
                    return .fields(fields)
                }
                return tree(inner.map { ($0.path.dropFirst(), $0.file) })
            })
    }

    /// One that was written before, wherever it says that its files are served.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        let values = try Bencode.values(ofDictionary: bytes)
        guard let info = values["info"], let pieceLayers = values["piece layers"] else {
            throw ParseError(.malformed("is no torrent of version 2"), at: 0)
        }
        self.info = info
        self.pieceLayers = pieceLayers
    }

    /// The bytes of a piece for so many files with so many bytes together: 8 to 16 pieces a file, within what clients
    /// are made for.
    public static func pieceLength(files: Int, bytes: Int) -> Int {
        var length = TorrentFile.leafBytes
        while length < 4 << 20, length * 16 * files < bytes { length *= 2 }
        return length
    }

    /// The name in the first version: SHA-1, 40 hex digits.
    public var hash1: String { SHA1.hash(info).hex }

    /// The name in the second version: SHA-256.
    public var hash2: Digest { SHA256.hash(info) }

    /// The file.
    ///
    /// - Parameter webSeeds: URLs that give the torrent's files when its name and their paths follow (BEP 19).
    public func encoded(webSeeds: [String]) -> [UInt8] {
        var fields: [String: Bencode] = ["info": .encoded(info), "piece layers": .encoded(pieceLayers)]
        if !webSeeds.isEmpty { fields["url-list"] = .list(webSeeds.map { .text($0) }) }
        return Bencode.fields(fields).encoded
    }

    /// The link that names the torrent in both versions (BEP 9, BEP 52).
    public func magnet(name: String, webSeeds: [String]) -> String {
        "magnet:?xt=urn:btih:\(hash1)&xt=urn:btmh:1220\(hash2.hex)"
            + Self.magnetEnd(name: name, webSeeds: webSeeds)
    }

    /// How a link ends, whatever is in the files.
    public static func magnetEnd(name: String, webSeeds: [String]) -> String {
        "&dn=\(escaped(name))" + webSeeds.map { "&ws=\(escaped($0))" }.joined()
    }

    /// RFC 3986, section 2: everything but unreserved characters as `%` and two hex digits.
    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            let isPlain =
                byte < 0x80 && (character.isLetter || character.isNumber || "-._~".contains(character))
            return isPlain ? String(character) : "%" + [byte].hex.uppercased()
        }.joined()
    }
}
