import Concord
import ConcordFiles
import Foundation

/// What an operator gave to read the chain from: a folder of block files, a running node, or both. It is looked at
/// anew whenever the chain is asked for.
public final class ChainInput {
    /// A place to keep the scan and the headers from run to run.
    private let cache: Folder
    private let network: Network
    private let datadir: String?
    private let node: Node?
    private let tell: @Sendable (String) -> Void
    private let progress: @Sendable (Event) -> Void
    private let comparison: SetComparison?
    private let weight = NodeChain.BlockWeight()
    private var headers: NodeHeaders?
    private var stored: NodeChain.StoredBlocks?
    private var chainOfNode: NodeChain?
    /// What was told of last.
    private var undecided: [Digest] = []
    /// How the folder's newest files looked before they were read.
    private var seen: [String] = []

    /// What is told while it is read.
    public enum Event: Sendable {
        /// Block files done and all of them.
        case scanning(Int, of: Int)
        /// Headers that are there and all of them.
        case headers(Int, of: Int)
    }

    /// - Parameters:
    ///   - datadir: a data directory; blocks that are there are not asked of the node.
    ///   - node: one of the two at least.
    ///   - cache: the publisher's own folder.
    ///   - tell: is told what an operator should know, once.
    public init(
        datadir: String?, node: Node?, network: Network, cache: Folder,
        tell: @escaping @Sendable (String) -> Void, progress: @escaping @Sendable (Event) -> Void
    ) {
        precondition(datadir != nil || node != nil)
        self.datadir = datadir
        self.node = node
        self.network = network
        self.cache = cache
        self.tell = tell
        self.progress = progress
        comparison = node.map { SetComparison($0) }
    }

    /// The best chain as it is now.
    ///
    /// - Throws: `FileError` or `NodeError`, which says what is wrong with the folder or the node.
    public func chain() throws -> any ChainSource {
        guard let node, let comparison else {
            let folder = try folder()
            seen = look()
            let progress = progress
            let chain = try BestChain.scan(folder, cache: cache) { progress(.scanning($0, of: $1)) }
            tellUndecided(chain)
            return chain
        }
        // Before the folder is scanned: a node that cannot be asked ends it at once.
        _ = try node.chainInfo()
        if stored == nil, datadir != nil {
            let folder = try folder()
            let progress = progress
            stored = .init(folder, try folder.scan(cache: cache) { progress(.scanning($0, of: $1)) })
        }
        chainOfNode = nil
        var list = headers ?? NodeHeaders(node, cache: cache)
        headers = nil
        defer { headers = list }
        try list.update { progress(.headers($0, of: $1)) }
        let chain = NodeChain(
            node: node, headers: list.list, stored: stored, comparison: comparison, weight: weight)
        chainOfNode = chain
        return chain
    }

    /// Whether an error of this path is about the folder that is read.
    public func owns(_ path: String) -> Bool {
        datadir.map { path == $0 || path.hasPrefix($0 + "/") } ?? false
    }

    /// Makes the folder be scanned again: what was found there is not there any more.
    public func lookAgain() {
        stored = nil
    }

    private func tellUndecided(_ chain: BestChain) {
        defer { undecided = chain.undecided }
        guard !chain.undecided.isEmpty, chain.undecided != undecided else { return }
        tell(
            "\(chain.name): the block of height \(chain.tip + 1) is not taken yet: these files do not say which of "
                + chain.undecided.map(\.reversedHex).joined(separator: " and ")
                + " the node has accepted. The next block will, or give --node beside --datadir, and the node says it"
        )
    }

    private func folder() throws(FileError) -> BlockFolder {
        try BlockFolder(datadir ?? "", network: network)
    }

    /// Whether what the chain says may be signed. A folder alone cannot tell, and is ready.
    ///
    /// - Parameter now: seconds since 1970.
    public func readiness(now: Int64) throws -> Readiness {
        guard node != nil else { return Readiness(reasons: [], isOfNode: false) }
        if chainOfNode == nil { _ = try chain() }
        return try chainOfNode?.readiness(now: now) ?? Readiness(reasons: [], isOfNode: false)
    }

    /// Returns when the chain may have another end than `tip`, or `isStopping` says so. A node that does not answer is
    /// waited for.
    ///
    /// - Throws: `NodeError` where the node answers, but not as one that can be used.
    public func waitForChange(since tip: BlockID, isStopping: () -> Bool) throws {
        var isAway = false
        while !isStopping() {
            if let node {
                do throws(NodeError) {
                    let best: String = try node.call("getbestblockhash", patience: .zero)
                    if isAway { tell("\(node.address): the node is back") }
                    isAway = false
                    if best != tip.hash.reversedHex { return }
                } catch {
                    if error.kind == .stopped { return }
                    guard error.kind == .passing else { throw error }
                    if !isAway { tell("\(error); waiting for it") }
                    isAway = true
                }
            } else if look() != seen {
                return
            }
            pause(node == nil ? 3 : 1, isStopping)
        }
    }

    private func pause(_ seconds: Double, _ isStopping: () -> Bool) {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end, !isStopping() { usleep(100_000) }
    }

    /// How the newest files of the folder look: a new block is written to them, or to another one.
    private func look() -> [String] {
        guard let folder = try? folder() else { return [] }
        return folder.numbers.suffix(2).flatMap { [folder.blockPath($0), folder.undoPath($0)] }.map { path in
            let stamp = try? BlockFileIndex.Stamp(path)
            return "\(path) \(stamp?.size ?? 0) \(stamp?.changed ?? 0)"
        }
    }
}
