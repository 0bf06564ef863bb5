import Concord
import ConcordFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The `blocks` folder of Bitcoin Core's data directory, read without its index and without any database.
public struct BlockFolder: Sendable {
    public let path: String
    public let network: Network
    let obfuscation: Obfuscation
    /// The numbers of the `blk*.dat` files, ascending.
    let numbers: [Int]

    /// The largest record that can be a block (`MAX_BLOCK_SERIALIZED_SIZE`).
    static let maxBlockBytes = 4_000_000
    /// The largest undo record that is read.
    static let maxUndoBytes = 256 << 20

    /// Finds `blocks` in the data directory, in its network's folder, or takes the folder itself.
    public init(_ directory: String, network: Network) throws(FileError) {
        var candidates = [directory]
        if let folder = network.dataFolder { candidates.insert("\(directory)/\(folder)", at: 0) }
        guard let blocks = try Self.first(of: candidates.map { $0 + "/blocks" }) else {
            throw BlocksElsewhere.noFolder(directory, network)
        }
        path = blocks
        self.network = network
        numbers = try Folder.names(in: blocks).compactMap { name in
            guard name.hasPrefix("blk"), name.hasSuffix(".dat"), name.utf8.count >= 12,
                let number = Int32(name.dropFirst(3).dropLast(4)).map(Int.init), number >= 0,
                name == "blk\(Self.digits(number)).dat"
            else { return nil }
            return number
        }.sorted()
        guard !numbers.isEmpty else {
            throw BlocksElsewhere.noFiles(blocks, of: directory)
        }
        do throws(FileError) {
            obfuscation = try Self.readKey(blocks + "/xor.dat")
            // The folder may be listed where its files are not to be read.
            _ = try File(reading: "\(blocks)/blk\(Self.digits(numbers[0])).dat")
        } catch {
            throw error.isDenied ? Self.denied(error.path, error) : error
        }
    }

    /// The first that is a folder with something in it. No permission is not absence.
    private static func first(of paths: [String]) throws(FileError) -> String? {
        for path in paths {
            do throws(FileError) {
                if try !Folder.names(in: path).isEmpty { return path }
            } catch {
                if error.isDenied { throw denied(path, error) }
                if error.isOfMachine { throw error }
            }
        }
        return nil
    }

    /// Bitcoin Core makes all its files for its own user alone (`SetupEnvironment`, umask 077): no group helps.
    private static func denied(_ path: String, _ error: FileError) -> FileError {
        FileError(
            path,
            "\(error.message). What Bitcoin Core writes is for its own user alone: run this as that user; or let this one "
                + "read the blocks, by «setfacl» as README.md says; or ask the node with --node, which takes "
                + "rpccookieperms=group in bitcoin.conf and this user in its group", kind: error.kind)
    }

    private static func readKey(_ path: String) throws(FileError) -> Obfuscation {
        do throws(FileError) {
            let bytes = try File.read(path, atMost: 8)
            guard bytes.count == 8 else { throw FileError(path, "is \(bytes.count) bytes long, a key has 8") }
            return Obfuscation(key: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
        } catch {
            if error.isMissing { return .none }
            throw error
        }
    }

    /// The same folder by the one name that it has without links.
    var realPath: String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    func blockPath(_ number: Int) -> String { "\(path)/blk\(Self.digits(number)).dat" }
    func undoPath(_ number: Int) -> String { "\(path)/rev\(Self.digits(number)).dat" }

    private static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }

    /// All blocks, in the order of their files.
    ///
    /// - Parameters:
    ///   - cache: a folder for what the scan finds; files that have not changed are not read again.
    ///   - progress: is told the number of files done and of all, from any thread, for each that had to be scanned.
    func scan(cache: Folder, progress: @Sendable (Int, Int) -> Void) throws -> Scan {
        let done = Counter()
        let files = try Parallel.map(numbers.count) { i in
            let (index, wasScanned) = try BlockFileIndex.current(self, number: numbers[i], cache: cache)
            let number = done.next()
            if wasScanned { progress(number, numbers.count) }
            return index.found
        }
        return Scan(files)
    }

