import Concord
import ConcordFiles

/// Finds the blocks of one `blk` file and the undo records that belong to them.
///
/// Only headers are read, record by record. Where no record begins (the zeros of a preallocated tail, gaps, junk
/// that a killed node left), the scan looks for the next magic. A record counts when its length can be a block's,
/// all of it lies in the file, and its header meets the target it names.
///
/// Bitcoin Core writes an undo record into the file of the block's number once the block is connected, that is, once
/// all of its rules hold (`ConnectBlock`), and one for each block at most. So a block that has none was not connected.
struct BlockFileScan: ~Copyable {
    private let folder: BlockFolder
    private let number: Int
    private var buffer = ByteBuffer(capacity: 1 << 20)

    /// What the file holds.
    struct Found: Sendable, Equatable {
        var entries: [BlockEntry] = []
        /// Undo records that nothing in this file gives to one block: several siblings spend as the record says.
        var open: [UndoPlace] = []
    }

    init(_ folder: BlockFolder, number: Int) {
        self.folder = folder
        self.number = number
    }

    /// - Parameter before: what an earlier scan found. A block that was the only one for its record then keeps it: a
    ///   sibling that has come since was not connected by it.
    mutating func run(after before: [BlockEntry] = []) throws(FileError) -> Found {
        let file = try File(reading: folder.blockPath(number))
        for path in [file.path, folder.undoPath(number)] {
            // Bitcoin Core begins a new file at 128 MiB.
            let size = (try? File(reading: path).size()) ?? 0
            guard size <= UInt32.max else {
                throw FileError(path, "is \(size) bytes long: no file of the node's is")
            }
        }
        let matched = try match(try findBlocks(file))
        // Once more: the node writes a block before its record, so each of these records has its block in the file by
        // now. It may have come since the first time, and its record must not be taken for that of a sibling.
        var found = Found(entries: try findBlocks(file))
        let siblings = Dictionary(grouping: found.entries.indices, by: { found.entries[$0].parent })
        // What was found before counts while the node has only gone on with the file: `-reindex` writes it anew.
        let places = Set(matched.lazy.joined().map(\.place))
        let isSame = before.allSatisfy { $0.undo.map(places.contains) ?? true }
        let known = Dictionary((isSame ? before : []).lazy.filter(\.hasUndo).map { ($0.offset, $0) }) {
            first, _ in
            first
        }
        for records in matched {
            found.open += try share(
                out: records, among: siblings[records[0].place.parent] ?? [], known, file, &found.entries)
        }
        // The node may be writing the last record just now; one that has undo was connected, so it is whole.
        if let last = found.entries.last, !last.hasUndo, last.parent != .zero {
            try folder.read(file, at: Int(last.offset), count: Int(last.size), into: &buffer)
            if BlockSpends(buffer.bytes) == nil { found.entries.removeLast() }
        }
        return found
    }

    /// Gives the records below one parent to those of its children that they can be of alone. Gives those that are left.
    private mutating func share(
        out records: [Record], among siblings: [Int], _ known: [UInt32: BlockEntry], _ file: borrowing File,
        _ entries: inout [BlockEntry]
    ) throws(FileError) -> [UndoPlace] {
        if records.count <= siblings.count, Set(siblings.map { entries[$0].hash }).count == 1 {
            // One that is stored twice may have two of them.
            for (i, record) in zip(siblings, records) { entries[i].take(record.place) }
            return []
        }
        var records = records
        /// The checksum of the record that a block is known to have.
        var own: [Digest: Digest] = [:]
        for i in siblings {
            guard let before = known[entries[i].offset], before.hash == entries[i].hash,
                let at = records.firstIndex(where: {
                    $0.place.offset == before.undoOffset && $0.place.size == before.undoSize
                })
            else { continue }
            let record = records.remove(at: at)
            entries[i].take(record.place)
            own[entries[i].hash] = record.checksum
        }
        /// Of each record, the blocks that it can be of.
        var owners: [[Int]] = []
        for record in records {
            var fitting: [Int] = []
            for i in siblings where try fits(record, file, entries[i]) { fitting.append(i) }
            owners.append(fitting)
        }
        // A block has one record, so each that is found can leave another record to one block.
        while true {
            let settled = records.indices.firstIndex { k in
                let hashes = Set(
                    owners[k].map { entries[$0].hash }.filter {
                        own[$0].map { $0 == records[k].checksum } ?? true
                    })
                return hashes.count == 1 && hashes.allSatisfy { own[$0] == nil }
            }
            guard let settled,
                let owner = owners[settled].first(where: { own[entries[$0].hash] == nil })
            else { break }
            entries[owner].take(records[settled].place)
            own[entries[owner].hash] = records[settled].checksum
        }
        let taken = Set(siblings.map { entries[$0].undoOffset })
        return records.indices.filter { k in
            !taken.contains(records[k].place.offset) && owners[k].contains { own[entries[$0].hash] == nil }
        }.map { records[$0].place }
    }

    /// Whether a record can be a block's: it has a coin for every input.
    private mutating func fits(
        _ record: Record, _ file: borrowing File, _ entry: BlockEntry
    ) throws(FileError) -> Bool {
        guard record.transactions == UInt64(entry.transactions) else { return false }
        // Of a block with its coinbase alone there is nothing more to hold against it.
        if entry.transactions == 1 { return true }
        let bytes = try folder.undoRecord(record.place, file: number)
        try folder.read(file, at: Int(entry.offset), count: Int(entry.size), into: &buffer)
        return BlockSpends(buffer.bytes)?.fit(bytes) ?? false
    }

