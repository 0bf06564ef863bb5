import Concord
import ConcordClient
import ConcordFiles

/// One state of a home, from which an answer is given: a network's installed set, and the headers that were there with it.
final class ServedState: Sendable {
    let installed: InstalledSet
    /// The height of the last header; -1 where there are none.
    let headersHeight: Int
    /// Nil where the installed block is not on the chain that is followed, or there is none: then it is the only block that
    /// is known.
    private let chain: HeaderStore?

    init(_ home: borrowing Home, _ network: Network) throws {
        let folder = Folder(reading: home.folder.path("sets/\(network.rawValue)"))
        guard let set = try InstalledSet(in: folder) else { throw ClientError.nothingInstalled }
        installed = set
        if let store = try home.headers(of: set) {
            headersHeight = store.end - 1
            chain = consume store
        } else {
            headersHeight = -1
            chain = nil
        }
    }

    var network: Network { installed.statement.network }
    /// The installed block: the newest that anything is said of.
    var tip: BlockID { installed.block }
    var isOnChain: Bool { chain != nil }

    // MARK: blocks

    /// The block at a height; nil above the installed one.
    func block(at height: Int) throws -> BlockID? {
        if height == tip.height { return tip }
        return try header(at: height)?.block
    }

    /// The header at a height; nil above the installed block. Throws `ServeError.noHeaders`, also below a pinned start.
    func header(at height: Int) throws -> StoredHeader? {
        guard (0...tip.height).contains(height) else { return nil }
        guard let header = try chain?.header(at: height) else { throw ServeError.noHeaders }
        return header
    }

    /// The header of a block up to the installed one; nil for one that is not of its chain. Throws `ServeError.noHeaders`.
    func header(of hash: Digest) throws -> StoredHeader? {
        guard isOnChain else { throw ServeError.noHeaders }
        let height = try chain?.height(of: hash)
        // It may be below a pinned start.
        if height == nil, try chain?.header(at: 0) == nil { throw ServeError.noHeaders }
        return try height.flatMap { try header(at: $0) }
    }

    /// The work of the chain up to a height, and the median of the times of the blocks there.
    func sums(at height: Int) throws -> (work: UInt128, medianTime: UInt32) {
        guard let work = try chain?.work(to: height) ?? nil,
            let time = try chain?.medianTime(at: height) ?? nil
        else {
            throw ServeError.noHeaders
        }
        return (work, time)
    }

    // MARK: coins

    /// The coins with exactly these scripts, script by script. Throws `ClientError.shardsMissing`, `SetDamage`.
    func coins(of scripts: [[UInt8]]) throws -> [[CoinLookup.Coin]] {
        try require(scripts)
        return try CoinLookup(installed).coins(of: scripts)
    }

    /// The coins whose script has this SHA-256. Throws `ClientError.shardsMissing`, `SetDamage`.
    func coins(ofScriptHash hash: Digest) throws -> [CoinLookup.Coin] {
        guard installed.knows(scriptHash: hash) else {
            throw ClientError.shardsMissing([installed.statement.parameters.shard(ofScriptHash: hash)])
        }
        return try CoinLookup(installed).coins(ofScriptHash: hash)
    }

    /// Nobody shall read "none" of a script whose shard is not here.
    func require(_ scripts: [[UInt8]]) throws {
        let parameters = installed.statement.parameters
        let missing = Set(
            scripts.filter { !installed.knows($0) }.map { $0.withBytes(parameters.shard(of:)) }
        ).sorted()
        guard missing.isEmpty else { throw ClientError.shardsMissing(missing) }
    }
}
