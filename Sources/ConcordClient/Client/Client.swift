import Concord
import ConcordFiles
import ConcordTransfers
import Synchronization

/// A client of published trees: whom it recognises, what they agree on, the set it has installed, and the coins in it.
///
/// Everything it knows lies in its home folder (`Home`), which it holds alone until it goes. How bytes come, what time it is
/// and who is told of progress are given from outside. Its functions block until they are done, so call them from a thread
/// of your own; `cancel` ends them from any other, with `CancellationError`. Nothing is printed, and what has come and was
/// checked stays, however a function ends.
///
/// One thread at a time uses it, but for `cancel`.
public final class Client: @unchecked Sendable {
    /// Trees and trustnets are read through it.
    public let reader: TreeReader
    /// Seconds since 1970.
    public let clock: @Sendable () -> Int64
    private let home: Home
    private let tell: (ClientEvent) -> Void
    private let cancellation: Cancellation
    private let lanes: ShardLanes
    /// Another one for chains made to test with.
    var pinnedStart: (Network, TreeParameters) -> PinnedStart? = { $0.pinnedStart($1) }

    private final class Cancellation: Sendable {
        let isCancelled = Atomic(false)
    }

    /// Opens a home folder, or begins one. Throws `FileError` where another process has it.
    ///
    /// - Parameters:
    ///   - transport: HTTP by libcurl and files, unless you bring another.
    ///   - alone: makes a transport for what would tell a host which shards are wanted: one for each shard, used on a thread
    ///     of its own. If nil, that goes over `transport` too.
    ///   - clock: gives seconds since 1970, by which ages and expiry are judged.
    ///   - events: told of progress, on the thread of the function that makes it.
    public init(
        home path: String, transport: any Transport = SchemeTransport(),
        alone: (@Sendable () -> any Transport)? = { SchemeTransport() },
        settings: TreeReader.Settings = TreeReader.Settings(), clock: @escaping @Sendable () -> Int64,
        events: @escaping (ClientEvent) -> Void = { _ in }
    ) throws(FileError) {
        home = try Home(path)
        let cancellation = Cancellation()
        var settings = settings
        let isCancelled = settings.isCancelled
        settings.isCancelled = { isCancelled() || cancellation.isCancelled.load(ordering: .relaxed) }
        reader = TreeReader(transport, settings)
        lanes = ShardLanes(transport: alone, settings: settings)
        (self.cancellation, self.clock, tell) = (cancellation, clock, events)
    }

    /// Ends what is under way at hosts, and whatever this client would ask of hosts later. From any thread.
    public func cancel() { cancellation.isCancelled.store(true, ordering: .relaxed) }

    /// The home folder.
    public var folder: Folder { home.folder }

    /// Removes what is not in its place yet. Call it when you are done; another process can have the home when this goes.
    public func close() throws(FileError) { try home.close() }

    // MARK: trust

    /// Whom this client recognises.
    public func trustList() throws -> TrustList { try home.trustList() }

    /// Changes whom this client recognises.
    public func write(_ list: TrustList) throws { try home.write(list) }

    /// What is held of each trustnet of a list, in its order.
    public func trustnets(of list: TrustList) throws(FileError) -> [TrustnetHistory] {
        try home.trustnets(of: list)
    }

    /// Brings newer versions of trustnets in, as far as their rule allows.
    public func update(_ subscriptions: [TrustList.Subscription]) throws -> TrustnetUpdate {
        // A host that was away the last time may be there again.
        reader.forget()
        let update = TrustnetUpdate(folder, reader: reader, now: clock())
        try update.run(subscriptions)
        return update
    }

