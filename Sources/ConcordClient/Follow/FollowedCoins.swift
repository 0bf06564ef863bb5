import Concord
import ConcordFiles
import ConcordTree

/// The coins of scripts in a shard that is followed without being held: what the scripts had at the snapshot, and what the
/// sections of patches and deltas since then bring and take. Created coins stand in a section whole, spent ones with their
/// outpoints.
struct FollowedCoins {
    /// A coin that came or went.
    struct Event {
        enum Kind { case came, went }

        let kind: Kind
        let coin: FoundCoin
        let script: [UInt8]
        /// The blocks in one of which it happened.
        let heights: ClosedRange<Int>
    }

    let sections: PatchSections.Loaded
    /// In the order of the sections.
    let files: [ChangeFile]

    /// The coins of a shard after all sections, by outpoint.
    ///
    /// - Parameters:
    ///   - i: the shard's place among those that the sections are of.
    ///   - tell: told what happens on the way, in its order but for that inside one file.
    func coins(
        from base: ShardBase, at i: Int, tell: (Event) -> Void = { _ in }
    ) throws(ParseError) -> [Outpoint: (coin: FoundCoin, script: [UInt8])] {
        var coins: [Outpoint: (coin: FoundCoin, script: [UInt8])] = [:]
        for one in base.coins {
            guard let txid = Digest(reversedHex: one.txid), let script = [UInt8](hex: one.script) else {
                throw ParseError(.malformed("holds a coin that is none"), at: 0)
            }
            let outpoint = Outpoint(txid: txid, index: one.index)
            coins[outpoint] = (
                FoundCoin(
                    outpoint: outpoint, height: one.height, isCoinbase: one.isCoinbase, amount: one.amount),
                script
            )
        }
        let scripts = base.scripts.compactMap { [UInt8](hex: $0) }
        let table = ScriptTable(scripts)
        for (place, file) in files.enumerated() {
            var section = try PatchSection(sections.section(i, of: place))
            while let outpoint = try section.nextSpent() {
                guard let gone = coins.removeValue(forKey: outpoint) else { continue }
                tell(Event(kind: .went, coin: gone.coin, script: gone.script, heights: file.heights))
            }
            while let (outpoint, coin) = try section.nextCreated() {
                table.find(coin.compressedScript) { place in
                    let found = FoundCoin(
                        outpoint: outpoint, height: coin.height, isCoinbase: coin.isCoinbase,
                        amount: coin.amount)
                    coins[outpoint] = (found, scripts[place])
                    tell(
                        Event(
                            kind: .came, coin: found, script: scripts[place],
                            heights: coin.height...coin.height))
                }
            }
        }
        return coins
    }

    /// The same coins as a base of a later snapshot.
    func base(after base: ShardBase, at i: Int) throws(ParseError) -> ShardBase {
        var next = base
        next.coins = try coins(from: base, at: i).values.map { coin, script in
            ShardBase.Coin(coin, script)
        }.sorted { ($0.txid, $0.index) < ($1.txid, $1.index) }
        return next
    }
}
