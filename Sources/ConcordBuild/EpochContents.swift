import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// The epoch that is being published: what its next deltas, its next snapshot and its headers file are made of, and what
/// the next statements name.
public struct EpochContents: Sendable {
    public let start: Int
    /// The snapshot it began with; nil only before the genesis block.
    var snapshot: SnapshotMerge.Before?
    /// The patches and deltas since, in the order of their last blocks.
    private(set) var files: [ChangeFile] = []
    /// The digests of its statements, from `start` on.
    private(set) var digests: [Digest] = []
    /// The 80-byte headers from `start` on.
    public internal(set) var headers: [UInt8] = []

    init(start: Int, snapshot: SnapshotMerge.Before? = nil) {
        self.start = start
        self.snapshot = snapshot
    }

    /// Adds what belongs to the next block.
    mutating func add(_ file: ChangeFile) { files.append(file) }

    /// Adds the statement of the next block.
    mutating func add(_ statement: Statement) { digests.append(statement.digest) }

    /// What the statement of a block of this epoch says as `history`: nothing where it is the first.
    func history(at height: Int, _ parameters: TreeParameters) -> [Digest] {
        parameters.historySpans(at: height).map { digests[height - $0 - start] }
    }

    /// The fewest files that lead from the snapshot to the last block there are files of.
    func way(_ parameters: TreeParameters) -> [ChangeFile] {
        guard let last = files.last?.block.height else { return [] }
        return parts(from: (snapshot?.block.height ?? -1), to: last, parameters)
    }

    /// The files that a delta is made of: the next shorter ones that there are.
    func parts(of span: Int, to height: Int, _ parameters: TreeParameters) -> [ChangeFile] {
        let step = parameters.spans.last { $0 < span } ?? 1
        return files.filter {
            $0.span == step && $0.block.height > height - span && $0.block.height <= height
        }
    }

    private func parts(from base: Int, to height: Int, _ parameters: TreeParameters) -> [ChangeFile] {
        let steps = Set(parameters.steps(from: base, to: height))
        return files.filter { steps.contains(TreeParameters.Step(height: $0.block.height, span: $0.span)) }
    }

    /// The epoch of a block that was published before, read back from its tree, from where the data is, and from the
    /// chain; every statement must name those before it.
    public static func resuming(
        at statement: Statement, tree: Tree, data: Tree, key: PublicKey, source: any ChainSource
    ) throws -> EpochContents {
        let parameters = statement.parameters
        var epoch = EpochContents(start: statement.epochStart)
        for height in epoch.start...statement.height {
            let block = source.blockID(at: height)
            let said = try tree.attestation(of: block, parameters: parameters, key: key).statement
            guard said.history == epoch.history(at: height, parameters) else {
                throw FileError(
                    tree.path(TreePath.attestation(block, parameters)),
                    "has a history that does not name the statements before it")
            }
            if let root = said.snapshotRoot {
                let manifest = try data.manifest(of: block, parameters: parameters, root: root)
                epoch.snapshot = SnapshotMerge.Before(block: block, contents: manifest.contents)
            } else {
                epoch.files += said.changeFiles
            }
            epoch.add(said)
            epoch.headers += try source.header(at: height)
        }
        return epoch
    }
}
