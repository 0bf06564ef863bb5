/// Files of a tree that are uploaded and served alike: one row of the table that uploads and the configurations of web
/// servers are made from (FORMAT.md, «Layout»).
public struct TreeFileKind: Hashable, Sendable {
    /// The steps of an upload, in their order: what a step brings is pointed to by later ones only, so that whoever
    /// reads while it goes on never meets a pointer without what it points to.
    public enum Stage: String, CaseIterable, Sendable {
        case data, attestations, headers, pages, hint
    }

    public enum Caching: Hashable, Sendable {
        /// The name has a block hash and stands for the same canonical bytes always.
        case immutable
        /// Kept for so many seconds; 0 means that a cache asks the host each time whether it has changed.
        case changes(seconds: Int)
    }

    /// As in FORMAT.md, from the tree's root: EEEEEEE, HHHHHHH, BLOCK, SPAN and SSS stand for what they stand for there.
    public let pattern: String
    /// The value of `Content-Type`.
    public let contentType: String
    public let caching: Caching
    public let stage: Stage

    private static let text = "text/plain; charset=utf-8"
    private static let zstd = "application/zstd"
    private static let bytes = "application/octet-stream"
    /// How old a file that changes may be in a cache.
    private static let briefly = Caching.changes(seconds: 10)

    /// All kinds, in the order in which they are uploaded.
    public static let all = [
        TreeFileKind("muhashes/EEEEEEE/HHHHHHH-BLOCK.bin", bytes, .immutable, .data),
        TreeFileKind("patches/EEEEEEE/HHHHHHH-BLOCK.zst", zstd, .immutable, .data),
        TreeFileKind("deltas/EEEEEEE/HHHHHHH-BLOCK-SPAN.zst", zstd, .immutable, .data),
        TreeFileKind("snapshots/HHHHHHH-BLOCK/filters/SSS.gcs", bytes, .immutable, .data),
        TreeFileKind("snapshots/HHHHHHH-BLOCK/shards/SSS.zst", zstd, .immutable, .data),
        TreeFileKind("snapshots/HHHHHHH-BLOCK/manifest.txt", text, .immutable, .data),
        // Its web seeds may change.
        TreeFileKind(
            "snapshots/HHHHHHH-BLOCK/snapshot.torrent", "application/x-bittorrent", briefly, .data),
        TreeFileKind("snapshots/HHHHHHH-BLOCK/snapshot.magnet", text, briefly, .data),
        TreeFileKind("attestations/EEEEEEE/HHHHHHH-BLOCK.txt.sig", bytes, .immutable, .attestations),
        TreeFileKind("attestations/EEEEEEE/HHHHHHH-BLOCK.txt", text, .immutable, .attestations),
        // Never older in a cache than a hint, which would point beyond its end.
        TreeFileKind("headers/EEEEEEE.bin", bytes, .changes(seconds: 0), .headers),
        TreeFileKind("authority.txt", text, briefly, .pages),
        TreeFileKind("authority.pem", "application/x-pem-file", briefly, .pages),
        TreeFileKind("FORMAT.md", "text/markdown; charset=utf-8", briefly, .pages),
        TreeFileKind("audit.sh", text, briefly, .pages),
        TreeFileKind("index.html", "text/html; charset=utf-8", briefly, .pages),
        TreeFileKind("latest.txt", text, briefly, .hint),
    ]

    private init(_ pattern: String, _ contentType: String, _ caching: Caching, _ stage: Stage) {
        self.pattern = pattern
        self.contentType = contentType
        self.caching = caching
        self.stage = stage
    }

    /// The value of `Cache-Control`.
    public var cacheControl: String {
        switch caching {
        case .immutable: "public, max-age=31536000, immutable"
        case .changes(seconds: 0): "public, no-cache"
        case .changes(let seconds): "public, max-age=\(seconds)"
        }
    }

    public var isImmutable: Bool { caching == .immutable }

    /// Whether there is one file of the kind, its name the pattern.
    public var isSingle: Bool { !pattern.contains("/") }

    /// As a shell, rsync and rclone match names: `*` stands for anything but a slash.
    public var glob: String { replacing(number: "*", hash: "*", shard: "*", dot: ".") }

    /// A regular expression for a URL's path, wherever the tree begins in it. The page answers for its folder too.
    public var expression: String {
        if pattern == "index.html" { return #"/(index\.html)?$"# }
        return "/" + replacing(number: "[0-9]+", hash: "[0-9a-f]+", shard: "[0-9a-f]+", dot: #"\."#) + "$"
    }

    private func replacing(number: String, hash: String, shard: String, dot: String) -> String {
        pattern.split(separator: "/").map { part in
            part.split(separator: ".").map { word in
                switch word {
                case "HHHHHHH-BLOCK": number + "-" + hash
                case "HHHHHHH-BLOCK-SPAN": number + "-" + hash + "-" + number
                case "EEEEEEE": number
                case "SSS": shard
                default: String(word)
                }
            }.joined(separator: dot)
        }.joined(separator: "/")
    }
}
