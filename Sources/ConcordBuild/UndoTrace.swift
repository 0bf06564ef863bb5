import Concord
import ConcordChain
import ConcordFiles
import ConcordTree

/// Looks for the first block whose undo data says of a spent coin what the set does not have: the blocks and their undo
/// data are read again, and each coin that is spent is held to the output that made it, or to the snapshot before.
///
/// For when something is wrong already: it goes over everything as often as its memory asks for.
struct UndoTrace {
    let source: any ChainSource
    /// The set before the first of the blocks, and the tree that holds it; nil for the empty one.
    let before: (snapshot: SnapshotMerge.Before, tree: Tree)?
    /// The blocks.
    let heights: ClosedRange<Int>
    /// Coins that are held in memory at a time, some 200 bytes each.
    var most = 1 << 20

    private enum Actual {
        case madeAt(height: Int)
        case coin(PlainCoin)
        case nothing
    }

    private struct Suspect {
        let height: Int
        let outpoint: Outpoint
        let actual: Actual

        func isBefore(_ other: Suspect) -> Bool { (height, outpoint) < (other.height, other.outpoint) }
    }

    /// The first of them, and how many there are.
    private struct Suspects {
        var first: Suspect?
        var count = 0

        mutating func add(_ suspect: Suspect) {
            if first.map(suspect.isBefore) ?? true { first = suspect }
            count += 1
        }

        mutating func add(_ others: Suspects) {
            guard let first = others.first else { return }
            add(first)
            count += others.count - 1
        }
    }

    private struct Known {
        let hash: Digest
        let height: Int
    }

    private struct Event: Sendable {
        let isSpent: Bool
        let outpoint: Outpoint
        let hash: Digest
    }

    private struct Tools: ~Copyable {
        var block = ByteBuffer(capacity: 4 << 20)
        var undo = ByteBuffer(capacity: 1 << 20)
        var coins = BlockCoins()
    }

    /// What is told of how far it is.
    typealias Progress = (_ height: Int, _ to: Int) -> Void

    /// - Parameter only: the mark of the one outpoint to look at, all of them if nil.
    /// - Returns: the contradiction, nil where there is none.
    func run(only: UInt64? = nil, _ progress: Progress = { _, _ in }) throws -> SetContradiction? {
        var groups: UInt64 = 1
        while true {
            if let suspects = try look(in: groups, only, progress) {
                return try suspects.first.map { try contradiction($0, more: suspects.count - 1) }
            }
            groups *= 2
        }
    }

    /// Nil where a group of the coins does not fit the memory.
    private func look(
        in groups: UInt64, _ only: UInt64?, _ progress: Progress
    ) throws -> Suspects? {
        var all = Suspects()
        for group in 0..<groups {
            let isWanted: @Sendable (Outpoint) -> Bool = { outpoint in
                let mark = CoinMark.mark(of: outpoint)
                return only.map { $0 == mark } ?? (mark % groups == group)
            }
            guard let found = try pass(isWanted, progress) else { return nil }
            all.add(found)
        }
        return all
    }

    /// Goes over the blocks, then over the set before them, for some of the coins.
    private func pass(
        _ isWanted: @Sendable (Outpoint) -> Bool, _ progress: Progress
    ) throws -> Suspects? {
        var suspects = Suspects()
        var made: [Outpoint: Known] = [:]
        var spent: [Outpoint: Known] = [:]
        var next = heights.lowerBound
        while next <= heights.upperBound {
            let range = next..<min(next + min(source.batch(from: next), 32), heights.upperBound + 1)
            for (height, events) in zip(range, try events(range, isWanted)) {
                for event in events {
                    guard event.isSpent else {
                        made[event.outpoint] = Known(hash: event.hash, height: height)
                        continue
                    }
                    if let own = made.removeValue(forKey: event.outpoint) {
                        if own.hash == event.hash { continue }
                        suspects.add(
                            Suspect(
                                height: height, outpoint: event.outpoint, actual: .madeAt(height: own.height))
                        )
                    } else if spent.updateValue(
                        Known(hash: event.hash, height: height), forKey: event.outpoint) != nil
                    {
                        suspects.add(Suspect(height: height, outpoint: event.outpoint, actual: .nothing))
                    }
                }
            }
            if made.count + spent.count > most { return nil }
            next = range.upperBound
            progress(next - 1, heights.upperBound)
        }
        suspects.add(try compareWithSnapshot(spent))
        return suspects
    }

