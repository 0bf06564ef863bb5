import Concord
import ConcordFiles
import ConcordTree

/// A client's own folder:
///
///     trust.json                 the authorities and trustnets it recognises
///     trustnets/KEY/             the versions of a trustnet that it took, signed
///     sets/NETWORK/              what it has fetched: a tree in the published layout, and which block is installed
///     headers/NETWORK.bin        the chain with most work that it has seen
///     memory.sqlite              what authorities were seen to sign, and the newest block they agreed on
///     evidence/HEIGHT-BLOCK/     the signed files of authorities that contradict each other
///     evidence/trustnet-NAME-N/  two documents of a trustnet under one number
public struct Home: ~Copyable {
    public let folder: Folder
    private let lock: FolderLock?

    /// Opens the folder, making it where it is missing; one run of the program a folder.
    public init(_ path: String) throws(FileError) {
        let lock = try FolderLock(path)
        folder = try Folder(path)
        self.lock = consume lock
    }

    /// Opens the folder to look at what is there, while another run may be fetching.
    public init(reading path: String) {
        folder = Folder(reading: path)
        lock = nil
    }

    public var root: String { folder.root }

    public static let trust = "trust.json"

    public func trustList() throws(FileError) -> TrustList {
        try TrustList(reading: folder.path(Self.trust))
    }

    public func write(_ list: TrustList) throws {
        try folder.write(try list.encoded(), at: Self.trust)
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

    /// The headers of a network that were followed so far.
    public func headers(_ network: Network) throws(FileError) -> HeaderStore {
        try HeaderStore(folder, network)
    }

    /// The networks of which something is installed.
    public func installed() throws(FileError) -> [InstalledSet] {
        var sets: [InstalledSet] = []
        for name in try Folder.names(in: folder.path("sets")) {
            let folder = Folder(reading: folder.path("sets/\(name)"))
            if Network(rawValue: name) != nil, let set = try InstalledSet(in: folder) {
                sets.append(set)
            }
        }
        return sets
    }

    /// Lets go of the folder. Called where the work ends, so that the lock is held until then.
    public consuming func close() throws(FileError) {
        if lock != nil { try folder.removeTemporaries() }
    }
}
