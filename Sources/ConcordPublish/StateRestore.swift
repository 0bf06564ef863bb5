import Concord
import ConcordBuild
import ConcordFiles
import ConcordTree

/// Makes a publisher's own folder again from what its key signed: the journal, so that nothing else is ever signed for
/// those blocks, and the running value that the next run goes on from.
///
/// While it is at work the folder holds `restore`, and no run may use it.
public struct StateRestore {
    /// A copy of the tree, or of a part of it, and where it came from.
    public struct Copy: Sendable {
        public let url: String
        public let tree: Tree

        public init(url: String, tree: Tree) {
            self.url = url
            self.tree = tree
        }
    }

    /// The key has signed two statements of one block.
    public struct Contradiction: Error, CustomStringConvertible {
        public let description: String
    }

    /// What it is called in the state's folder.
    public static let folder = "restore"

    private let state: Folder
    private let key: PublicKey
    private let parameters: TreeParameters
    private var journal: SigningJournal

    public init(_ state: Folder, key: PublicKey, parameters: TreeParameters) {
        self.state = state
        self.key = key
        self.parameters = parameters
        journal = SigningJournal(state: state.root, key: key, parameters: parameters)
    }

    /// What of a state has begun, and must not be restored into; nil if nothing has. Caches are nothing.
    public static func begun(in state: Folder) throws(FileError) -> String? {
        for name in ["journal", "muhash", "set", "replay"] where try state.contains(name) { return name }
        return nil
    }

    /// Throws where a restore has begun and not ended: what the key has signed is not all known yet.
    public static func check(_ state: Folder) throws(FileError) {
        guard try state.contains(folder) else { return }
        throw FileError(
            state.path(folder),
            "a restore has begun here and has not ended, so that it is not known what the key has signed: end it with "
                + "concord-publish restore, with the same --tree and --state",
            kind: .conflict)
    }

    /// Notes every attestation of the copies, those of blocks that the chain has left among them. Where they have the
    /// same statement signed at two times, the last copy's counts.
    ///
    /// - Returns: how many blocks were noted.
    /// - Throws: `Contradiction`, and `FileError` for an attestation that does not verify.
    public mutating func note(_ copies: [Copy]) throws -> Int {
        var epochs: Set<Int> = []
        for copy in copies {
            for name in try Folder.names(in: copy.tree.path("attestations")) {
                if let start = TreePath.height(digits: name) { epochs.insert(start) }
            }
        }
        var count = 0
        for epoch in epochs.sorted() {
            let found = try attestations(epoch, copies).sorted {
                ($0.value.signed.statement.height, $0.key.hash.reversedHex)
                    < ($1.value.signed.statement.height, $1.key.hash.reversedHex)
            }.map(\.value.signed)
            _ = try journal.record(found.map(\.statement), times: found.map(\.attestation.time))
            count += found.count
        }
        return count
    }

    private typealias Found = (signed: SignedAttestation, url: String)

    private func attestations(_ epoch: Int, _ copies: [Copy]) throws -> [BlockID: Found] {
        var all: [BlockID: Found] = [:]
        for copy in copies {
            let folder = TreePath.attestationFolder(epochOf: epoch, parameters)
            for name in try Folder.names(in: copy.tree.path(folder)) where name.hasSuffix(".txt") {
                guard let block = TreePath.block(named: name.dropLast(4)),
                    parameters.epochStart(of: block.height) == epoch
                else { continue }
                // An upload that was stopped leaves one without its signature.
                guard
                    try Folder(reading: copy.tree.root).contains(
                        TreePath.signature(TreePath.attestation(block, parameters)))
                else { continue }
                let signed = try copy.tree.attestation(of: block, parameters: parameters, key: key)
                if let known = all[block], known.signed.statement != signed.statement {
                    throw Contradiction(
                        description:
                            "this key has signed two statements of height \(block.height), block "
                            + "\(block.hash.reversedHex): they differ in "
                            + signed.statement.differences(from: known.signed.statement).joined(
                                separator: ", ")
                            + ". One is at \(known.url), the other at \(copy.url). Whoever sees both distrusts the key for "
                            + "ever: begin a new tree with a new key")
                }
                all[block] = (signed, copy.url)
            }
        }
        return all
    }

    /// Counts the newest snapshot of a restored tree, and notes the running value that the next run goes on from.
    ///
    /// - Returns: its block; nil where the tree has no data.
    /// - Throws: `FileError` where its coins are not those of the statement that the key signed.
    public func count(_ tree: Tree) throws -> BlockID? {
        guard try tree.hasData() else { return nil }
        let newest = try tree.latest()
        let start = parameters.epochStart(of: newest.height)
        let path = tree.path(TreePath.headers(epochOf: newest.height, parameters))
        let bytes = try File.read(path, atMost: parameters.epoch * BlockHeader.size)
        let chain: HeaderChain
        do throws(ParseError) { chain = try HeaderChain(parsing: bytes, from: start) } catch {
            throw FileError.parse(error, path)
        }
        guard let block = chain.block(at: start), chain.block(at: newest.height) == newest else {
            throw FileError(path, "does not lead to the block that \(TreePath.latest) names")
        }
        let statement = try tree.attestation(of: block, parameters: parameters, key: key).statement
        let manifest = try tree.manifest(of: block, parameters: parameters, root: statement.snapshotRoot)
        let totals = try SnapshotCount(of: block, parameters).run(
            manifest.contents, file: { tree.path(TreePath.shard($0, of: block)) }, filter: { _, _ in }
        ).totals
        let running = RunningSet(totals, parameters)
        guard totals.coins == statement.coins, totals.amount == statement.amount,
            running.muhash == statement.muhash, running.muhashes.root == statement.muhashes
        else {
            throw FileError(
                tree.path(TreePath.manifest(block)),
                "holds other coins than the statement of height \(start) says, which this key has signed: the statement "
                    + "is wrong. README, «If you signed something wrong», says what to do")
        }
        try RollingMuHash(state, parameters: parameters).write(running, for: block)
        return block
    }
}