    private func events(_ heights: Range<Int>, _ isWanted: @Sendable (Outpoint) -> Bool) throws -> [[Event]] {
        let blocks = try source.blocks(heights)
        return try Parallel.map(heights.count, tools: { Tools() }) { i, tools in
            var events: [Event] = []
            try visit(heights.lowerBound + i, blocks, &tools) { coin in
                if isWanted(coin.outpoint) {
                    events.append(Event(isSpent: coin.isSpent, outpoint: coin.outpoint, hash: coin.hash))
                }
            }
            return events
        }
    }

    private func visit(
        _ height: Int, _ blocks: any BlockReader, _ tools: inout Tools, _ body: (BlockCoins.Coin) -> Void
    ) throws {
        try blocks.read(height, block: &tools.block, undo: &tools.undo)
        do throws(BlockError) {
            try tools.coins.visit(
                block: tools.block.bytes, undo: tools.undo.bytes, height: height, network: source.network,
                body)
        } catch {
            throw blocks.damaged(height, error)
        }
    }

    /// Holds coins that these blocks spent and did not make to the set before.
    private func compareWithSnapshot(_ spent: [Outpoint: Known]) throws -> Suspects {
        var suspects = Suspects()
        if spent.isEmpty { return suspects }
        var found: Set<Outpoint> = []
        if let (snapshot, tree) = before {
            let parts = try Parallel.map(snapshot.contents.count, tools: { ByteBuffer() }) {
                shard, script in
                try compare(shard, of: snapshot, in: tree, with: spent, &script)
            }
            for part in parts {
                found.formUnion(part.found)
                suspects.add(part.suspects)
            }
        }
        if found.count == spent.count { return suspects }
        for (outpoint, known) in spent where !found.contains(outpoint) {
            suspects.add(Suspect(height: known.height, outpoint: outpoint, actual: .nothing))
        }
        return suspects
    }

    private func compare(
        _ shard: Int, of snapshot: SnapshotMerge.Before, in tree: Tree, with spent: [Outpoint: Known],
        _ script: inout ByteBuffer
    ) throws -> (found: [Outpoint], suspects: Suspects) {
        var found: [Outpoint] = []
        var suspects = Suspects()
        var reader = try ShardReader(
            tree.path(TreePath.shard(shard, of: snapshot.block)), expected: snapshot.contents[shard])
        while let coin = try reader.next() {
            let outpoint = Outpoint(txid: reader.txid, index: coin.index)
            guard let known = spent[outpoint], ScriptCompression.decompress(coin.script, into: &script) else {
                continue
            }
            found.append(outpoint)
            let hash = SHA256.hash(
                coin: outpoint, code: coin.code, amount: coin.amount, script: script.bytes)
            if hash == known.hash { continue }
            let actual = PlainCoin(code: coin.code, amount: coin.amount, script: script.bytes)
            suspects.add(Suspect(height: known.height, outpoint: outpoint, actual: .coin(actual)))
        }
        return (found, suspects)
    }

    /// The words for a suspect: its block, and the one that made the coin, are read once more.
    private func contradiction(_ suspect: Suspect, more: Int) throws -> SetContradiction {
        let blocks = try source.blocks(suspect.height..<suspect.height + 1)
        var tools = Tools()
        var claimed: (coin: PlainCoin, offset: Int)?
        try visit(suspect.height, blocks, &tools) { coin in
            if coin.isSpent, coin.outpoint == suspect.outpoint { claimed = (coin.plain, coin.offset) }
        }
        let actual: PlainCoin?
        switch suspect.actual {
        case .coin(let coin): actual = coin
        case .nothing: actual = nil
        case .madeAt(let height): actual = try output(suspect.outpoint, at: height, &tools)
        }
        let block = source.blockID(at: suspect.height).hash.reversedHex
        let others =
            more == 0 ? "" : " (and of \(more) more coins that these and later blocks spend)"
        let error: BlockError
        if let actual, let claimed {
            error = .undo(
                ParseError(
                    .malformed(
                        "says of \(suspect.outpoint), which block \(block) spends, that it has \(claimed.coin); the "
                            + "set has it with \(actual)\(others)"), at: claimed.offset))
        } else {
            error = .block(
                ParseError(
                    .malformed(
                        "(\(block)) spends \(suspect.outpoint), which the set does not have\(others)"), at: 0)
            )
        }
        return SetContradiction(fault: blocks.damaged(suspect.height, error), height: suspect.height)
    }

    private func output(_ outpoint: Outpoint, at height: Int, _ tools: inout Tools) throws -> PlainCoin? {
        var found: PlainCoin?
        try visit(height, try source.blocks(height..<height + 1), &tools) { coin in
            if !coin.isSpent, coin.outpoint == outpoint { found = coin.plain }
        }
        return found
    }
}
