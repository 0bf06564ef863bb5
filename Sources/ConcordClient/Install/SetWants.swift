import Concord

/// What a client wants of a set.
struct SetWants: Sendable {
    /// Shards that are held whatever is in them; all if nil.
    var asked: [Int]?
    /// Scripts whose coins are wanted, whichever shards they fall into.
    var scripts: [SoughtScript] = []
    /// How many shards are held only so that hosts do not see which ones are wanted.
    var cover = 0
    /// Whether the filters of all shards come, so that nobody sees which of them are looked at.
    var takesAllFilters = false

    /// The scripts by the shards that they fall into.
    func byShard(_ parameters: TreeParameters) -> [Int: [SoughtScript]] {
        Dictionary(grouping: scripts) { $0.script.withBytes(parameters.shard(of:)) }
    }
}

/// A script whose coins somebody wants.
struct SoughtScript: Sendable {
    let script: [UInt8]
    /// When it had no coins yet, for its keys are younger; nil where nothing is known.
    var birth: Wallet.Birth?
}
