import Concord
import ConcordFiles
import ConcordTree

/// An installed set, as it was after one of its blocks, written for other programs.
public struct SetExport: Sendable {
    public enum Form: Sendable {
        /// The bytes that Bitcoin Core's `dumptxoutset` writes.
        case dump
        /// An SQLite database with the table of Bitcoin Core's `utxo_to_sqlite.py`.
        case sqlite
    }

    public struct Result: Sendable {
        /// Of the file.
        public let bytes: Int
        /// `hash_serialized_3`, prints reversed.
        public let hash: Digest
        /// Whether Bitcoin Core pins a set of this height.
        public let isPinned: Bool
    }

    /// The set is not the one that Bitcoin Core's source pins.
    public struct Mismatch: Error, Sendable {
        public let statement: Statement
        /// `hash_serialized_3` of the set that is here.
        public let hash: Digest
        public let pin: PinnedSet
    }

    /// What is told while it goes on, by any thread: coins read, and then coins written.
    public enum Progress: Sendable {
        case read(UInt64)
        case written(UInt64)
    }

    private let set: InstalledSet
    /// What the authorities say of the set after the chosen block.
    public let statement: Statement

    /// Nil where the height is not one of the statements that lead to the installed one, or not all shards are here. A
    /// `height` of nil is the installed one.
    public init?(_ set: InstalledSet, height: Int?) {
        guard set.shards == nil,
            let statement = height.map({ height in set.statements.first { $0.height == height } })
                ?? set.statement
        else { return nil }
        self.set = set
        self.statement = statement
    }

    /// Writes the file, which appears whole or not at all. It is held to the number of coins in the statement, and to
    /// what Bitcoin Core pins.
    ///
    /// Every shard and patch is checked again on the way. While it goes on a temporary file beside `path` takes as much
    /// room as a dump.
    ///
    /// - Parameter replacing: whether a file that is there already may go.
    /// - Throws: `Mismatch`, `SetDamage`, or `FileError`.
    public func write(
        _ form: Form, to path: String, replacing: Bool, progress: @Sendable (Progress) -> Void
    ) throws -> Result {
        let output = try OutputFile(path, replacing: replacing)
        let merge = SnapshotMerge(
            root: set.folder.root, parameters: statement.parameters, before: set.before,
            files: set.files.filter { $0.block.height <= statement.height })
        var coins = try set.reading {
            try CoinMerge(merge, temporary: output.temporary + ".coins") { progress(.read($0)) }
        }
        guard coins.coins == statement.coins else {
            throw FileError(
                set.folder.root,
                "holds \(coins.coins) coins at height \(statement.height), the authorities agree on \(statement.coins)"
            )
        }
        let hash: Digest
        switch form {
        case .dump:
            let header = DumpHeader(
                network: statement.network, block: statement.block, coins: statement.coins)
            var writer = try DumpWriter(output.temporary, header)
            hash = try write(&coins, progress) { group throws(FileError) in try writer.add(&group) }
            try writer.finish()
        case .sqlite:
            var table = try CoinTable(output.temporary)
            hash = try write(&coins, progress) { group throws(FileError) in
                _ = group.sort(by: .dump)
                try table.add(group)
            }
            try table.finish()
        }
        let comparison = PinnedSet.compare(network: statement.network, block: statement.blockID, hash: hash)
        if case .differs(let pin) = comparison { throw Mismatch(statement: statement, hash: hash, pin: pin) }
        let bytes = try File(reading: output.temporary).size()
        try output.install()
        return Result(bytes: bytes, hash: hash, isPinned: comparison == .agrees)
    }

    /// Hands on all coins, transaction by transaction, and gives their hash.
    private func write(
        _ coins: inout CoinMerge, _ progress: (Progress) -> Void,
        _ add: (inout CoinGroup) throws(FileError) -> Void
    ) throws(FileError) -> Digest {
        var hash = SerializedHash()
        var written: UInt64 = 0
        var told: UInt64 = 0
        while try coins.next() {
            for i in 0..<coins.group.count {
                guard hash.add(coins.group[i], of: coins.group.txid) else {
                    throw FileError(
                        set.folder.root,
                        "names a public key that is no point of the curve, for "
                            + "\(Outpoint(txid: coins.group.txid, index: coins.group[i].index))")
                }
            }
            try add(&coins.group)
            written += UInt64(coins.group.count)
            if written - told >= 1 << 16 {
                progress(.written(written))
                told = written
            }
        }
        return hash.finish()
    }
}
