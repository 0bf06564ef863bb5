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
        let held = try held.filter {
            try isCheaper(files, of: $0, than: Int(manifest.shards[$0].contents.bytes), downloads)
        }
        // By a run that did not come to its end.
        let isMade = try isMade(last.blockID, held)
        var bases = ShardBases(at: last.blockID)
        let followed = try followed.filter { base in
            guard let new = try filtered(base, files, last.blockID, manifest, downloads) else { return true }
            bases[base.shard] = new
            return false
        }
        try downloads.bringChanges(
            files, for: ((isMade ? [] : held) + followed.map(\.shard)).sorted()
        ) { progress(.files(done: $0, of: $1, bytes: downloads.bytes)) }
        progress(.merging(height: start))
        if !isMade, !held.isEmpty { try merge(held, old.files + files, into: last, manifest) }
        do {
            try follow(followed, old.files + files, into: &bases)
        } catch let error as ParseError {
            throw StateContradiction(.sections(error), last)
        }
        return bases
    }

    /// Whether sections of all files are fewer bytes than something else that would do.
    private func isCheaper(
        _ files: [ChangeFile], of shard: Int, than bytes: Int, _ downloads: SetDownloads
    ) throws -> Bool {
        // Whole files come for all shards at once.
        if downloads.takesWhole(held.count + followed.count) { return true }
        return try downloads.sectionBytes(files, of: shard).map { $0 < bytes } ?? true
    }

    /// What the new snapshot's filter says of a shard that had no coins, where that is fewer bytes than what changed in it; nil
    /// where it says that there may be some, for then only the sections tell nobody.
    private func filtered(
        _ base: ShardBase, _ files: [ChangeFile], _ block: BlockID, _ manifest: Manifest,
        _ downloads: SetDownloads
    ) throws -> ShardBase? {
        let line = manifest.shards[base.shard]
        guard try !hasCoins(base),
            try !isCheaper(files, of: base.shard, than: Int(line.filter.bytes), downloads)
        else { return nil }
        try downloads.bringFilters([base.shard], of: block, manifest, isWhole: false) { _, _ in }
        let filter = try ShardFilter.read(
            folder.path(TreePath.filter(base.shard, of: block)), block, line)
        return filter.mayHave(base.scripts.compactMap { [UInt8](hex: $0) }).contains(true) ? nil : base
    }

    /// Whether a shard that is followed has coins at the old block.
    private func hasCoins(_ base: ShardBase) throws -> Bool {
        try old.readingFiles {
            let sections = try PatchSections(root: folder.root, parameters: parameters, files: old.files)
                .load([base.shard])
            return try !FollowedCoins(sections: sections, files: old.files).coins(from: base, at: 0).isEmpty
        }
    }

    private func isMade(_ snapshot: BlockID, _ held: [Int]) throws -> Bool {
        try folder.contains(ShardNumberFile(folder: folder, block: snapshot).path)
            && held.allSatisfy { try folder.contains(TreePath.shard($0, of: snapshot)) }
    }

    /// Works out the coins of followed shards at the new snapshot.
    private func follow(
        _ followed: [ShardBase], _ files: [ChangeFile], into bases: inout ShardBases
    ) throws {
        if followed.isEmpty { return }
        let sections = try old.readingFiles {
            try PatchSections(root: folder.root, parameters: parameters, files: files)
                .load(followed.map(\.shard))
        }
        let coins = FollowedCoins(sections: sections, files: files)
        for (i, base) in followed.enumerated() { bases[base.shard] = try coins.base(after: base, at: i) }
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

    private func merge(
        _ held: [Int], _ files: [ChangeFile], into snapshot: Statement, _ manifest: Manifest
    ) throws {
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
