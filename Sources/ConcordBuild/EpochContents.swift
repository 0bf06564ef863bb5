import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// The epoch that is being published: what its next snapshot and its headers file are made of.
public struct EpochContents: Sendable {
    public let start: Int
    /// The snapshot it began with; nil only before the genesis block.
    var snapshot: SnapshotMerge.Before?
    /// The patches since, in order.
    var patches: [SnapshotMerge.Patch] = []
    /// The 80-byte headers from `start` on.
    public internal(set) var headers: [UInt8] = []

    init(start: Int, snapshot: SnapshotMerge.Before? = nil) {
        self.start = start
        self.snapshot = snapshot
    }

    /// The epoch of a block that was published before, read back from its tree, from where the data is, and from the
    /// chain; every statement must follow from the one before it.
    public static func resuming(
        at statement: Statement, tree: Tree, data: Tree, key: PublicKey, source: any ChainSource
    ) throws -> EpochContents {
        let parameters = statement.parameters
        var epoch = EpochContents(start: statement.epochStart)
        var history = Digest.zero
        for height in epoch.start...statement.height {
            let block = source.blockID(at: height)
            let said = try tree.attestation(of: block, parameters: parameters, key: key).statement
            if let root = said.snapshotRoot {
                let manifest = try data.manifest(of: block, parameters: parameters, root: root)
                epoch.snapshot = SnapshotMerge.Before(block: block, manifest: manifest)
                history = root
            } else {
                history = Statement.history(after: history, block: block.hash, patchRoot: said.patchRoot)
                epoch.patches.append(SnapshotMerge.Patch(block: block, root: said.patchRoot))
            }
            guard history == said.history else {
                throw FileError(
                    tree.path(TreePath.attestation(block, parameters)),
                    "has a history that does not follow from the statements before it")
            }
            epoch.headers += try source.header(at: height)
        }
        return epoch
    }
}
