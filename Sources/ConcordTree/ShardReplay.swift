import Concord
import ConcordFiles

/// What changes do to the coins, the amount and the MuHash of a shard, step by step. Spent coins are known by their
/// outpoints only, so the shard before is read for them.
struct ShardReplay: ~Copyable {
    struct Step: Sendable {
        var coins: Int64 = 0
        /// In satoshi. Whoever makes patches up is not held to what there can be before they are summed up.
        var amount: Int128 = 0
        var muhash = MuHash()
    }

    private var script = ByteBuffer()

    /// Goes over a shard and its changes. `path` is for errors.
    ///
    /// - Parameters:
    ///   - count: of steps.
    ///   - step: gives the step that changes of a height belong to.
    mutating func run(
        _ merge: inout ShardMerge, steps count: Int, shard: Int, of parameters: TreeParameters,
        for path: String, step: (_ height: Int) -> Int
    ) throws -> [Step] {
        var steps = [Step](repeating: Step(), count: count)
        var isAtEnd = false
        while !isAtEnd {
            isAtEnd =
                try merge.next { outpoint, change in
                    let coin = try EncodedCoin(index: outpoint.index, body: change.body)
                    guard ScriptCompression.decompress(coin.script, into: &script),
                        parameters.shard(of: script.bytes) == shard
                    else {
                        throw FileError(
                            path, "holds \(outpoint) with a script that belongs to another shard, or to none")
                    }
                    let element = Num3072(
                        coin: outpoint, code: coin.code, amount: coin.amount, script: script.bytes)
                    let place = step(change.height)
                    if change.isSpent {
                        steps[place].muhash.remove(element)
                        steps[place].coins -= 1
                        steps[place].amount -= Int128(coin.amount)
                    } else {
                        steps[place].muhash.insert(element)
                        steps[place].coins += 1
                        steps[place].amount += Int128(coin.amount)
                    }
                } == nil
        }
        return steps
    }
}
