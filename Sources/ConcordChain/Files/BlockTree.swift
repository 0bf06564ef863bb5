import Concord

/// Parents and children among blocks that are stored in no order.
struct BlockTree {
    let entries: [BlockEntry]
    /// The place of each block; of one that is stored twice, the first that has undo.
    private(set) var index: [Digest: Int32] = [:]
    private var firstChild: [Int32]
    private var sibling: [Int32]

    /// Of each block: its height, -1 where no way leads down to the genesis block.
    private(set) var heights: [Int32]
    /// The work of the chain that ends in it.
    private(set) var works: [UInt128]
    /// When the chain that ends in it was whole: the place of the last of its blocks that was stored. Bitcoin Core
    /// keeps the first of two chains with equal work (`CBlockIndexWorkComparator`, `nSequenceId`).
    private(set) var orders: [Int32]

    init(_ entries: [BlockEntry]) {
        self.entries = entries
        let none = [Int32](repeating: -1, count: entries.count)
        (firstChild, sibling, heights, orders) = (none, none, none, none)
        works = .init(repeating: 0, count: entries.count)
        index.reserveCapacity(entries.count)
        for (i, entry) in entries.enumerated() {
            if let known = index[entry.hash], entries[Int(known)].hasUndo || !entry.hasUndo { continue }
            index[entry.hash] = Int32(i)
        }
        for (i, entry) in entries.enumerated() where index[entry.hash] == Int32(i) {
            guard let parent = index[entry.parent] else { continue }
            sibling[i] = firstChild[Int(parent)]
            firstChild[Int(parent)] = Int32(i)
        }
    }

    /// Gives heights, works and orders to all blocks that stand on this one. Gives the highest of them.
    mutating func grow(from genesis: Int32) -> Int32 {
        var highest = genesis
        heights[Int(genesis)] = 0
        works[Int(genesis)] = entries[Int(genesis)].work
        orders[Int(genesis)] = genesis
        var open = [genesis]
        while let parent = open.popLast() {
            for child in children(of: parent) {
                let i = Int(child)
                heights[i] = heights[Int(parent)] + 1
                works[i] = works[Int(parent)] + entries[i].work
                orders[i] = max(orders[Int(parent)], child)
                if heights[i] > heights[Int(highest)] { highest = child }
                open.append(child)
            }
        }
        return highest
    }

    func children(of block: Int32) -> some Sequence<Int32> {
        let first = firstChild[Int(block)]
        return sequence(state: first) { [sibling] next in
            guard next >= 0 else { return nil }
            defer { next = sibling[Int(next)] }
            return next
        }
    }

    /// Whether the chain that ends in one block is better than the one that ends in another.
    func isBetter(_ a: Int32, than b: Int32) -> Bool {
        let (a, b) = (Int(a), Int(b))
        if works[a] != works[b] { return works[a] > works[b] }
        return orders[a] != orders[b] ? orders[a] < orders[b] : a < b
    }

    /// The block of a height on the way down from one that has a height.
    func ancestor(of block: Int32, at height: Int) -> Int32? {
        guard height >= 0, height <= Int(heights[Int(block)]) else { return nil }
        var at = block
        while Int(heights[Int(at)]) > height {
            guard let parent = index[entries[Int(at)].parent] else { return nil }
            at = parent
        }
        return at
    }

    /// The lowest block there is on the way down from a block.
    func rootOfBranch(_ start: Int) -> BlockEntry {
        var at = start
        while let parent = index[entries[at].parent], entries[Int(parent)].hash != entries[at].hash {
            at = Int(parent)
        }
        return entries[at]
    }
}
