import Concord
import ConcordBuild
import ConcordFiles
import ConcordTree

/// The running values that no statement holds: the MuHash of every shard as a number, after some blocks of the chain.
///
/// A file of 384 bytes a shard each, `muhash/HEIGHT-BLOCK.bin`, named by the block it belongs to: values and block cannot
/// part. They are believed only if they come to what the attestation of that very block says.
struct RollingMuHash {
    private let folder: Folder
    private let parameters: TreeParameters

    /// The newest of these, and those of the newest epoch heights, are kept.
    private static let kept = 100
    private static let keptEpochs = 2

    init(_ folder: Folder, parameters: TreeParameters) {
        self.folder = folder
        self.parameters = parameters
    }

    private static func path(_ block: BlockID) -> String { "muhash/\(TreePath.name(block)).bin" }

    /// The blocks there are values for, highest first.
    func blocks() throws(FileError) -> [BlockID] {
        try Folder.names(in: folder.path("muhash"))
            .compactMap { $0.hasSuffix(".bin") ? TreePath.block(named: $0.dropLast(4)) : nil }
            .sorted { $0.height > $1.height }
    }

    func read(_ statement: Statement) throws(FileError) -> RunningSet {
        let path = folder.path(Self.path(statement.blockID))
        let bytes = try File.read(path, atMost: Num3072.byteCount * parameters.shards)
        do throws(ParseError) {
            let numbers = try bytes.withBytes { raw throws(ParseError) in
                var cursor = ByteCursor(raw)
                var numbers: [Num3072] = []
                for _ in 0..<parameters.shards { numbers.append(try Num3072(parsing: &cursor)) }
                try cursor.finish()
                return numbers
            }
            let running = RunningSet(numbers, parameters)
            guard running.muhash == statement.muhash, running.muhashes.root == statement.muhashes else {
                throw ParseError(.malformed("is not what was attested"), at: 0)
            }
            return running
        } catch {
            throw .parse(error, path)
        }
    }

    /// Writes the values for a block, and forgets those that nobody will go back to.
    func write(_ running: RunningSet, for block: BlockID) throws(FileError) {
        var bytes = ByteBuffer(capacity: Num3072.byteCount * parameters.shards)
        for number in running.numbers { number.encode(into: &bytes) }
        try folder.install([try folder.stage(bytes.bytes, at: Self.path(block))])
        let old = try blocks().dropFirst(Self.kept)
        let epochs = old.filter { $0.height % parameters.epoch == 0 }.prefix(Self.keptEpochs)
        for block in old where !epochs.contains(block) { try folder.remove(Self.path(block)) }
    }
}
