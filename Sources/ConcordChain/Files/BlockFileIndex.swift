import Concord
import ConcordFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a scan of one block file found, and how the files looked then: saved, so that the next run scans only what
/// has changed. A cache: one that is missing or damaged, or of another network or folder, is made again.
struct BlockFileIndex: Sendable {
    /// Length and times of last change of a file, in nanoseconds since 1970; zeros where there is none.
    struct Stamp: Equatable, Sendable {
        var size: Int64 = 0
        var changed: Int64 = 0
        /// Of anything about it, its name or owner too: a file that was restored from a backup may have its old
        /// length and its old time, but this one nobody can set.
        var statusChanged: Int64 = 0

        init(_ path: String) throws(FileError) {
            do throws(FileError) {
                let status = try File(reading: path).status()
                size = Int64(status.st_size)
                #if canImport(Darwin)
                    (changed, statusChanged) = (
                        Self.time(status.st_mtimespec), Self.time(status.st_ctimespec)
                    )
                #else
                    (changed, statusChanged) = (Self.time(status.st_mtim), Self.time(status.st_ctim))
                #endif
            } catch {
                if !error.isMissing { throw error }
            }
        }

        /// A file's times go in steps of up to ten milliseconds: a stamp is only good for a file that was not changed
        /// within the step, or a later change of the same length would look like none. Waits for that.
        static func settled(_ path: String) throws(FileError) -> Stamp {
            let stamp = try Stamp(path)
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            guard (0..<step).contains(time(now) - max(stamp.changed, stamp.statusChanged)) else {
                return stamp
            }
            usleep(UInt32(step / 1000))
            return try Stamp(path)
        }

        /// In nanoseconds.
        private static let step: Int64 = 20_000_000

        private static func time(_ time: timespec) -> Int64 {
            Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }

        init(parsing cursor: inout ByteCursor) throws(ParseError) {
            size = Int64(bitPattern: try cursor.readUInt64())
            changed = Int64(bitPattern: try cursor.readUInt64())
            statusChanged = Int64(bitPattern: try cursor.readUInt64())
        }
    }

    let blocks: Stamp
    let undo: Stamp
    let found: BlockFileScan.Found

    private static let magic = Array("concord scan 3\n\n".utf8)

    /// How the folder's files look now, with what a scan finds, or found before if they have not changed.
    static func current(
        _ folder: BlockFolder, number: Int, cache: Folder
    ) throws(FileError) -> (index: BlockFileIndex, wasScanned: Bool) {
        let relative = "scan/\(number)"
        let saved = (try? File.read(cache.path(relative), atMost: 1 << 28)).flatMap { bytes in
            try? BlockFileIndex(parsing: bytes, number: number, of: folder)
        }
        if let saved, saved.blocks == (try Stamp(folder.blockPath(number))),
            saved.undo == (try Stamp(folder.undoPath(number)))
        {
            return (saved, false)
        }
        let blocks = try Stamp.settled(folder.blockPath(number))
        let undo = try Stamp.settled(folder.undoPath(number))
        var scan = BlockFileScan(folder, number: number)
        let found = try scan.run(after: saved?.found.entries ?? [])
        let index = BlockFileIndex(blocks: blocks, undo: undo, found: found)
        try cache.replace(index.encoded(of: folder), at: relative)
        return (index, true)
    }

    private init(blocks: Stamp, undo: Stamp, found: BlockFileScan.Found) {
        self.blocks = blocks
        self.undo = undo
        self.found = found
    }

    /// What a saved index belongs to: the network, the key of its files, and the folder.
    private static func owner(_ folder: BlockFolder) -> [UInt8] {
        var out = ByteBuffer(capacity: 44)
        out.append(folder.network.magic)
        out.append(folder.obfuscation.key)
        out.append(SHA256.hash(Array(folder.realPath.utf8)))
        return [UInt8](out.bytes)
    }

    /// magic, owner, both stamps, the number of entries, entries, open records, SHA-256 of all that.
    private func encoded(of folder: BlockFolder) -> [UInt8] {
        var out = ByteBuffer(capacity: 256 + found.entries.count * BlockEntry.encodedSize)
        out.append(Self.magic)
        out.append(Self.owner(folder))
        for stamp in [blocks, undo] {
            out.append(UInt64(bitPattern: stamp.size))
            out.append(UInt64(bitPattern: stamp.changed))
            out.append(UInt64(bitPattern: stamp.statusChanged))
        }
        out.append(UInt32(found.entries.count))
        for entry in found.entries {
            out.append(entry.hash)
            out.append(entry.parent)
            for field in [
                entry.bits, entry.transactions, entry.offset, entry.size, entry.undoOffset, entry.undoSize,
            ] {
                out.append(field)
            }
        }
        for place in found.open {
            out.append(place.parent)
            out.append(place.offset)
            out.append(place.size)
        }
        out.append(SHA256.hash(out.bytes))
        return [UInt8](out.bytes)
    }

    private init(parsing bytes: [UInt8], number: Int, of folder: BlockFolder) throws(ParseError) {
        self = try bytes.withBytes { raw throws(ParseError) in
            guard raw.count >= 32,
                SHA256.hash(UnsafeRawBufferPointer(rebasing: raw.dropLast(32))) == Digest(raw.suffix(32))
            else { throw ParseError(.malformed("is damaged"), at: 0) }
            var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: raw.dropLast(32)))
            let owner = Self.owner(folder)
            guard try cursor.readBytes(Self.magic.count).elementsEqual(Self.magic),
                try cursor.readBytes(owner.count).elementsEqual(owner)
            else { throw ParseError(.malformed("is of another version, network or folder"), at: 0) }
            let blocks = try Stamp(parsing: &cursor)
            let undo = try Stamp(parsing: &cursor)
            var found = BlockFileScan.Found()
            let count = Int(try cursor.readUInt32())
            found.entries.reserveCapacity(min(count, cursor.remaining / BlockEntry.encodedSize))
            for _ in 0..<count {
                let (hash, parent) = (try cursor.readDigest(), try cursor.readDigest())
                let (bits, transactions) = (try cursor.readUInt32(), try cursor.readUInt32())
                found.entries.append(
                    BlockEntry(
                        hash: hash, parent: parent, bits: bits, transactions: transactions,
                        file: UInt32(number),
                        offset: try cursor.readUInt32(), size: try cursor.readUInt32(),
                        undoOffset: try cursor.readUInt32(), undoSize: try cursor.readUInt32()))
            }
            while !cursor.isAtEnd {
                found.open.append(
                    UndoPlace(
                        parent: try cursor.readDigest(), offset: try cursor.readUInt32(),
                        size: try cursor.readUInt32()))
            }
            return BlockFileIndex(blocks: blocks, undo: undo, found: found)
        }
    }
}
