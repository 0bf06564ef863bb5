import Concord

/// Which shards are held, with all their coins, and which are followed: where filters say that the wanted scripts had no
/// coins, or where that is known otherwise, their sections are enough.
struct ShardPlan {
    let wants: SetWants
    let parameters: TreeParameters
    /// The wanted scripts by shard; none where all shards are held.
    let sought: [Int: [SoughtScript]]
    /// Shards that are held so that nobody sees which ones are wanted.
    let cover: [Int]
    /// Ascending.
    private(set) var held: [Int]

    /// - Parameter old: what is installed. Shards of it that were held because of a script stay so.
    init(_ wants: SetWants, after old: InstalledSet?, _ parameters: TreeParameters) {
        (self.wants, self.parameters) = (wants, parameters)
        guard let asked = wants.asked else {
            (sought, cover, held) = ([:], [], Array(0..<parameters.shards))
            return
        }
        sought = wants.byShard(parameters)
        let before = old.flatMap { $0.statement.parameters == parameters ? $0 : nil }
        var cover = Array((before?.cover ?? []).prefix(wants.cover))
        let free = (0..<parameters.shards).filter { !cover.contains($0) }.shuffled()
        cover += free.prefix(wants.cover - cover.count)
        self.cover = cover.sorted()
        let stay = sought.keys.filter { before?.has(shard: $0) ?? false }
        held = Set(asked + cover + stay).sorted()
    }

    var isWhole: Bool { wants.asked == nil }

    /// Ascending.
    var followed: [Int] { sought.keys.filter { !held.contains($0) }.sorted() }

    mutating func hold(_ shard: Int) {
        if !held.contains(shard) { held = (held + [shard]).sorted() }
    }

    /// The bases of the followed shards at a snapshot, as far as they can be told without filters; and of each shard the
    /// scripts that nothing is known of.
    ///
    /// - Parameters:
    ///   - known: what is known at this snapshot.
    ///   - time: that of its block's header.
    func bases(_ known: ShardBases, time: Int64) -> (bases: ShardBases, unclear: [Int: [[UInt8]]]) {
        var (bases, unclear) = (ShardBases(at: known.block), [Int: [[UInt8]]]())
        for shard in followed {
            let scripts = sought[shard] ?? []
            var base = known[shard] ?? ShardBase(shard)
            base.keep(scripts.map(\.script))
            for script in scripts
            where script.birth?.isAfter(height: known.block.height, time: time) ?? false {
                base.cover(script.script)
            }
            let open = scripts.map(\.script).filter { !base.covers($0) }
            if !open.isEmpty { unclear[shard] = open }
            bases[shard] = base
        }
        return (bases, unclear)
    }
}
