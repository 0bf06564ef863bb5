import Concord
import ConcordFiles
import Synchronization

/// The set as patches and deltas change it, shard by shard, in numbers: coins, amount and MuHashes.
public struct SetReplay: Sendable {
    /// The set after one of the files.
    public struct State: Sendable {
        public let coins: Int64
        /// In satoshi.
        public let amount: Int128
        public let muhash: Digest
        public let muhashes: ShardMuHashes
    }

    private let tree: Tree
    private let parameters: TreeParameters
    private let before: SnapshotMerge.Before
    private let sections: PatchSections

    /// - Parameters:
    ///   - root: of the tree that holds the snapshot and the files.
    ///   - files: that lead on from it, in order.
    public init(
        root: String, parameters: TreeParameters, before: SnapshotMerge.Before, files: [ChangeFile]
    ) {
        (tree, self.parameters, self.before) = (Tree(root), parameters, before)
        sections = PatchSections(root: root, parameters: parameters, files: files)
    }

    private var files: [ChangeFile] { sections.files }

    /// What all steps together do to the number of the set, and to coins and amount, at each of them.
    private struct Sums: Sendable {
        var factors: [Num3072]
        var coins: [Int64]
        var amounts: [Int128]

        init(_ count: Int) {
            factors = .init(repeating: .one, count: count)
            coins = .init(repeating: 0, count: count)
            amounts = .init(repeating: 0, count: count)
        }
    }

    /// The state after each of the files, from what the coins of the snapshot come to. Throws `ChangeError` for what does not
    /// fit, and `FileError`.
    public func states(after totals: SetTotals) throws -> [State] {
        let places = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1.block.height, $0) })
        let sums = Mutex(Sums(files.count))
        // Of each shard its MuHash after each file.
        var digests: [[Digest]] = []
        for turn in try sections.turns(of: Array(0..<parameters.shards)) {
            digests += try steps(of: turn, count: files.count, { places[$0] ?? 0 }) { shard, steps in
                var numbers = ShardNumbers([totals.shards[shard].number])
                let results = numbers.apply(steps.map { [ShardNumbers.Change(place: 0, muhash: $0.muhash)] })
                sums.withLock {
                    for (i, step) in steps.enumerated() {
                        $0.factors[i].multiply(by: results[i].factor)
                        $0.coins[i] += step.coins
                        $0.amounts[i] += step.amount
                    }
                }
                return results.map { $0.digests[0].digest }
            }
        }
        let all = sums.withLock { $0 }
        var (number, coins, amount) = (totals.number, Int64(totals.coins), Int128(totals.amount))
        let found = digests
        let muhashes = try Parallel.map(files.count) { i in ShardMuHashes(found.map { $0[i] }, parameters) }
        return files.indices.map { i in
            number.multiply(by: all.factors[i])
            coins += all.coins[i]
            amount += all.amounts[i]
            return State(coins: coins, amount: amount, muhash: number.digest, muhashes: muhashes[i])
        }
    }

    /// The numbers of some shards, in ascending order, after the last of the files; from those after the snapshot.
    public func numbers(of shards: [Int], from numbers: [Num3072]) throws -> [Num3072] {
        if files.isEmpty { return numbers }
        var changes: [ShardNumbers.Change] = []
        for turn in try sections.turns(of: shards) {
            let steps = try steps(of: turn, count: 1, { _ in 0 }) { _, steps in steps[0].muhash }
            for muhash in steps { changes.append(ShardNumbers.Change(place: changes.count, muhash: muhash)) }
        }
        var all = ShardNumbers(numbers)
        _ = all.apply([changes])
        return all.numbers
    }

    private func steps<Result: Sendable>(
        of shards: [Int], count: Int, _ step: @Sendable (_ height: Int) -> Int,
        _ body: @Sendable (_ shard: Int, [ShardReplay.Step]) -> Result
    ) throws -> [Result] {
        try sections.load(shards).merge(shards: shards, onto: (before, tree), tools: { ShardReplay() }) {
            shard, merge, replay in
            let path = tree.path(TreePath.shard(shard, of: before.block))
            return body(
                shard,
                try replay.run(
                    &merge, steps: count, shard: shard, of: parameters, for: path, step: step))
        }
    }
}
