import Concord
import ConcordFiles

/// The undo records that several siblings can be the owners of, because they spend as many coins in the same places.
///
/// A record's checksum covers the block's parent and the coins it spent, not the block. Where two siblings spend the
/// same coins in the same order, one of them may never have been connected: it may pay its miner too much, or move a
/// coin without a signature, and was refused. Then only a child that was connected tells, for the checksum of its own
/// record names its parent. How many such records there are tells nothing: `-reindex` writes a `rev` file from its
/// beginning, and leaves what stood behind.
struct SiblingUndo {
    let folder: BlockFolder
    let tree: BlockTree

    /// A block and the record that is its own if it was connected.
    struct Owner {
        /// Its place among the entries.
        let block: Int
        let record: UndoPlace
        /// Whether it is known that the node connected it.
        let isConnected: Bool
    }

    /// Finds the owners of records that are open.
    ///
    /// - Parameter open: as the scan left them, with the numbers of their files.
    func owners(of open: [(file: Int, place: UndoPlace)]) throws(FileError) -> [Owner] {
        struct Family: Hashable {
            let file: Int
            let parent: Digest
        }
        if open.isEmpty { return [] }
        let places = Dictionary(grouping: open, by: { Family(file: $0.file, parent: $0.place.parent) })
        let parents = Set(open.map(\.place.parent))
        var siblings: [Family: [Int]] = [:]
        for (i, entry) in tree.entries.enumerated() where parents.contains(entry.parent) {
            siblings[Family(file: Int(entry.file), parent: entry.parent), default: []].append(i)
        }
        var owners: [Owner] = []
        for (family, places) in places {
            owners += try share(out: places.map(\.place), of: family.file, among: siblings[family] ?? []) {
                parents.contains($0) || hasConnectedChild($0)
            }
        }
        return owners
    }

    private func hasConnectedChild(_ hash: Digest) -> Bool {
        guard let block = tree.index[hash] else { return false }
        return tree.children(of: block).contains { tree.entries[Int($0)].hasUndo }
    }

    private func share(
        out places: [UndoPlace], of file: Int, among siblings: [Int], isConnected: (Digest) -> Bool
    ) throws(FileError) -> [Owner] {
        struct Record {
            let bytes: [UInt8]
            let place: UndoPlace
            /// The blocks that it may be of.
            var blocks: [Int] = []
            /// Whether a block that is none of these has one with the same bytes.
            var isOfAnother = false
        }
        var records: [Record] = []
        for place in places {
            let bytes = try folder.undoRecord(place, file: file)
            if records.allSatisfy({ $0.bytes != bytes }) {
                records.append(Record(bytes: bytes, place: place))
            }
        }
        for block in siblings {
            guard let own = tree.entries[block].undo else { continue }
            let bytes = try folder.undoRecord(own, file: file)
            for at in records.indices where records[at].bytes == bytes { records[at].isOfAnother = true }
        }
        for block in siblings where !tree.entries[block].hasUndo {
            let entry = tree.entries[block]
            guard let spends = try folder.block(entry).withBytes({ BlockSpends($0) }) else { continue }
            var fitting = records.indices.filter { spends.fit(records[$0].bytes) }
            while fitting.count > 1,
                let (a, _) = spends.firstDifference(records[fitting[0]].bytes, records[fitting[1]].bytes)
            {
                fitting.remove(at: try isTrue(a, below: entry) ? 1 : 0)
            }
            if let at = fitting.first { records[at].blocks.append(block) }
        }
        return records.flatMap { record in
            record.blocks.map { block in
                let isAlone =
                    Set(record.blocks.map { tree.entries[$0].hash }).count == 1 && !record.isOfAnother
                return Owner(
                    block: block, record: record.place,
                    isConnected: isAlone || isConnected(tree.entries[block].hash))
            }
        }
    }

    /// Whether a coin that a block spends is what a record says: the block of its height on the way down has it.
    private func isTrue(_ claim: BlockSpends.Claim, below entry: BlockEntry) throws(FileError) -> Bool {
        guard let block = tree.index[entry.hash], tree.heights[Int(block)] >= 0,
            let creator = tree.ancestor(of: block, at: Int(claim.coin.code >> 1))
        else { return false }
        return try folder.block(tree.entries[Int(creator)]).withBytes { bytes in
            var transactions = BlockTransactions()
            guard (try? transactions.parse(bytes)) != nil,
                let at = transactions.txids.firstIndex(of: claim.outpoint.txid),
                (at == 0) == (claim.coin.code & 1 == 1)
            else { return false }
            let output = transactions.firstOutput[at] + Int(claim.outpoint.index)
            guard output < transactions.firstOutput[at + 1] else { return false }
            let made = transactions.outputs[output]
            return made.amount == claim.coin.amount
                && bytes[made.scriptOffset..<made.scriptOffset + made.scriptLength].elementsEqual(
                    claim.coin.script)
        }
    }
}
