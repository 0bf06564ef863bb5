import Concord
import ConcordFiles
import ConcordTree

/// A client's own folder:
///
///     trust.json                 the authorities and trustnets it recognises
///     trustnets/KEY/             the versions of a trustnet that it took, signed
///     wallets/NAME.json          whose coins are wanted
///     sets/NETWORK/              what it has fetched: a tree in the published layout, and which block is installed
///     headers/NETWORK.bin        the chain with most work that it has seen
///     headers/NETWORK.from-HEIGHT.bin  the same, from that height on
///     headers/….next.bin         one that is being followed, from far below its end
///     memory.sqlite              what authorities were seen to sign, and the newest block they agreed on
///     evidence/HEIGHT-BLOCK/     the signed files of authorities that contradict each other
///     evidence/trustnet-NAME-N/  two documents of a trustnet under one number
///     evidence/other-tree-NAME-KEY/  what an authority signed of another kind of tree than the list's
public struct Home: ~Copyable {
    public let folder: Folder
    private let lock: FolderLock?

    /// Opens the folder, making it where it is missing; one run of the program a folder. One that everybody can write to
    /// is refused.
    public init(_ path: String) throws(FileError) {
        try Folder.refuseWritableByAll(path)
        let lock = try FolderLock(path)
        folder = try Folder(path)
        self.lock = consume lock
    }

    /// Opens the folder to look at what is there, while another run may be fetching.
    public init(reading path: String) throws(FileError) {
        try Folder.refuseWritableByAll(path)
        folder = Folder(reading: path)
        lock = nil
    }

    public var root: String { folder.root }

    public static let trust = "trust.json"

    public func trustList() throws -> TrustList {
        try Folder.refuseWritableByAll(folder.path(Self.trust))
        return try TrustList(reading: folder.path(Self.trust))
    }

    /// For its owner alone to read: a URL may hold a password.
    public func write(_ list: TrustList) throws {
        try folder.write(try list.encoded(), at: Self.trust, mode: 0o600)
    }

    /// What is held of each trustnet of a list, in its order.
    public func trustnets(of list: TrustList) throws(FileError) -> [TrustnetHistory] {
        var held: [TrustnetHistory] = []
        for subscription in list.trustnets {
            held.append(try TrustnetStore(folder, key: subscription.key).history())
        }
        return held
    }

    /// The folder of a network's set.
    public func set(_ network: Network) throws(FileError) -> Folder {
        try folder.inner("sets/\(network.rawValue)")
    }

    /// The headers of a network that were followed so far, from the genesis block on or from a pinned start.
    public func headers(
        _ network: Network, from start: PinnedStart? = nil
    ) throws(FileError) -> HeaderStore {
        try HeaderStore(folder, network, from: start)
    }

    /// The headers that lead to an installed set: from the genesis block on, or from the pinned start. Nil where neither has
    /// its block.
    public func headers(of set: InstalledSet) throws(FileError) -> HeaderStore? {
        let network = set.statement.network
        let full = try headers(network)
        if try full.block(at: set.block.height) == set.block { return full }
        guard let start = network.pinnedStart(set.statement.parameters) else { return nil }
        let pinned = try headers(network, from: start)
        guard try pinned.block(at: set.block.height) == set.block else { return nil }
        return pinned
    }

    /// The wallets.
    public var wallets: WalletStore { WalletStore(folder) }

    /// The networks of which something is installed.
    public func installed() throws -> [InstalledSet] {
        var sets: [InstalledSet] = []
        for name in try Folder.names(in: folder.path("sets")) {
            let folder = Folder(reading: folder.path("sets/\(name)"))
            if Network(rawValue: name) != nil, let set = try InstalledSet(in: folder) {
                sets.append(set)
            }
        }
        return sets
    }

    /// The installed set of a network; of the only one that there is if nil.
    public func installed(_ network: Network?) throws -> InstalledSet {
        let sets = try installed()
        let chosen = network.map { network in sets.filter { $0.statement.network == network } } ?? sets
        guard let set = chosen.first else { throw ClientError.nothingInstalled }
        guard chosen.count == 1 else {
            throw ClientError.severalInstalled(sets.map(\.statement.network))
        }
        return set
    }

    /// Removes what is not in its place yet. Called where the work ends, so that the lock is held until then; it goes with
    /// this.
    public func close() throws(FileError) {
        if lock != nil { try folder.removeTemporaries() }
    }

    /// The authorities of one's trustnets, as they were taken last, and one's own. Where these cannot be compared with each
    /// other, all that are listed anywhere.
    public func knownMembers() throws -> [Trustnet.Member] {
        let list = try trustList()
        let held = try trustnets(of: list).compactMap { $0.held?.trustnet }
        do throws(RosterError) {
            return try Roster(trustnets: held, own: list.members).members
        } catch {
            return held.flatMap(\.members) + list.members
        }
    }
}
