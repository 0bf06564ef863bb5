import Concord
import ConcordFiles

/// Removes the data of old epochs from a tree: snapshots, patches, deltas and MuHashes of shards. What is signed stays,
/// and so do the headers; the statements of what is gone can still be compared (FORMAT.md, «Layout»).
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
        /// Epochs whose patches, deltas and MuHashes of shards went.
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
        var epochs: [(start: Int, path: String)] = []
        for folder in TreePath.epochFolders {
            epochs += try Folder.names(in: tree.path(folder)).compactMap { name in
                TreePath.height(digits: name).map { ($0, "\(folder)/\(name)") }
            }
        }
        for start in Set(snapshots.map(\.start) + epochs.map(\.start)).sorted() where start < height {
            for snapshot in snapshots where snapshot.start == start {
                // The other way round than it came: nobody finds the list of what is being removed.
                try tree.remove(TreePath.manifest(snapshot.block))
                try tree.removeTree("snapshots/\(snapshot.name)")
                report.snapshots += 1
            }
            let gone = epochs.filter { $0.start == start }
            for epoch in gone { try tree.removeTree(epoch.path) }
            if !gone.isEmpty { report.epochs += 1 }
        }
        return report
    }
}
