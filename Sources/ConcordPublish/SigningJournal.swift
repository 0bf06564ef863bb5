import Concord
import ConcordFiles
import ConcordTree

/// What a key has signed, or was about to sign: one statement a block, for ever.
///
/// A line for every block, in one text file an epoch under `journal/KEY/`: `HEIGHT BLOCK STATEMENT-SHA256 TIME`. The
/// line is on the disk before the signature is made, so whatever happens in between, the next run knows what may be
/// signed for the block, and at what time of attestation: it makes the very same file again.
struct SigningJournal {
    private struct Entry {
        let statement: Digest
        let time: Int64
    }

    private let folder: String
    private let parameters: TreeParameters
    private var loadedEpoch: Int?
    private var entries: [BlockID: Entry] = [:]

    init(state: String, key: PublicKey, parameters: TreeParameters) {
        folder = "\(state)/journal/\(key.hex)"
        self.parameters = parameters
    }

    /// Notes that these statements of one epoch are about to be signed, durably, and gives the time that stands in
    /// each attestation: the one given, or what was noted before. Throws where another statement was noted for a block.
    mutating func record(_ statements: [Statement], times given: [Int64]) throws(FileError) -> [Int64] {
        guard let first = statements.first else { return [] }
        let path = "\(folder)/\(TreePath.digits(first.epochStart)).txt"
        try load(path, epoch: first.epochStart)
        var lines = ""
        var times: [Int64] = []
        for (statement, time) in zip(statements, given) {
            let digest = statement.digest
            if let known = entries[statement.blockID] {
                guard known.statement == digest else {
                    throw FileError(
                        path,
                        "this key has signed another statement for height \(statement.height), block "
                            + "\(statement.block.reversedHex): its SHA-256 is \(known.statement.hex), now it would be "
                            + "\(digest.hex). Nothing was signed. Find out which of the two is right before you go on: "
                            + "two signed statements for one block end all trust in a key",
                        kind: .conflict)
                }
                times.append(known.time)
                continue
            }
            entries[statement.blockID] = Entry(statement: digest, time: time)
            times.append(time)
            lines += "\(statement.blockID) \(digest.hex) \(Timestamp.text(time))\n"
        }
        if !lines.isEmpty { try append(lines, to: path) }
        return times
    }

    private func append(_ lines: String, to path: String) throws(FileError) {
        try Folder.makeFolders(folder)
        let file = try File(appending: path)
        try Array(lines.utf8).withBytes { bytes throws(FileError) in try file.write(bytes) }
        try file.synchronize()
        try Folder.synchronize(folder)
    }

    private mutating func load(_ path: String, epoch: Int) throws(FileError) {
        if loadedEpoch == epoch { return }
        entries.removeAll()
        loadedEpoch = nil
        var bytes: [UInt8] = []
        do throws(FileError) {
            bytes = try File.read(path, atMost: 1 << 30)
        } catch {
            guard error.isMissing else { throw error }
        }
        // A last line without its end was never finished, so nothing was signed for it.
        let whole = (bytes.lastIndex(of: 0x0a) ?? -1) + 1
        if whole < bytes.count {
            bytes.removeLast(bytes.count - whole)
            try File.truncate(path, to: whole)
        }
        do throws(ParseError) { entries = try Self.parse(bytes) } catch { throw .parse(error, path) }
        loadedEpoch = epoch
    }

    private static func parse(_ bytes: [UInt8]) throws(ParseError) -> [BlockID: Entry] {
        var entries: [BlockID: Entry] = [:]
        var lines = FieldLines(bytes)
        while !lines.isAtEnd {
            let start = lines.offset
            let words = try lines.line().split(separator: " ", omittingEmptySubsequences: false).map(
                String.init)
            guard words.count == 4, let height = FieldLines.height(words[0]),
                let block = Digest(reversedHex: words[1]), let statement = Digest(hex: words[2]),
                let time = Timestamp.seconds(words[3])
            else { throw ParseError(.malformed("has a line that is no entry of the journal"), at: start) }
            entries[BlockID(height: height, hash: block)] = Entry(statement: statement, time: time)
        }
        return entries
    }

    /// The newest time that was noted in the last two epochs: a key signs in the order of time, but for blocks that it
    /// comes back to. Seconds since 1970; nil where nothing was noted.
    func newestTime() throws(FileError) -> Int64? {
        let files = try Folder.names(in: folder).filter { name in
            name.hasSuffix(".txt") && TreePath.height(digits: name.dropLast(4)) != nil
        }
        var newest: Int64?
        for name in files.suffix(2) {
            let path = "\(folder)/\(name)"
            // A last line without its end was never finished.
            let bytes = try File.read(path, atMost: 1 << 30)
            let whole = Array(bytes[..<((bytes.lastIndex(of: 0x0a) ?? -1) + 1)])
            do throws(ParseError) {
                for entry in try Self.parse(whole).values { newest = max(newest ?? entry.time, entry.time) }
            } catch {
                throw .parse(error, path)
            }
        }
        return newest
    }
}
