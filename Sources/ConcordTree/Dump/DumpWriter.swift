import Concord
import ConcordFiles

/// Writes a `dumptxoutset` file, format version 2, byte for byte as Bitcoin Core does (rpc/blockchain.cpp,
/// `WriteUTXOSnapshot`).
public struct DumpWriter: ~Copyable {
    private static let pieceBytes = 1 << 20

    private let file: File
    private let expected: UInt64
    private var coins: UInt64 = 0
    private var buffer = ByteBuffer(capacity: pieceBytes + (64 << 10))

    /// Writes behind the end of a file, which should be empty.
    public init(_ path: String, _ header: DumpHeader) throws(FileError) {
        file = try File(appending: path)
        expected = header.coins
        header.append(to: &buffer)
    }

    /// Writes the coins of the next transaction, which come in the order of txids; puts them in the order of dumps.
    public mutating func add(_ group: inout CoinGroup) throws(FileError) {
        _ = group.sort(by: .dump)
        group.append(to: &buffer)
        coins += UInt64(group.count)
        if buffer.count >= Self.pieceBytes { try flush() }
    }

    /// Writes what is left. Throws if there were not as many coins as the header says.
    public consuming func finish() throws(FileError) {
        guard coins == expected else {
            throw FileError(file.path, "holds \(coins) coins, its header says \(expected)")
        }
        try flush()
    }

    private mutating func flush() throws(FileError) {
        try file.write(buffer.bytes)
        buffer.removeAll()
    }
}
