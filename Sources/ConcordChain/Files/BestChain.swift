import Concord
import ConcordFiles

/// The chain with most work among the blocks that the node has connected, from the genesis block to its tip.
///
/// A block counts as connected when the node wrote its undo record: a branch that was only downloaded, or found
/// invalid, has none. Where a record can be of several siblings, and none has a child that was connected,
/// the chain ends at their parent. Of branches with equal work the one stored first is kept, as the node keeps it.
public struct BestChain: ChainSource, BlockReader {
    private let folder: BlockFolder
    private let entries: [BlockEntry]
    private let index: [Digest: Int32]
    private let byHeight: [Int32]
    /// Blocks that stand on the tip, and nothing tells which of them the node has connected.
    let undecided: [Digest]

    public var tip: Int { byHeight.count - 1 }

    /// The block at a height from 0 to `tip`.
    subscript(height: Int) -> BlockEntry { entries[Int(byHeight[height])] }

    public var network: Network { folder.network }
    public var name: String { folder.path }

    public func blockID(at height: Int) -> BlockID { BlockID(height: height, hash: self[height].hash) }

    public func header(at height: Int) throws -> [UInt8] { try folder.header(self[height]) }

    public func knows(_ block: BlockID) -> Bool { index[block.hash] != nil }

    /// One flush of the disk and one inverse of the MuHash for all of them.
    public func batch(from height: Int) -> Int { 128 }

    public func blocks(_ heights: Range<Int>) -> any BlockReader { self }

    public func read(_ height: Int, block: inout ByteBuffer, undo: inout ByteBuffer) throws {
        try folder.read(self[height], height: height, block: &block, undo: &undo)
    }

    public func damaged(_ height: Int, _ error: BlockError) -> FileError {
        folder.damaged(self[height], height: height, error)
    }

    /// Scans a folder and chooses the chain.
    ///
    /// - Parameters:
    ///   - cache: a folder for what the scan finds; files that have not changed are not read again.
    ///   - progress: is told the number of files done and of all, from any thread, for each that had to be scanned.
    /// - Throws: `FileError`, which names the height, the file and what to do.
    public static func scan(
        _ folder: BlockFolder, cache: Folder, progress: @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws -> BestChain {
        let scan = try folder.scan(cache: cache, progress: progress)
        do throws(FileError) {
            return try BestChain(choosingFrom: scan, folder)
        } catch {
            // A saved scan may give a record to a block that had it before `-reindex` wrote the file anew.
            guard
                let file = scan.entries.lazy.map(\.file).first(where: {
                    folder.undoPath(Int($0)) == error.path
                })
            else { throw error }
            try cache.remove("scan/\(file)")
            return try BestChain(choosingFrom: folder.scan(cache: cache, progress: progress), folder)
        }
    }

    /// Chooses from what the files hold.
    init(choosingFrom scan: BlockFolder.Scan, _ folder: BlockFolder) throws(FileError) {
        var entries = scan.entries
        var tree = BlockTree(entries)
        guard let genesis = tree.index[Digest(reversedHex: folder.network.genesis) ?? .zero] else {
            throw FolderNetwork.noGenesis(folder, found: entries.count)
        }
        let highest = tree.grow(from: genesis)
        let heights = tree.heights
        var open: Set<Int32> = []
        for owner in try SiblingUndo(folder: folder, tree: tree).owners(of: scan.open) {
            // Of a block that is stored twice the tree knows one place only.
            var entry = entries[owner.block]
            entry.take(owner.record)
            let at = tree.index[entry.hash] ?? Int32(owner.block)
            entries[Int(at)] = entry
            if !owner.isConnected { open.insert(at) }
        }
        var best = genesis
        var bestOpen: Int32?
        for (i, entry) in entries.enumerated() where entry.hasUndo && heights[i] >= 0 {
            let block = Int32(i)
            if open.contains(block) {
                if bestOpen.map({ tree.isBetter(block, than: $0) }) ?? true { bestOpen = block }
            } else if tree.isBetter(block, than: best) {
                best = block
            }
        }
        var undecided: [Digest] = []
        if let bestOpen, tree.works[Int(bestOpen)] > tree.works[Int(best)] {
            // One of them is the node's tip.
            let parent = entries[Int(bestOpen)].parent
            undecided = open.sorted().map { entries[Int($0)] }.filter { $0.parent == parent }.map(\.hash)
            best = tree.index[parent] ?? genesis
        }
        self.undecided = undecided
        // Connected blocks whose way down to the genesis block is broken: files are gone. (Of a block that is stored
        // twice only one place has a height.)
        let lost = entries.indices.first {
            heights[$0] < 0 && entries[$0].hasUndo && tree.index[entries[$0].hash] == Int32($0)
        }
        if let lost {
            throw Self.missingBlock(tree.rootOfBranch(lost), folder, below: Int(heights[Int(highest)]))
        }
        var byHeight = [Int32](repeating: 0, count: Int(heights[Int(best)]) + 1)
        var at = best
        for height in byHeight.indices.reversed() {
            let entry = entries[Int(at)]
            guard height == 0 || entry.hasUndo else {
                throw FileError(
                    folder.undoPath(Int(entry.file)),
                    "holds no undo record for the block of height \(height) (\(entry.hash.reversedHex), "
                        + "\(Self.name(entry)) at byte \(entry.offset)): let the node finish or restore the file; "
                        + "if it is damaged, «bitcoind -reindex» writes it anew")
            }
            byHeight[height] = at
            at = tree.index[entry.parent] ?? at
        }
        self.folder = folder
        self.entries = entries
        index = tree.index
        self.byHeight = byHeight
    }

    private static func name(_ entry: BlockEntry) -> String {
        let text = String(entry.file)
        return "blk" + String(repeating: "0", count: max(0, 5 - text.count)) + text + ".dat"
    }

    private static func missingBlock(_ child: BlockEntry, _ folder: BlockFolder, below height: Int)
        -> FileError
    {
        FileError(
            folder.path,
            "lacks the block \(child.parent.reversedHex): its child \(child.hash.reversedHex) is in \(name(child)) at "
                + "byte \(child.offset), but the chain from the genesis block ends at height \(height). A blk file is "
                + "missing or damaged: restore it, or let the node download it again with «bitcoind -reindex»"
        )
    }
}
