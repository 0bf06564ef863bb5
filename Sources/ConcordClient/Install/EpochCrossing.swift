import Concord
import ConcordFiles
import ConcordTree

/// The way from an installed set to the snapshot of a later epoch: patches and deltas across the epoch heights between, and
/// then the snapshot, made of what is held. It is byte for byte the published one, which its manifest shows.
struct EpochCrossing {
    let held: InstalledSet
    /// The height of the snapshot.
    let start: Int
    /// Shards.
    let wanted: [Int]
    let folder: Folder
    let block: (Int) -> BlockID?
    /// The way down from a statement to a height of its epoch; from the agreed one if nil.
    let pinned: (Statement?, Int, (SetFetch.Event) -> Void) throws -> StatementWay
    /// Agreement on a block of an epoch whose newest statement is not pinned.
    let agreed: (BlockID) throws -> Statement
    let manifest: (Statement) throws -> Manifest

    /// A new snapshot costs less than the changes of more epochs.
    static let maxEpochs = 16

    private var parameters: TreeParameters { held.statement.parameters }

    /// Brings the files and puts the snapshot in its place. What is installed stays as it is. False where the way does not
    /// lead on from there.
    func run(_ progress: @escaping (SetFetch.Event) -> Void, _ downloads: SetDownloads) throws -> Bool {
        let statements = try statements(progress)
        guard let last = statements.last, last.height == start else { return false }
        // By a run that did not come to its end.
        if try isMade(last.blockID) { return true }
        let manifest = try manifest(last)
        let files = StatementWay.files([held.statement] + statements)
        try downloads.bringChanges(files, for: wanted) {
            progress(.files(done: $0, of: $1, bytes: downloads.bytes))
        }
        progress(.merging(height: start))
        try merge(held.files + files, into: last, manifest)
        return true
    }

    private func isMade(_ snapshot: BlockID) throws -> Bool {
        try folder.contains(ShardNumberFile(folder: folder, block: snapshot).path)
            && wanted.allSatisfy { try folder.contains(TreePath.shard($0, of: snapshot)) }
    }

    /// The statements at the ends of the files, from below; the last is the snapshot's.
    private func statements(_ progress: (SetFetch.Event) -> Void) throws -> [Statement] {
        let ends = parameters.steps(from: held.block.height, to: start).map(\.height)
        var statements: [Statement] = []
        for epoch in stride(from: held.statement.epochStart, through: start, by: parameters.epoch) {
            let own = ends.filter { parameters.epochStart(of: $0) == epoch }
            guard let highest = own.last else { continue }
            let bottom = max(epoch, held.block.height)
            let way: StatementWay
            if epoch == start {
                way = try pinned(nil, epoch, progress)
            } else {
                guard let block = block(highest) else { return [] }
                way = try pinned(try agreed(block), bottom, progress)
            }
            if bottom == held.block.height {
                // They said something else before.
                guard way.statements[0] == held.statement else { return [] }
            }
            statements += way.statements.filter { own.contains($0.height) }
        }
        return statements
    }

    private func merge(_ files: [ChangeFile], into snapshot: Statement, _ manifest: Manifest) throws {
        let builder = SnapshotBuilder(
            folder: folder, parameters: parameters, level: ZstdCompressor.defaultLevel)
        do {
            let built = try held.readingFiles {
                try builder.build(snapshot.blockID, wanted, before: held.before, files: files)
            }
            var isInstalled = false
            defer { if !isInstalled { for file in built.files { folder.discard(file) } } }
            for (shard, contents) in zip(wanted, built.contents)
            where contents != manifest.shards[shard].contents {
                throw StateContradiction(.snapshot(shard: shard), snapshot)
            }
            let replay = SetReplay(
                root: folder.root, parameters: parameters, before: held.before, files: files)
            let states = SetStates(
                agreed: held.statement, before: held.before, files: held.files, folder: folder)
            let numbers = try held.readingFiles {
                try replay.numbers(of: wanted, from: states.numbers(of: wanted))
            }
            try folder.install(built.files)
            isInstalled = true
            try ShardNumberFile(folder: folder, block: snapshot.blockID)
                .write(Dictionary(zip(wanted, numbers)) { $1 })
        } catch let error as ChangeError {
            throw StateContradiction(.changes(error), snapshot)
        }
    }
}
