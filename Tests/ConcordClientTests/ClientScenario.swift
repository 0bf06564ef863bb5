import Concord
import ConcordFiles
import ConcordTransfers
import TestSupport

@testable import ConcordClient

/// A client, the hosts it asks, and the time it has: one home folder, and for each run a client and a line
/// of its own, as a program has them.
final class ClientScenario {
    let scratch: Scratch
    /// Seconds since 1970.
    var now = MadeTree.time + 1000
    var settings = TreeReader.Settings()
    var policy = AgreementPolicy()
    var privacy = Client.Privacy()
    /// Bytes a second of the line that all hosts share.
    var bandwidth: Int?
    /// What is asked over instead of made-up lines.
    var web: (any Transport)?
    /// Given each client before it is used.
    var prepare: (Client) -> Void = { _ in }
    /// When in its time a run is told to end.
    var cancelAt: Duration?
    /// What the last run told.
    private(set) var events: [ClientEvent] = []
    /// What the last run asked over.
    private(set) var transport = ScriptedTransport()
    private var hosts: [String: Host] = [:]

    private struct Host {
        let site: ScriptedSite
        let latency: Duration
        let bandwidth: Int?
    }

    /// A client that recognises nobody.
    init() throws {
        scratch = try Scratch()
        settings.checkers = 0
    }

    /// A client that recognises the authorities of these trees, each on a good host of its own.
    convenience init(_ trees: [MadeTree]) throws {
        try self.init()
        for tree in trees { try trust(tree, at: [Self.url(tree)]) }
    }

    /// Three that agree.
    static func ofThree() throws -> ClientScenario { try ClientScenario(MadeTree.all()) }

    static func url(_ tree: MadeTree) -> String { url("\(tree.name)") }
    static func url(_ host: String) -> String { "http://\(host).example/tree" }

    // MARK: hosts

    func serve(
        _ site: ScriptedSite, at url: String, latency: Duration = .milliseconds(20), bandwidth: Int? = nil
    ) {
        hosts[url] = Host(site: site, latency: latency, bandwidth: bandwidth)
    }

    func serve(_ tree: MadeTree) { serve(tree.site, at: Self.url(tree)) }

    /// Changes what every host answers.
    func bendAll(_ bend: (ScriptedSite) -> ScriptedSite) {
        hosts = hosts.mapValues { Host(site: bend($0.site), latency: $0.latency, bandwidth: $0.bandwidth) }
    }

    // MARK: trust

    func change(_ body: (inout TrustList) throws -> Void) throws {
        let home = try Home(home)
        var list = try home.trustList()
        try body(&list)
        try home.write(list)
    }

    /// Recognises the authority of a tree, which good hosts at these URLs serve unless something is served
    /// there already.
    func trust(_ tree: MadeTree, at urls: [String]) throws {
        try change { try $0.add(tree.authority(at: urls)) }
        for url in urls where hosts[url] == nil { serve(tree.site, at: url) }
    }

    func distrust(_ tree: MadeTree) throws { try change { try $0.remove(tree.name) } }

    // MARK: runs

    var home: String { scratch.path("home") }

    /// `concord check`.
    func check() -> ClientRun { run { client, run in run.session = try client.agree(self.policy) } }

    /// `concord fetch`.
    func fetch(_ shards: Client.Shards = .asBefore) -> ClientRun {
        run { client, run in
            let session = try client.agree(self.policy)
            run.session = session
            if session.obstacle == nil { run.result = try client.install(session, shards, self.privacy) }
        }
    }

    /// `concord mirror`, into a folder beside the home.
    func mirror(
        _ url: String, key: PublicKey? = nil, extent: TreeMirror.Extent = .everything,
        into name: String = "mirror"
    ) -> ClientRun {
        run { client, run in
            let mirror = TreeMirror(
                url, key: key, reader: client.reader, into: Folder(reading: self.scratch.path(name)),
                now: self.now)
            run.mirrored = try mirror.run(extent) { _, _, _ in }
        }
    }

    /// Does something with a client, and says how it ended.
    func run(_ body: (Client, inout ClientRun) throws -> Void) -> ClientRun {
        transport = ScriptedTransport(bandwidth: bandwidth)
        for (url, host) in hosts.sorted(by: { $0.key < $1.key }) {
            transport.add(host.site, at: url, latency: host.latency, bandwidth: host.bandwidth)
        }
        events = []
        var run = ClientRun()
        do {
            let (now, transport) = (now, transport)
            var settings = settings
            if let cancelAt { settings.isCancelled = { transport.now >= cancelAt } }
            let client = try Client(
                home: home, transport: SchemeTransport(web: web ?? transport), alone: nil, settings: settings,
                clock: { now }
            ) { self.events.append($0) }
            prepare(client)
            defer { try? client.close() }
            try body(client, &run)
        } catch {
            run.error = error
        }
        (run.requests, run.bytes, run.time) = (transport.requests, transport.bytes, transport.now)
        return run
    }

    // MARK: what is there

    /// The height of the installed set, all files of which were looked at again; nil where there is none.
    ///
    /// - Parameters:
    ///   - chain: what the set must be that of.
    ///   - shards: the only ones that must be there; all if nil.
    func installed(_ chain: MadeChain = MadeTree.chain, shards: [Int]? = nil) throws -> Int? {
        let folder = Folder(reading: "\(home)/sets/regtest")
        guard let set = try InstalledSet(in: folder) else { return nil }
        guard set.shards == shards else { throw TestError("other shards are installed") }
        let height = set.block.height
        guard height <= chain.tip, set.block == chain.blockID(at: height) else {
            throw TestError("another block is installed")
        }
        let made = (0...height).flatMap { height in
            // Of many coins some.
            chain.scripts(at: height).enumerated().prefix(6).map {
                (height: height, place: $0.offset, script: $0.element)
            }
        }.filter { made in
            shards?.contains(made.script.withBytes(set.statement.parameters.shard(of:))) ?? true
        }
        let found = try CoinLookup(set).coins(of: made.map(\.script))
        for (made, coins) in zip(made, found) {
            // The second one is spent three blocks later.
            let isSpent = made.place == 1 && made.height + 3 <= height
            guard coins.map(\.height) == (isSpent ? [] : [made.height]) else {
                throw TestError("other coins of height \(made.height) are installed")
            }
        }
        return height
    }

    /// Files that a run leaves behind that were not in their place yet.
    var temporaries: [String] { PlainTree(scratch.folder).files().filter { $0.contains("/.tmp/") } }

    /// Files that a run leaves which it should not: parts, temporaries, and anything beside the home.
    var leftovers: [String] {
        PlainTree(scratch.folder).files().filter { path in
            path.contains("/.tmp/") || path.contains(".part")
                || !["home/", "mirror/"].contains(where: path.hasPrefix)
        }
    }
}
