import Concord
import ConcordFiles
import ConcordTree

/// The way from an installed set to the snapshot of a later epoch: patches and deltas across the epoch heights between, and
/// then the snapshot, made of what is held. It is byte for byte the published one, which its manifest shows.
struct EpochCrossing {
    let old: InstalledSet
    /// The height of the snapshot.
    let start: Int
    /// The shards that stay held.
    let held: [Int]
    /// What is known of those that stay followed, at the old snapshot.
    let followed: [ShardBase]
    let folder: Folder
    let block: (Int) -> BlockID?
    /// The way down from a statement to a height of its epoch; from the agreed one if nil.
    let pinned: (Statement?, Int, (SetFetch.Event) -> Void) throws -> StatementWay
    /// Agreement on a block of an epoch whose newest statement is not pinned.
    let agreed: (BlockID) throws -> Statement
    let manifest: (Statement) throws -> Manifest

    /// A new snapshot costs less than the changes of more epochs.
    static let maxEpochs = 16

    private var parameters: TreeParameters { old.statement.parameters }

    /// Brings the files and puts the snapshot in its place, and gives what is known then of the shards that are followed. What
    /// is installed stays as it is. Nil where the way does not lead on from there.
    func run(_ progress: @escaping (SetFetch.Event) -> Void, _ downloads: SetDownloads) throws -> ShardBases?
    {
        let statements = try statements(progress)
        guard let last = statements.last, last.height == start else { return nil }
        let manifest = try manifest(last)
        let files = StatementWay.files([old.statement] + statements)
        // By a run that did not come to its end.
        let isMade = try isMade(last.blockID)
        try downloads.bringChanges(
            files, for: ((isMade ? [] : held) + followed.map(\.shard)).sorted()
        ) { progress(.files(done: $0, of: $1, bytes: downloads.bytes)) }
        progress(.merging(height: start))
        if !isMade, !held.isEmpty { try merge(old.files + files, into: last, manifest) }
        do {
            return try follow(old.files + files, to: last.blockID)
        } catch let error as ParseError {
            throw StateContradiction(.sections(error), last)
        }
    }

    private func isMade(_ snapshot: BlockID) throws -> Bool {
        try folder.contains(ShardNumberFile(folder: folder, block: snapshot).path)
            && held.allSatisfy { try folder.contains(TreePath.shard($0, of: snapshot)) }
    }

    /// The coins of the followed shards at the new snapshot.
    private func follow(_ files: [ChangeFile], to snapshot: BlockID) throws -> ShardBases {
        var bases = ShardBases(at: snapshot)
        if followed.isEmpty { return bases }
        let sections = try old.readingFiles {
            try PatchSections(root: folder.root, parameters: parameters, files: files)
                .load(followed.map(\.shard))
        }
        let coins = FollowedCoins(sections: sections, files: files)
        for (i, base) in followed.enumerated() { bases[base.shard] = try coins.base(after: base, at: i) }
        return bases
    }

    /// The statements at the ends of the files, from below; the last is the snapshot's.
    private func statements(_ progress: (SetFetch.Event) -> Void) throws -> [Statement] {
        let ends = parameters.steps(from: old.block.height, to: start).map(\.height)
        var statements: [Statement] = []
        for epoch in stride(from: old.statement.epochStart, through: start, by: parameters.epoch) {
            let own = ends.filter { parameters.epochStart(of: $0) == epoch }
            guard let highest = own.last else { continue }
            let bottom = max(epoch, old.block.height)
            let way: StatementWay
            if epoch == start {
                way = try pinned(nil, epoch, progress)
            } else {
                guard let block = block(highest) else { return [] }
                way = try pinned(try agreed(block), bottom, progress)
            }
            if bottom == old.block.height {
                // They said something else before.
                guard way.statements[0] == old.statement else { return [] }
            }
            statements += way.statements.filter { own.contains($0.height) }
        }
        return statements
    }

    private func merge(_ files: [ChangeFile], into snapshot: Statement, _ manifest: Manifest) throws {
        let builder = SnapshotBuilder(
            folder: folder, parameters: parameters, level: ZstdCompressor.defaultLevel)
        do {
            let built = try old.readingFiles {
                try builder.build(snapshot.blockID, held, before: old.before, files: files)
            }
            var isInstalled = false
            defer { if !isInstalled { for file in built.files { folder.discard(file) } } }
            for (shard, contents) in zip(held, built.contents)
            where contents != manifest.shards[shard].contents {
                throw StateContradiction(.snapshot(shard: shard), snapshot)
            }
            let replay = SetReplay(
                root: folder.root, parameters: parameters, before: old.before, files: files)
            let states = SetStates(
                agreed: old.statement, before: old.before, files: old.files, folder: folder)
            let numbers = try old.readingFiles {
                try replay.numbers(of: held, from: states.numbers(of: held))
            }
            try folder.install(built.files)
            isInstalled = true
            try ShardNumberFile(folder: folder, block: snapshot.blockID)
                .write(Dictionary(zip(held, numbers)) { $1 })
        } catch let error as ChangeError {
            throw StateContradiction(.changes(error), snapshot)
        }
    }
}
