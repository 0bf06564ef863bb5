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

    /// Removes the data of all epochs below a height, the lowest first, so that what is left begins with a manifest.
    public static func remove(below height: Int, from tree: Folder) throws(FileError) -> Report {
        var report = Report(from: height)
        let snapshots = try Folder.names(in: tree.path("snapshots")).compactMap { name in
            TreePath.block(named: name).map { (start: $0.height, block: $0, name: name) }
        }
        let patches = try Folder.names(in: tree.path("patches")).compactMap { name in
            TreePath.height(digits: name).map { (start: $0, name: name) }
        }
        for start in Set(snapshots.map(\.start) + patches.map(\.start)).sorted() where start < height {
            for snapshot in snapshots where snapshot.start == start {
                // The other way round than it came: nobody finds the list of what is being removed.
                try tree.remove(TreePath.manifest(snapshot.block))
                try tree.removeTree("snapshots/\(snapshot.name)")
                report.snapshots += 1
            }
            for epoch in patches where epoch.start == start {
                try tree.removeTree("patches/\(epoch.name)")
                report.epochs += 1
            }
        }
        return report
    }
}
