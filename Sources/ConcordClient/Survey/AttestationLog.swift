import CSQLite
import Concord
import ConcordFiles

/// What a client has seen authorities sign, and the newest block that they agreed on: `memory.sqlite` in its home folder.
///
/// It outlives every fetch, so that two statements of one key for one block are caught even if years lie between them, and
/// nobody can show an older state as the newest. The signed files are kept whole, some 800 bytes each: they are the proof.
/// What is read back is checked like what comes from a host.
public final class AttestationLog {
    private let path: String
    private let database: OpaquePointer

    /// Opens it, or begins it in a folder that has none.
    public init(in folder: Folder) throws(FileError) {
        path = folder.path("memory.sqlite")
        database = try Self.open(path)
    }

    /// How long one run waits for another that reads or writes, in milliseconds.
    private static let maxWait: Int32 = 10_000

    private static func open(_ path: String) throws(FileError) -> OpaquePointer {
        var database: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
        guard sqlite3_open_v2(path, &database, flags, nil) == SQLITE_OK, let database,
            sqlite3_busy_timeout(database, maxWait) == SQLITE_OK,
            sqlite3_exec(
                database,
                """
                PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;
                CREATE TABLE IF NOT EXISTS seen(
                    block BLOB, key BLOB, statement BLOB, time INT, height INT, attestation BLOB, signature BLOB,
                    PRIMARY KEY(block, key, statement)) WITHOUT ROWID;
                CREATE INDEX IF NOT EXISTS newest ON seen(key, time, height);
                CREATE INDEX IF NOT EXISTS signed ON seen(key, height, block);
                CREATE TABLE IF NOT EXISTS contradicted(block BLOB PRIMARY KEY, height INT);
                CREATE TABLE IF NOT EXISTS agreed(
                    network TEXT PRIMARY KEY, height INT, block BLOB, time INT, work TEXT)
                """, nil, nil, nil) == SQLITE_OK,
            // A first version did not keep the work.
            sqlite3_exec(database, "SELECT work FROM agreed LIMIT 0", nil, nil, nil) == SQLITE_OK
                || sqlite3_exec(database, "ALTER TABLE agreed ADD COLUMN work TEXT", nil, nil, nil)
                    == SQLITE_OK
        else {
            defer { sqlite3_close(database) }
            throw failure(path, database)
        }
        return database
    }

    /// Opens the one of a folder to look at, and changes nothing; nil where there is none, or one that was never filled.
    public init?(reading folder: Folder) throws(FileError) {
        path = folder.path("memory.sqlite")
        guard try folder.contains("memory.sqlite") else { return nil }
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
        guard sqlite3_open_v2(path, &opened, flags, nil) == SQLITE_OK, let opened,
            sqlite3_busy_timeout(opened, Self.maxWait) == SQLITE_OK,
            sqlite3_exec(opened, "PRAGMA trusted_schema = OFF", nil, nil, nil) == SQLITE_OK
        else {
            defer { sqlite3_close(opened) }
            throw Self.failure(path, opened)
        }
        database = opened
        var tables = 0
        try read("SELECT count(*) FROM sqlite_master WHERE name IN ('seen', 'contradicted')") {
            tables = $0.number(0)
        }
        if tables < 2 { return nil }
    }

    deinit { sqlite3_close(database) }

    private static func failure(_ path: String, _ database: OpaquePointer?) -> FileError {
        let words = "cannot be used: \(String(cString: sqlite3_errmsg(database)))"
        switch sqlite3_errcode(database) {
        // SQLITE_READONLY_ROLLBACK.
        case SQLITE_READONLY where sqlite3_extended_errcode(database) == SQLITE_READONLY | 3 << 8:
            return FileError(
                path,
                "\(words). A run was stopped while it wrote: asking the authorities again puts it in order"
            )
        // The machine denies it, or has no room.
        case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_FULL, SQLITE_IOERR, SQLITE_BUSY, SQLITE_PERM:
            return FileError(path, words)
        default:
            return FileError(
                path, "\(words). If it is damaged, move it away: the client then begins to remember anew")
        }
    }

    // MARK: attestations

    /// Keeps attestations. Durable on return.
    public func remember(_ attestations: [SignedAttestation]) throws(FileError) {
        if attestations.isEmpty { return }
        try run("BEGIN IMMEDIATE")
        do {
            for signed in attestations { try insert(signed) }
            try run("COMMIT")
        } catch {
            try? run("ROLLBACK")
            throw error
        }
    }

    private func insert(_ signed: SignedAttestation) throws(FileError) {
        let statement = signed.statement
        let (block, digest) = (statement.block.bytes, statement.digest.bytes)
        // Two statements of a key for a block are the proof. Whoever signs a hundred has it no better, and fills no disk.
        try run(
            """
            INSERT OR IGNORE INTO seen SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
                WHERE (SELECT count(*) FROM seen WHERE block = ?1 AND key = ?2 AND height = ?5) < 2
            """,
            .bytes(block), .bytes(signed.attestation.key.bytes), .bytes(digest),
            .number(signed.attestation.time), .number(Int64(statement.height)), .bytes(signed.bytes),
            .bytes(signed.signature))
        try run(
            """
            INSERT OR IGNORE INTO contradicted
                SELECT block, height FROM seen WHERE block = ? AND height = ? AND statement <> ? LIMIT 1
            """, .bytes(block), .number(Int64(statement.height)), .bytes(digest))
    }

    /// All that a key was seen to sign of a block: of one statement the attestation that was seen first.
    public func recall(_ block: BlockID, of key: PublicKey) throws(FileError) -> [SignedAttestation] {
        try attestations(
            "block = ? AND key = ? AND height = ? ORDER BY time", key, .bytes(block.hash.bytes),
            .bytes(key.bytes), .number(Int64(block.height)))
    }