    /// The trustnets of an update as they are held now, none of them expired.
    ///
    /// - Throws: `ClientError` where one may not be used.
    public func usable(
        _ update: TrustnetUpdate, _ subscriptions: [TrustList.Subscription]
    ) throws -> [Trustnet] {
        for fault in update.warnings { tell(.trustnetFault(fault)) }
        if let found = update.evidence.first { throw ClientError.trustnetEquivocates(found) }
        return try zip(update.histories, subscriptions).map { history, subscription in
            guard let trustnet = history.held?.trustnet else {
                throw ClientError.trustnetMissing(
                    subscription.key, urls: subscription.urls.map(WebAddress.shown))
            }
            guard !trustnet.isExpired(at: clock()) else {
                throw ClientError.trustnetExpired(
                    trustnet, urls: subscription.urls.map(WebAddress.shown), now: clock())
            }
            return trustnet
        }
    }

    /// The authorities of one's trustnets, as they are now, and one's own.
    public func roster() throws -> Roster {
        let list = try trustList()
        let trustnets = try usable(update(list.trustnets), list.trustnets)
        let roster: Roster
        do throws(RosterError) { roster = try Roster(trustnets: trustnets, own: list.members) } catch {
            throw ClientError.roster(error)
        }
        if roster.entries.isEmpty { throw ClientError.noAuthorities(home: home.root) }
        return roster
    }

    // MARK: agreement

    /// What keys were seen to sign in earlier runs.
    public func log() throws(FileError) -> AttestationLog { try AttestationLog(in: folder) }

    /// What every authority says now, without asking whether they agree. Throws `IncompatibleTrees`.
    public func hear(_ roster: Roster) throws -> [AuthorityObservation] {
        try Survey(roster, rule: Agreement(minimum: 1), log: try log(), reader: reader, now: clock()).hear()
    }

    /// Asks all authorities whether they agree, and on what. What is against it is the session's `obstacle`.
    ///
    /// - Throws: `ClientError`, `TrustList.Refusal.damaged`, `IncompatibleTrees`, `FileError`, `Failure` of this machine,
    ///   `CancellationError`.
    public func agree(_ policy: AgreementPolicy = AgreementPolicy()) throws -> AgreementSession {
        let roster = try roster()
        let minimum: Int
        do throws(RosterError) { minimum = try roster.minimum(policy.minimum, at: policy.height) } catch {
            throw policy.minimum == nil ? ClientError.roster(error) : .minimum(error)
        }
        return try AgreementSession(
            roster, minimum: minimum, policy, reader: reader, log: try log(), in: folder, now: clock(),
            pinnedStart: pinnedStart, tell: tell)
    }

    // MARK: the set

    /// Which shards are wanted whatever is in them. What wallets need comes besides.
    public enum Shards: Sendable {
        /// As the last time; at first none where there are wallets, and else all.
        case asBefore
        case all
        case some([Int])
        /// Those that these scripts fall into.
        case of([[UInt8]])
    }

    /// What hosts may see of a wallet's needs.
    public struct Privacy: Sendable {
        /// How many shards are fetched besides those that are needed, chosen at random and kept; as the last time if nil.
        public var cover: Int?
        /// Whether the filters of all shards come, so that nobody sees which ones are looked at.
        public var takesAllFilters = false

        public init(cover: Int? = nil, takesAllFilters: Bool = false) {
            (self.cover, self.takesAllFilters) = (cover, takesAllFilters)
        }
    }

    /// The folder of a network's set.
    public func set(_ network: Network) throws(FileError) -> Folder { try home.set(network) }

    /// The wallets of this home.
    public var wallets: WalletStore { home.wallets }

