import Concord
import ConcordFiles

/// Removes the data of old epochs from a tree: snapshots and patches. What is signed stays, and so do the headers; the
/// statements of what is gone can still be compared (FORMAT.md, «Layout»).
public struct TreePruning: Sendable {
    /// Epochs whose data is kept, the open one among them.
    public let keep: Int

    /// The open epoch's, and the one before, which a reorganisation across the epoch height needs.
    public static let least = 2

    /// Nil for fewer than `least`.
    public init?(keep: Int) {
        guard keep >= Self.least else { return nil }
        self.keep = keep
    }

    public struct Report: Sendable {
        /// The first height of the lowest epoch that is kept.
        public let from: Int
        public var snapshots = 0
        /// Epochs whose patches went.
        public var epochs = 0
    }

    /// - Parameter newest: the block that the tree points to.
    public func run(_ tree: Folder, newest: BlockID, _ parameters: TreeParameters) throws(FileError) -> Report
    {
        try Self.remove(
            below: max(0, parameters.epochStart(of: newest.height) - (keep - 1) * parameters.epoch),
            from: tree)
    }

    /// Removes the data of all epochs below a height.
    public static func remove(below height: Int, from tree: Folder) throws(FileError) -> Report {
        var report = Report(from: height)
        for name in try Folder.names(in: tree.path("snapshots")).sorted() {
            guard let block = TreePath.block(named: name[...]), block.height < height else { continue }
            // The other way round than it came: nobody finds the list of what is being removed.
            try tree.remove(TreePath.manifest(block))
            try tree.removeTree("snapshots/\(name)")
            report.snapshots += 1
        }
        for name in try Folder.names(in: tree.path("patches")).sorted() {
            guard let start = TreePath.height(digits: name[...]), start < height else { continue }
            try tree.removeTree("patches/\(name)")
            report.epochs += 1
        }
        return report
    }
}