    /// What a key signed last, as far as it was seen, of what it signed up to a time, in seconds since 1970.
    public func newest(of key: PublicKey, before time: Int64) throws(FileError) -> SignedAttestation? {
        try attestations(
            "key = ? AND time <= ? ORDER BY time DESC, height DESC, block DESC LIMIT 1", key,
            .bytes(key.bytes),
            .number(time)
        ).first
    }

    /// The highest block that a key was seen to sign and that fits; nil where none does.
    func highest(signedBy key: PublicKey, where fits: (BlockID) throws -> Bool) throws -> BlockID? {
        var after: (height: Int, block: [UInt8]) = (.max, [])
        while true {
            var page: [BlockID] = []
            try read(
                """
                SELECT height, block FROM seen WHERE key = ? AND (height, block) < (?, ?)
                    ORDER BY height DESC, block DESC LIMIT 256
                """, [.bytes(key.bytes), .number(Int64(after.height)), .bytes(after.block)]
            ) { row in
                if let hash = Digest(row.bytes(1)) { page.append(BlockID(height: row.number(0), hash: hash)) }
            }
            for block in page where try fits(block) { return block }
            guard let last = page.last else { return nil }
            after = (last.height, last.hash.bytes)
        }
    }

    /// The blocks of which different statements were seen, whoever signed them.
    public func contradicted() throws(FileError) -> [BlockID] {
        var blocks: [BlockID] = []
        try read("SELECT height, block FROM contradicted ORDER BY height") { row in
            if let hash = Digest(row.bytes(1)) { blocks.append(BlockID(height: row.number(0), hash: hash)) }
        }
        return blocks
    }

    private func attestations(
        _ condition: String, _ key: PublicKey, _ values: Value...
    ) throws(FileError) -> [SignedAttestation] {
        var found: [SignedAttestation] = []
        var (isDamaged, isOld) = (false, false)
        try read("SELECT attestation, signature FROM seen WHERE " + condition, values) { row in
            do throws(AttestationError) {
                found.append(
                    try SignedAttestation(checking: row.bytes(0), signature: row.bytes(1), key: key))
            } catch {
                isDamaged = true
                if case .malformed(let error) = error, error.reason == .malformed(Statement.earlierFormat) {
                    isOld = true
                }
            }
        }
        guard !isOld else {
            throw FileError(
                path,
                "remembers attestations of the format as it was before statements had `muhashes`. Move it away, and the "
                    + "client begins to remember anew")
        }
        guard !isDamaged else {
            throw FileError(
                path,
                "holds an attestation that its key did not sign: it was changed on this machine. Move it away, and "
                    + "the client begins to remember anew")
        }
        return found
    }

    // MARK: agreement

    /// The newest block that was agreed on, on the chain with most work, and when that was, in seconds since 1970.
    public struct Agreed: Equatable, Sendable {
        public let block: BlockID
        public let time: Int64
        /// The work of its chain then.
        public let work: UInt128

        public init(block: BlockID, time: Int64, work: UInt128) {
            self.block = block
            self.time = time
            self.work = work
        }
    }

    public func agreed(on network: Network) throws(FileError) -> Agreed? {
        var agreed: Agreed?
        try read(
            "SELECT height, block, time, work FROM agreed WHERE network = ?", [.text(network.rawValue)]
        ) { row in
            agreed = Digest(row.bytes(1)).map {
                Agreed(
                    block: BlockID(height: row.number(0), hash: $0), time: Int64(row.number(2)),
                    work: UInt128(row.text(3), radix: 16) ?? 0)
            }
        }
        return agreed
    }

    /// Durable on return.
    public func remember(_ agreed: Agreed, on network: Network) throws(FileError) {
        try run(
            "INSERT OR REPLACE INTO agreed VALUES(?, ?, ?, ?, ?)", .text(network.rawValue),
            .number(Int64(agreed.block.height)), .bytes(agreed.block.hash.bytes), .number(agreed.time),
            .text(String(agreed.work, radix: 16)))
    }

    // MARK: SQLite

    private enum Value {
        case number(Int64)
        case bytes([UInt8])
        case text(String)
    }

    private struct Row {
        let query: OpaquePointer

        func number(_ column: Int32) -> Int { Int(sqlite3_column_int64(query, column)) }

        func text(_ column: Int32) -> String {
            sqlite3_column_text(query, column).map { String(cString: $0) } ?? ""
        }

        func bytes(_ column: Int32) -> [UInt8] {
            guard let start = sqlite3_column_blob(query, column) else { return [] }
            return [UInt8](
                UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(query, column))))
        }
    }

    private func run(_ text: String, _ values: Value...) throws(FileError) {
        try read(text, values) { _ in }
    }

    private func read(_ text: String, _ values: [Value] = [], _ take: (Row) -> Void) throws(FileError) {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(database, text, -1, &prepared, nil) == SQLITE_OK, let query = prepared else {
            throw Self.failure(path, database)
        }
        defer { sqlite3_finalize(query) }
        // SQLite copies what it is given.
        let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        for (value, place) in zip(values, Int32(1)...) {
            switch value {
            case .number(let number): sqlite3_bind_int64(query, place, number)
            case .bytes(let bytes): sqlite3_bind_blob(query, place, bytes, Int32(bytes.count), copy)
            case .text(let text): sqlite3_bind_text(query, place, text, -1, copy)
            }
        }
        while true {
            switch sqlite3_step(query) {
            case SQLITE_ROW: take(Row(query: query))
            case SQLITE_DONE: return
            default: throw Self.failure(path, database)
            }
        }
    }
}
