import Concord
import ConcordFiles
import ConcordTree
import Synchronization

/// The MuHash numbers of the shards that are held: after the snapshot, of whose shards each is counted once, and after the
/// patches and deltas since.
final class SetStates: Sendable {
    private let agreed: Statement
    private let before: SnapshotMerge.Before
    private let files: [ChangeFile]
    private let folder: Folder
    /// After the snapshot, by shard.
    private let known: Mutex<[Int: Num3072]>
    private var parameters: TreeParameters { agreed.parameters }
    private var file: ShardNumberFile { ShardNumberFile(folder: folder, block: before.block) }

    init(agreed: Statement, before: SnapshotMerge.Before, files: [ChangeFile], folder: Folder) {
        (self.agreed, self.before, self.files, self.folder) = (agreed, before, files, folder)
        known = Mutex(
            ShardNumberFile(folder: folder, block: before.block).read(agreed.parameters))
    }

    /// Takes in what the coins of a shard came to.
    func note(_ shard: Int, _ number: Num3072) { known.withLock { $0[shard] = number } }

    /// Keeps what was counted.
    func save() throws(FileError) {
        let numbers = known.withLock { $0 }
        if !numbers.isEmpty { try file.write(numbers) }
    }

    /// The numbers after the snapshot; shards of which none is known are counted.
    func numbers(of shards: [Int]) throws -> [Num3072] {
        let unknown = known.withLock { known in shards.filter { known[$0] == nil } }
        let counted = try Parallel.map(unknown.count) { i in
            let path = folder.path(TreePath.shard(unknown[i], of: before.block))
            var reader = try ShardReader(path, expected: before.contents[unknown[i]])
            return try reader.count(unknown[i], of: parameters, for: path).number
        }
        return known.withLock { known in
            for (shard, number) in zip(unknown, counted) { known[shard] = number }
            return shards.compactMap { known[$0] }
        }
    }

    /// Holds every shard to what the agreed statement says of it, and all of them to the MuHash of the set.
    ///
    /// - Throws: `StateContradiction`, and `FileError`.
    func check(_ shards: [Int], _ muhashes: ShardMuHashes) throws {
        var numbers = try after(shards)
        var wrong = shards.indices.filter { numbers[$0].digest != muhashes.entries[shards[$0]] }
        if !wrong.isEmpty {
            // Before anybody is blamed: what was counted in an earlier run is counted again.
            known.withLock { known in for place in wrong { known[shards[place]] = nil } }
            numbers = try after(shards)
            wrong = shards.indices.filter { numbers[$0].digest != muhashes.entries[shards[$0]] }
        }
        if let place = wrong.first { throw StateContradiction(.shard(shards[place]), agreed) }
        try save()
        guard shards.count == parameters.shards else { return }
        let all = numbers.reduce(into: Num3072.one) { $0.multiply(by: $1) }
        if all.digest != agreed.muhash { throw StateContradiction(.whole, agreed) }
    }

    private func after(_ shards: [Int]) throws -> [Num3072] {
        let replay = SetReplay(root: folder.root, parameters: parameters, before: before, files: files)
        do {
            return try replay.numbers(of: shards, from: numbers(of: shards))
        } catch let error as ChangeError {
            throw StateContradiction(.changes(error), agreed)
        }
    }
}
