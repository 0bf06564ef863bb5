import Foundation

/// Random trees of blocks that Bitcoin Core's engine was given one after the other, many of which it refuses
/// (`Tests/Node/trees.py`).
public struct CoreTrees {
    /// A tree after one of its blocks.
    public struct Step: Decodable, Sendable {
        /// The data directory: `blocks` as the engine left them.
        public let folder: String
        /// The engine's best chain by height, as Bitcoin Core prints hashes.
        public let best: [String]
        /// All blocks that the engine ever connected: those of other branches, and those it only tried, too.
        public let connected: Set<String>
    }

    /// Step by step, tree by tree.
    public let trees: [[Step]]
    private let scratch: Scratch

    public init(_ count: Int, steps: Int, seed: UInt64) throws {
        scratch = try Scratch()
        let lines = try Program.python().print(
            "-B", "\(ChainFixture.repository)/Tests/Node/trees.py", scratch.folder, "\(seed)", "\(count)",
            "\(steps)", timeout: 300)
        let all = try lines.split(separator: 0x0a).map { try JSONDecoder().decode(Step.self, from: Data($0)) }
        trees = stride(from: 0, to: all.count, by: steps).map { Array(all[$0..<min($0 + steps, all.count)]) }
    }
}
