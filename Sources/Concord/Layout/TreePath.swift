/// Every path of a published tree, relative to its root: the only place where they are put together
/// (FORMAT.md, «Layout»).
public enum TreePath {
    /// Heights are written with seven digits.
    public static let maxHeight = 9_999_999

    public static let latest = "latest.txt"
    public static let authority = "authority.txt"
    public static let authorityPEM = "authority.pem"

    public static func attestation(_ block: BlockID, _ parameters: TreeParameters) -> String {
        "\(attestationFolder(epochOf: block.height, parameters))/\(name(block)).txt"
    }

    public static func attestationFolder(epochOf height: Int, _ parameters: TreeParameters) -> String {
        "attestations/\(digits(parameters.epochStart(of: height)))"
    }

    /// The detached signature beside a file.
    public static func signature(_ path: String) -> String { path + ".sig" }

    public static func patch(_ block: BlockID, _ parameters: TreeParameters) -> String {
        "patches/\(digits(parameters.epochStart(of: block.height)))/\(name(block)).zst"
    }

    /// The patch of a block, or the delta of so many blocks that ends with it.
    public static func changes(_ block: BlockID, span: Int, _ parameters: TreeParameters) -> String {
        span == 1
            ? patch(block, parameters)
            : "deltas/\(digits(parameters.epochStart(of: block.height)))/\(name(block))-\(span).zst"
    }

    public static func muhashes(_ block: BlockID, _ parameters: TreeParameters) -> String {
        "muhashes/\(digits(parameters.epochStart(of: block.height)))/\(name(block)).bin"
    }

    /// The folders that have one of their own for every epoch with data.
    public static let epochFolders = ["muhashes", "patches", "deltas"]

    public static func manifest(_ block: BlockID) -> String {
        "snapshots/\(name(block))/manifest.txt"
    }

    public static func torrent(_ block: BlockID) -> String {
        "snapshots/\(name(block))/snapshot.torrent"
    }

    public static func magnet(_ block: BlockID) -> String {
        "snapshots/\(name(block))/snapshot.magnet"
    }

    public static func shard(_ shard: Int, of block: BlockID) -> String {
        "snapshots/\(name(block))/shards/\(shardDigits(shard)).zst"
    }

    public static func filter(_ shard: Int, of block: BlockID) -> String {
        "snapshots/\(name(block))/filters/\(shardDigits(shard)).gcs"
    }

    public static func headers(epochOf height: Int, _ parameters: TreeParameters) -> String {
        "headers/\(digits(parameters.epochStart(of: height))).bin"
    }

    /// `0840123-<block>`.
    public static func name(_ block: BlockID) -> String {
        "\(digits(block.height))-\(block.hash.reversedHex)"
    }

    /// The block that a name of this form stands for, a file's ending left out.
    public static func block(named name: some StringProtocol) -> BlockID? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let height = height(digits: parts[0]),
            let hash = Digest(reversedHex: parts[1])
        else { return nil }
        return BlockID(height: height, hash: hash)
    }

    /// The block that a file of a tree belongs to, by its path; nil for files of no block and for any other path.
    public static func block(ofFile path: String, _ parameters: TreeParameters) -> BlockID? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 2 else { return nil }
        // Whatever it looks like, it must be the very path that is built for the block.
        var name = parts[0] == "snapshots" ? parts[1] : parts[2].prefix { $0 != "." }
        var span = 1
        if parts[0] == "deltas", let dash = name.lastIndex(of: "-") {
            span = Int(name[name.index(after: dash)...]) ?? 1
            name = name[..<dash]
        }
        guard let block = block(named: name) else { return nil }
        let isPath =
            switch parts[0] {
            case "attestations":
                path == attestation(block, parameters) || path == signature(attestation(block, parameters))
            case "patches": path == patch(block, parameters)
            case "deltas":
                parameters.deltaSpans(at: block.height).contains(span)
                    && path == changes(block, span: span, parameters)
            case "muhashes": path == muhashes(block, parameters)
            case "snapshots":
                parameters.epochStart(of: block.height) == block.height
                    && (path == manifest(block) || path == torrent(block) || path == magnet(block)
                        || parts.count == 4
                            && Int(parts[3].prefix(3), radix: 16).map {
                                $0 < parameters.shards
                                    && (path == shard($0, of: block) || path == filter($0, of: block))
                            } ?? false)
            default: false
            }
        return isPath ? block : nil
    }

    /// A height in seven digits.
    public static func digits(_ height: Int) -> String {
        let text = String(height)
        return String(repeating: "0", count: max(0, 7 - text.count)) + text
    }

    public static func height(digits: some StringProtocol) -> Int? {
        guard digits.utf8.count == 7, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(digits)
    }

    /// A shard's number in three hex digits.
    public static func shardDigits(_ shard: Int) -> String {
        let text = String(shard, radix: 16)
        return String(repeating: "0", count: max(0, 3 - text.count)) + text
    }
}