    /// Fetches what is agreed on and not here yet, and installs it; of the whole set that much which was asked for, and what
    /// the wallets need. Where one of their scripts is seen in use, more of them are looked at.
    ///
    /// - Throws: `ClientError.notAgreed` and `.shardsGone`, `NotThere`, `SetDamage`, `StateContradiction`, `WalletError`, and
    ///   `SetFetch.Contradicted`: then ask again, and the contradiction is seen by all.
    public func install(
        _ session: AgreementSession, _ shards: Shards = .asBefore, _ privacy: Privacy = Privacy()
    ) throws -> SetFetch.Result {
        if let obstacle = session.obstacle { throw ClientError.notAgreed(obstacle) }
        guard let agreed = session.agreed, let headers = session.headers else {
            throw ClientError.notAgreed(.noHeaders)
        }
        lanes.forget()
        let folder = try set(agreed.network)
        var wallets = try home.wallets.all().filter { $0.network == agreed.network }
        var wants = SetWants(
            asked: try numbers(shards, of: agreed.parameters, in: folder, hasWallets: !wallets.isEmpty),
            cover: try privacy.cover ?? InstalledSet.coverCount(in: folder),
            takesAllFilters: privacy.takesAllFilters)
        var result: SetFetch.Result?
        // Each round looks at more scripts than the one before, and there are so many at most.
        while true {
            wants.scripts = try wallets.flatMap { wallet in
                try wallet.scripts().map { SoughtScript(script: $0.script, birth: wallet.birth) }
            }
            let fetch = SetFetch(
                session.report, on: agreed, headers, log: try log(), reader: reader, lanes: lanes,
                into: folder)
            let round = try fetch.run(wants) { [tell] in tell(.fetching($0)) }
            result = result?.joined(round) ?? round
            guard try use(&wallets, agreed.network) else { break }
        }
        try folder.removeTemporaries()
        guard let result else { preconditionFailure("there is at least one round") }
        return result
    }

    /// Looks which scripts of the wallets are in use. Whether more of them are looked at from now on.
    private func use(_ wallets: inout [Wallet], _ network: Network) throws -> Bool {
        if wallets.isEmpty { return false }
        let history = CoinHistory(try installed(network))
        let scripts = try wallets.map { try $0.scripts() }
        let inUse = Swift.Set(
            try history.entries(of: scripts.joined().map(\.script)).map(\.script))
        var isMore = false
        for place in wallets.indices {
            guard wallets[place].use(scripts[place].filter { inUse.contains($0.script) }) else { continue }
            try home.wallets.write(wallets[place])
            isMore = true
        }
        return isMore
    }

    /// The numbers of the shards that are wanted; nil for all.
    private func numbers(
        _ shards: Shards, of parameters: TreeParameters, in folder: Folder, hasWallets: Bool
    ) throws -> [Int]? {
        let count = parameters.shards
        switch shards {
        case .all: return nil
        case .some(let numbers):
            guard numbers.allSatisfy((0..<count).contains) else { throw ClientError.shardsGone(count: count) }
            return Swift.Set(numbers).sorted()
        case .of(let scripts):
            return Swift.Set(scripts.map { $0.withBytes(parameters.shard(of:)) }).sorted()
        case .asBefore:
            guard try InstalledSet.isThere(in: folder) else { return hasWallets ? [] : nil }
            let last = try InstalledSet.wantedShards(in: folder)
            guard last?.allSatisfy((0..<count).contains) ?? true else {
                throw ClientError.shardsGone(count: count)
            }
            return last
        }
    }

    /// The installed set of a network; of the only one that there is if nil. Throws `ClientError`, or `SetDamage`.
    public func installed(_ network: Network? = nil) throws -> InstalledSet { try home.installed(network) }

    /// The coins with these scripts at the installed block, script by script. Nobody is asked.
    ///
    /// - Throws: `ClientError` where nothing is installed, where the shard of a script is not here, or where what was seen
    ///   speaks against the set; `SetDamage` where the disk has lost something.
    public func coins(of scripts: [[UInt8]], on network: Network? = nil) throws -> [[FoundCoin]] {
        let set = try installed(network)
        if let block = try log().contradiction(among: try home.knownMembers(), on: set.statement.network) {
            throw ClientError.contradicted(block)
        }
        let missing = Swift.Set(
            scripts.filter { !set.knows($0) }.map { $0.withBytes(set.statement.parameters.shard(of:)) }
        ).sorted()
        guard missing.isEmpty else { throw ClientError.shardsMissing(missing) }
        return try CoinLookup(set).coins(of: scripts)
    }
}
