import Concord
import Foundation

/// A chain as Bitcoin Core left it on disk, with what Core says about it.
public struct ChainFixture: Sendable, CustomStringConvertible {
    /// 331 blocks made for this project, three stale branches among them.
    public static let regtestRich = ChainFixture(
        folder: "\(repository)/Tests/Fixtures/regtest-rich", network: "regtest", shards: 16, epoch: 50)
    /// The first 4,313 blocks of the main network. Not in the repository, but in a folder that may stand beside it.
    public static let mainnet4312 = ChainFixture(
        folder: "\(repository)/../shared/fixtures/mainnet-4312", network: "main", shards: 1024, epoch: 1000)

    public static let repository = String(
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" })

    public let folder: String
    public let network: String
    /// The parameters that `roots` was made with.
    public let shards: Int
    public let epoch: Int

    public var isThere: Bool { FileManager.default.fileExists(atPath: folder) }
    public var description: String { String(folder.split(separator: "/").last ?? "") }

    /// What Core's `gettxoutsetinfo muhash HEIGHT` says.
    public struct Answer: Sendable, Equatable {
        public let height, block, coins, amount, muhash: String

        /// From the fields of a statement.
        public init(_ fields: [String: String]) {
            self.init(["height", "block", "coins", "amount", "muhash"].map { fields[$0] ?? "" })
        }

        fileprivate init(_ words: some Collection<String>) {
            let words = Array(words)
            (height, block, coins, amount, muhash) = (words[0], words[1], words[2], words[3], words[4])
        }
    }

    /// What a slow reference that was written apart from the project says of the same heights.
    public struct Roots: Sendable, Equatable {
        public let answer: Answer
        public let muhashes, patch, deltas, history, snapshot: String
    }

    /// Of every height, in order.
    public func answers() throws -> [Answer] {
        try rows("expected.tsv").map { Answer($0) }
    }

    public func roots() throws -> [Roots] {
        let name =
            FileManager.default.fileExists(atPath: "\(folder)/states.tsv") ? "states.tsv" : "states.tsv.zst"
        return try rows(name).map {
            Roots(
                answer: Answer($0.prefix(5)), muhashes: $0[5], patch: $0[6], deltas: $0[7], history: $0[8],
                snapshot: $0[9])
        }
    }

    /// A dump that Core wrote, and what it said of it.
    public struct Dump: Sendable, CustomStringConvertible {
        public let height: Int
        /// As Core prints them: the block, and `hash_serialized_3`.
        public let block, hash: String
        public let coins: Int
        public var description: String { "\(height)" }
    }

    /// The dumps there are, by height.
    public func dumps() throws -> [Dump] {
        try rows("dumps.tsv").map {
            guard let height = Int($0[0]), let coins = Int($0[2]) else { throw TestError("no dump: \($0)") }
            return Dump(height: height, block: $0[1], hash: $0[3], coins: coins)
        }
    }

    /// The heights there are dumps of.
    public func dumpHeights() throws -> [Int] {
        try dumps().map(\.height)
    }

    /// The file as Core wrote it.
    public func dumpFile(of height: Int) throws -> [UInt8] {
        try Program.installed("zstd").print("-dcq", "\(folder)/utxo-\(height).dat.zst")
    }

    public func dump(of height: Int) throws -> CoreDump {
        try CoreDump(parsing: try dumpFile(of: height))
    }

    private func rows(_ name: String) throws -> [[String]] {
        let path = "\(folder)/\(name)"
        let bytes =
            name.hasSuffix(".zst")
            ? try Program.installed("zstd").print("-dcq", path)
            : try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Unpacks the data directory: `folder` then holds `blocks`.
    public func unpack(into folder: String) throws { try unpack("blocks", into: folder) }

    /// The headers of the best chain, 80 bytes each, from the genesis block on.
    public func headers() throws -> [UInt8] {
        let scratch = try Scratch()
        try unpack(into: scratch.folder)
        let magic = Network(rawValue: network)?.magic ?? []
        let files = try CoreFiles("\(scratch.folder)/blocks", magic: magic)
        let byHash = Dictionary(
            files.blocks.map { ($0.hash, $0.record.bytes) }, uniquingKeysWith: { first, _ in first })
        return try answers().flatMap { answer in
            guard let block = byHash[answer.block] else {
                throw TestError("no block of height \(answer.height)")
            }
            return block.prefix(BlockHeader.size)
        }
    }

    /// Unpacks what a live node answered, body by body: `folder` then holds `rpc`.
    public func unpackRecording(into folder: String) throws { try unpack("rpc", into: folder) }

    private func unpack(_ archive: String, into folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let tar = try Program.installed("zstd").print("-dcq", "\(self.folder)/\(archive).tar.zst")
        try Program.installed("tar").print("-xf", "-", "-C", folder, input: tar)
    }
}