    private mutating func findBlocks(_ file: borrowing File) throws(FileError) -> [BlockEntry] {
        let end = try file.size()
        var entries: [BlockEntry] = []
        var offset = 0
        while let start = try nextMagic(file, from: offset, end: end) {
            offset = start + 1
            // Magic, length, header, and the number of transactions, at most nine bytes.
            guard end - start > 8 + BlockHeader.size else { break }
            try folder.read(file, at: start, count: min(8 + BlockHeader.size + 9, end - start), into: &buffer)
            guard let entry = entry(start: start, end: end) else { continue }
            entries.append(entry)
            offset = start + 8 + Int(entry.size)
        }
        return entries
    }

    private func entry(start: Int, end: Int) -> BlockEntry? {
        var cursor = ByteCursor(buffer.bytes)
        do throws(ParseError) {
            try cursor.skip(4)
            let size = Int(try cursor.readUInt32())
            guard size > BlockHeader.size, size <= BlockFolder.maxBlockBytes, size <= end - start - 8 else {
                return nil
            }
            let header = try BlockHeader(parsing: &cursor)
            guard header.meetsItsTarget, let count = UInt32(exactly: try cursor.readCompactSize()) else {
                return nil
            }
            return BlockEntry(
                hash: header.hash, parent: header.parent, bits: header.bits, transactions: count,
                file: UInt32(number), offset: UInt32(start + 8), size: UInt32(size))
        } catch {
            return nil
        }
    }

    /// The offset of the next record's magic; mostly the one asked for.
    private mutating func nextMagic(
        _ file: borrowing File, from offset: Int, end: Int
    ) throws(FileError) -> Int? {
        let magic = folder.network.magic
        var offset = offset
        var step = 4
        while end - offset >= 4 {
            let count = min(step, end - offset)
            try folder.read(file, at: offset, count: count, into: &buffer)
            let bytes = buffer.bytes
            for i in 0...count - 4
            where bytes[i] == magic[0] && bytes[i + 1] == magic[1] && bytes[i + 2] == magic[2]
                && bytes[i + 3] == magic[3]
            {
                return offset + i
            }
            offset += count - 3
            step = 1 << 20
        }
        return nil
    }

    /// An undo record, known by its checksum to be of a child of a block.
    private struct Record {
        let place: UndoPlace
        let checksum: Digest
        /// Those of its block, the coinbase included.
        let transactions: UInt64

        init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
            let record = UnsafeRawBufferPointer(rebasing: bytes.dropLast(32))
            guard let checksum = Digest(bytes.suffix(32)) else { return nil }
            self.checksum = checksum
            var cursor = ByteCursor(record)
            transactions = ((try? cursor.readCompactSize()) ?? .max) &+ 1
            place = UndoPlace(parent: .zero, offset: UInt32(offset), size: UInt32(record.count))
        }

        /// The same, of a child of `parent`.
        init(_ record: Record, below parent: Digest) {
            (checksum, transactions) = (record.checksum, record.transactions)
            place = UndoPlace(parent: parent, offset: record.place.offset, size: record.place.size)
        }
    }

    /// The undo records of the file, those of one parent's children together. A record's checksum covers the hash of
    /// the block before it, so a record is tried first on the children of the block that the record before may belong
    /// to: that is how they were connected.
    private mutating func match(_ entries: [BlockEntry]) throws(FileError) -> [[Record]] {
        let file: File
        do throws(FileError) {
            file = try File(reading: folder.undoPath(number))
        } catch {
            if error.isMissing { return [] }
            throw error
        }
        let end = try file.size()
        let children = Dictionary(grouping: entries.indices, by: { entries[$0].parent })
        var matched: [[Record]] = []
        var place: [Digest: Int] = [:]
        var previous: [Int] = []
        var firstOpen = 0
        var offset = 0
        while let start = try nextMagic(file, from: offset, end: end) {
            offset = start + 1
            guard end - start >= 8 + 1 + 32 else { break }
            try folder.read(file, at: start + 4, count: 4, into: &buffer)
            let size = Int(buffer.bytes.loadUnaligned(as: UInt32.self).littleEndian)
            guard size > 0, size <= BlockFolder.maxUndoBytes, size <= end - start - 8 - 32 else { continue }
            try folder.read(file, at: start + 8, count: size + 32, into: &buffer)
            guard let record = Record(buffer.bytes, at: start + 8) else { continue }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes.dropLast(32))
            /// Whether the record can be of a child of this block.
            let isBelow = { (parent: Digest) in
                (children[parent] ?? []).contains { UInt64(entries[$0].transactions) == record.transactions }
                    && BlockEntry.undoChecksum(bytes, below: parent) == record.checksum
            }
            while firstOpen < entries.count, let at = place[entries[firstOpen].parent],
                matched[at].count >= children[entries[firstOpen].parent]?.count ?? 0
            {
                firstOpen += 1
            }
            guard
                let parent = previous.lazy.map({ entries[$0].hash }).first(where: isBelow)
                    ?? entries[firstOpen...].lazy.map(\.parent).first(where: isBelow)
            else { continue }
            if place[parent] == nil {
                place[parent] = matched.count
                matched.append([])
            }
            place[parent].map { matched[$0].append(Record(record, below: parent)) }
            previous = children[parent] ?? []
            offset = start + 8 + size + 32
        }
        return matched
    }
}
