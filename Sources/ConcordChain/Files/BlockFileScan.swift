import Concord
import ConcordFiles

/// Finds the blocks of one `blk` file and the undo records that belong to them.
///
/// Only headers are read, record by record. Where no record begins (the zeros of a preallocated tail, gaps, junk
/// that a killed node left), the scan looks for the next magic. A record counts when its length can be a block's,
/// all of it lies in the file, and its header meets the target it names.
struct BlockFileScan: ~Copyable {
    private let folder: BlockFolder
    private let number: Int
    private var buffer = ByteBuffer(capacity: 1 << 20)

    init(_ folder: BlockFolder, number: Int) {
        self.folder = folder
        self.number = number
    }

    mutating func run() throws(FileError) -> [BlockEntry] {
        let file = try File(reading: folder.blockPath(number))
        for path in [file.path, folder.undoPath(number)] {
            // Bitcoin Core begins a new file at 128 MiB.
            let size = (try? File(reading: path).size()) ?? 0
            guard size <= UInt32.max else {
                throw FileError(path, "is \(size) bytes long: no file of the node's is")
            }
        }
        var entries = try findBlocks(file)
        try matchUndo(file, &entries)
        // The node may be writing the last record just now; one that has undo was connected, so it is whole.
        if let last = entries.last, !last.hasUndo, last.parent != .zero {
            try folder.read(file, at: Int(last.offset), count: Int(last.size), into: &buffer)
            var transactions = BlockTransactions()
            do throws(ParseError) { _ = try transactions.parse(buffer.bytes) } catch { entries.removeLast() }
        }
        try shareUndo(file, &entries)
        return entries
    }

    /// A record's checksum covers the block's parent and what was spent, not the block: siblings that spend the same
    /// coins in the same places have the same record, and nothing tells whose it is if only one of them was connected.
    /// Then it is everybody's, and the chain with most work decides.
    private mutating func shareUndo(_ file: borrowing File, _ entries: inout [BlockEntry]) throws(FileError) {
        var owners: [Digest: [Int]] = [:]
        for (i, entry) in entries.enumerated() where entry.hasUndo {
            owners[entry.parent, default: []].append(i)
        }
        for (i, entry) in entries.enumerated() where !entry.hasUndo {
            for owner in owners[entry.parent] ?? [] where entries[owner].transactions == entry.transactions {
                if entry.transactions > 1 {
                    let own = try spends(file, entry)
                    guard try spends(file, entries[owner]) == own else { continue }
                }
                entries[i].undoOffset = entries[owner].undoOffset
                entries[i].undoSize = entries[owner].undoSize
                break
            }
        }
    }

    /// The outpoints that a block spends, transaction by transaction; none if it cannot be parsed.
    private mutating func spends(_ file: borrowing File, _ entry: BlockEntry) throws(FileError)
        -> [[Outpoint]]
    {
        try folder.read(file, at: Int(entry.offset), count: Int(entry.size), into: &buffer)
        var block = BlockTransactions()
        do throws(ParseError) { _ = try block.parse(buffer.bytes) } catch { return [] }
        return (0..<block.count).map { Array(block.inputs[block.firstInput[$0]..<block.firstInput[$0 + 1]]) }
    }

    /// Whether a record has a coin for every input of a block, transaction by transaction.
    private mutating func fits(
        _ record: [UInt8], _ file: borrowing File, _ entry: BlockEntry
    ) throws(FileError) -> Bool {
        let spends = try spends(file, entry)
        guard spends.count > 0 else { return false }
        do throws(ParseError) {
            try record.withBytes { raw throws(ParseError) in
                var coins = try SpentCoins(raw, transactions: spends.count)
                for inputs in spends.dropFirst() {
                    try coins.beginTransaction(inputs: inputs.count)
                    for _ in inputs { _ = try coins.next() }
                }
                try coins.finish()
            }
            return true
        } catch {
            return false
        }
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
            guard size > BlockHeader.size, size <= BlockFolder.mostBlockBytes, size <= end - start - 8 else {
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

    /// Gives every block its undo record. A record's checksum covers the hash of the block before it, so a record is
    /// tried first on the child of the block that the record before belongs to: that is how they were connected.
    private mutating func matchUndo(
        _ blocks: borrowing File, _ entries: inout [BlockEntry]
    ) throws(FileError) {
        let file: File
        do throws(FileError) {
            file = try File(reading: folder.undoPath(number))
        } catch {
            if error.isMissing { return }
            throw error
        }
        let end = try file.size()
        var children: [Digest: [Int]] = [:]
        for (i, entry) in entries.enumerated() { children[entry.parent, default: []].append(i) }
        var previous: Digest?
        var firstOpen = 0
        var offset = 0
        while let start = try nextMagic(file, from: offset, end: end) {
            offset = start + 1
            guard end - start >= 8 + 1 + 32 else { break }
            try folder.read(file, at: start + 4, count: 4, into: &buffer)
            let size = Int(buffer.bytes.loadUnaligned(as: UInt32.self).littleEndian)
            guard size > 0, size <= BlockFolder.mostUndoBytes, size <= end - start - 8 - 32 else { continue }
            try folder.read(file, at: start + 8, count: size + 32, into: &buffer)
            let record = UndoRecord(buffer.bytes)
            while firstOpen < entries.count, entries[firstOpen].hasUndo { firstOpen += 1 }
            let isOpen = { (i: Int, entries: [BlockEntry]) in
                !entries[i].hasUndo && record.belongs(to: entries[i])
            }
            guard
                var match = previous.flatMap({ children[$0]?.first { isOpen($0, entries) } })
                    ?? (firstOpen..<entries.count).first(where: { isOpen($0, entries) })
            else { continue }
            let siblings = (children[entries[match].parent] ?? []).filter { isOpen($0, entries) }
            if siblings.count > 1, entries[match].transactions > 1 {
                let bytes = [UInt8](record.record)
                var fitting: [Int] = []
                for i in siblings where try fits(bytes, blocks, entries[i]) { fitting.append(i) }
                // If all of them fit, the one that others stand on was connected.
                match = fitting.first { children[entries[$0].hash] != nil } ?? fitting.first ?? match
            }
            entries[match].undoOffset = UInt32(start + 8)
            entries[match].undoSize = UInt32(size)
            previous = entries[match].hash
            offset = start + 8 + size + 32
        }
    }

    /// An undo record and the checksum behind it.
    private struct UndoRecord {
        let record: UnsafeRawBufferPointer
        let checksum: Digest
        let transactions: UInt64

        init(_ bytes: UnsafeRawBufferPointer) {
            record = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 32)])
            checksum = Digest(bytes[(bytes.count - 32)...]) ?? .zero
            var cursor = ByteCursor(record)
            transactions = ((try? cursor.readCompactSize()) ?? .max) &+ 1
        }

        func belongs(to entry: BlockEntry) -> Bool {
            UInt64(entry.transactions) == transactions && entry.undoChecksum(record) == checksum
        }
    }
}
