import CSQLite
import Concord
import ConcordFiles

/// Writes coins as an SQLite database with the table of Bitcoin Core's own tool for dumps
/// (contrib/utxo-tools/utxo_to_sqlite.py): a row a coin, txid and scriptPubKey in hex, in the order of a dump.
struct CoinTable: ~Copyable {
    private let path: String
    private let database: OpaquePointer
    private let insert: OpaquePointer
    private var txid: ByteBuffer
    private var script: ByteBuffer
    private var scriptDigits: ByteBuffer

    /// Opens an empty file.
    init(_ path: String) throws(FileError) {
        let (database, insert) = try Self.open(path)
        self.path = path
        self.database = database
        self.insert = insert
        txid = ByteBuffer()
        script = ByteBuffer()
        scriptDigits = ByteBuffer()
    }

    /// It is nobody's database before it is finished: nothing is kept to undo a change, and one transaction holds all
    /// rows.
    private static func open(_ path: String) throws(FileError) -> (
        database: OpaquePointer, insert: OpaquePointer
    ) {
        var database: OpaquePointer?
        var insert: OpaquePointer?
        let isOpen =
            sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK
            && sqlite3_exec(
                database,
                """
                PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
                PRAGMA cache_size = -65536; BEGIN;
                CREATE TABLE utxos(txid TEXT, vout INT, value INT, coinbase INT, height INT, scriptpubkey TEXT)
                """, nil, nil, nil) == SQLITE_OK
            && sqlite3_prepare_v2(database, "INSERT INTO utxos VALUES(?, ?, ?, ?, ?, ?)", -1, &insert, nil)
                == SQLITE_OK
        guard isOpen, let database, let insert else {
            defer { sqlite3_close(database) }
            throw failure(path, database)
        }
        return (database, insert)
    }

    private static func failure(_ path: String, _ database: OpaquePointer?) -> FileError {
        FileError(path, "cannot write the database: \(String(cString: sqlite3_errmsg(database)))")
    }

    deinit {
        sqlite3_finalize(insert)
        sqlite3_close(database)
    }

    /// Adds the coins of a transaction, in their order in the group.
    mutating func add(_ group: borrowing CoinGroup) throws(FileError) {
        txid.removeAll()
        group.txid.withBytes { txid.appendHex($0.reversed()) }
        for i in 0..<group.count {
            let coin = group[i]
            guard ScriptCompression.decompress(coin.script, into: &script) else {
                throw FileError(path, "a script names a public key that is no point of the curve")
            }
            scriptDigits.removeAll()
            scriptDigits.appendHex(script.bytes)
            sqlite3_bind_text(insert, 1, txid.text, Int32(txid.count), nil)
            sqlite3_bind_int64(insert, 2, Int64(coin.index))
            sqlite3_bind_int64(insert, 3, Int64(coin.amount))
            sqlite3_bind_int64(insert, 4, coin.isCoinbase ? 1 : 0)
            sqlite3_bind_int64(insert, 5, Int64(coin.height))
            sqlite3_bind_text(insert, 6, scriptDigits.text, Int32(scriptDigits.count), nil)
            guard sqlite3_step(insert) == SQLITE_DONE else { throw Self.failure(path, database) }
            sqlite3_reset(insert)
        }
    }

    consuming func finish() throws(FileError) {
        guard sqlite3_exec(database, "COMMIT", nil, nil, nil) == SQLITE_OK else {
            throw Self.failure(path, database)
        }
    }
}

extension ByteBuffer {
    /// Appends lower-case hex digits, two a byte.
    fileprivate mutating func appendHex(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            append(Self.digit(byte >> 4))
            append(Self.digit(byte & 15))
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// The bytes as SQLite takes text. They must not change before it has used them.
    fileprivate var text: UnsafePointer<CChar>? { bytes.baseAddress?.assumingMemoryBound(to: CChar.self) }
}
