import Concord
import ConcordConsole
import ConcordFiles

/// Looks along a descriptor for indexes whose scripts all fall into some shards.
struct ShardSearch: Sendable {
    let query: ScriptQuery
    let wanted: Set<Int>
    let parameters: TreeParameters

    /// Indexes that a core looks at before it asks for more, and of which all cores together do several at a time.
    private static let piece = 512

    /// The scripts of the first `count` indexes from `start` on, in their order; the search is over at 2³¹.
    func first(_ count: Int, from start: UInt32, _ progress: ProgressLine) throws -> [ScriptQuery.Script] {
        let clock = ContinuousClock()
        let begin = clock.now
        let end = 1 << 31
        var (next, indexes, scripts) = (Int(start), 0, 0)
        var found: [ScriptQuery.Script] = []
        while indexes < count, next < end {
            let starts = stride(from: next, to: end, by: Self.piece).prefix(8 * Parallel.cores).map(\.self)
            let pieces = try Parallel.map(starts.count) { item in
                try look(starts[item]..<min(starts[item] + Self.piece, end))
            }
            for piece in pieces {
                scripts += piece.scripts
                for scripts in piece.found where indexes < count {
                    found += scripts
                    indexes += 1
                }
            }
            next = min(next + starts.count * Self.piece, end)
            progress.update(
                "found \(indexes) of \(count), looked at \(scripts) scripts up to index \(next - 1)")
        }
        let seconds = max((clock.now - begin) / .seconds(1), 0.001)
        progress.say(
            "looked at \(scripts) scripts, \(Int(Double(scripts) / seconds)) a second"
                + (indexes < count ? ": no more indexes of a public key are left" : ""))
        return found
    }

    /// The scripts of each index that counts, and how many were looked at.
    private func look(_ indexes: Range<Int>) throws -> (found: [[ScriptQuery.Script]], scripts: Int) {
        var found: [[ScriptQuery.Script]] = []
        var count = 0
        for index in indexes {
            let scripts = try query.branches.indices.flatMap {
                try query.scripts(branch: $0, at: UInt32(index))
            }
            count += scripts.count
            if scripts.allSatisfy({ wanted.contains(parameters.shard(of: $0)) }) { found.append(scripts) }
        }
        return (found, count)
    }
}