    /// What all files hold.
    struct Scan: Sendable {
        /// In the order of the files.
        let entries: [BlockEntry]
        /// Undo records that nothing in their file gives to one block, with the file's number.
        let open: [(file: Int, place: UndoPlace)]

        init(_ files: [BlockFileScan.Found]) {
            entries = Array(files.lazy.map(\.entries).joined())
            open = files.flatMap { found in
                // Open records are of blocks that are there.
                found.open.map { (file: Int(found.entries[0].file), place: $0) }
            }
        }
    }

    /// Replaces what `buffer` holds with bytes of a file, the key undone; throws when they are not all there.
    func read(
        _ file: borrowing File, at offset: Int, count: Int, into buffer: inout ByteBuffer
    ) throws(FileError) {
        buffer.resize(to: count)
        guard try file.read(into: buffer.mutableBytes, at: offset) == count else {
            throw FileError(file.path, "ends inside the record at byte \(offset)")
        }
        obfuscation.apply(to: buffer.mutableBytes, at: offset)
    }

    /// Reads a block of the best chain, and its undo record, which the genesis block does not have. The record's
    /// checksum is looked at again: the scan that found it may be of last year.
    func read(
        _ entry: BlockEntry, height: Int, block: inout ByteBuffer, undo: inout ByteBuffer
    ) throws(FileError) {
        let file = try File(reading: blockPath(Int(entry.file)))
        try read(file, at: Int(entry.offset), count: Int(entry.size), into: &block)
        undo.removeAll()
        if entry.hasUndo {
            let file = try File(reading: undoPath(Int(entry.file)))
            let size = Int(entry.undoSize)
            try read(file, at: Int(entry.undoOffset), count: size + 32, into: &undo)
            let checksum = Digest(undo.bytes[size...])
            undo.resize(to: size)
            guard entry.undoChecksum(undo.bytes) == checksum else {
                throw damaged(
                    entry, height: height, .undo(ParseError(.malformed("does not have its checksum"), at: 0)))
            }
        }
    }

    /// Reads an undo record of the file with this number, without its checksum.
    func undoRecord(_ place: UndoPlace, file number: Int) throws(FileError) -> [UInt8] {
        let file = try File(reading: undoPath(number))
        var bytes = ByteBuffer()
        try read(file, at: Int(place.offset), count: Int(place.size), into: &bytes)
        return [UInt8](bytes.bytes)
    }

    /// Reads a block's bytes.
    func block(_ entry: BlockEntry) throws(FileError) -> [UInt8] {
        let file = try File(reading: blockPath(Int(entry.file)))
        var bytes = ByteBuffer()
        try read(file, at: Int(entry.offset), count: Int(entry.size), into: &bytes)
        return [UInt8](bytes.bytes)
    }

    /// Reads the 80 bytes of a block's header.
    func header(_ entry: BlockEntry) throws(FileError) -> [UInt8] {
        let file = try File(reading: blockPath(Int(entry.file)))
        var bytes = ByteBuffer(capacity: BlockHeader.size)
        try read(file, at: Int(entry.offset), count: BlockHeader.size, into: &bytes)
        return [UInt8](bytes.bytes)
    }

    /// The error for a block of the chain whose bytes do not parse.
    func damaged(_ entry: BlockEntry, height: Int, _ error: BlockError) -> FileError {
        let advice = "restore the file from a backup, or let the node write it anew with «bitcoind -reindex»"
        return switch error {
        case .block(let error):
            FileError(
                blockPath(Int(entry.file)),
                "the block of height \(height) at byte \(entry.offset) \(error.description): \(advice)")
        case .undo(let error):
            FileError(
                undoPath(Int(entry.file)),
                "the undo record of height \(height) at byte \(entry.undoOffset) \(error.description): \(advice)"
            )
        }
    }
}
