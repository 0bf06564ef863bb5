import Foundation
import TestSupport

/// The built `concord` with a home folder of its own.
final class Client {
    let scratch: Scratch
    /// Its home folder.
    let home: PlainTree
    /// The time it is told, like `2026-11-22T11:00:00Z`; nil for the machine's.
    var now: String?
    /// They serve as long as it lives.
    private var sites: [Site] = []

    init() throws {
        scratch = try Scratch()
        home = PlainTree(scratch.path("home"))
    }

    /// One that recognises these authorities.
    convenience init(trusting sites: [Site]) throws {
        try self.init()
        for site in sites { try trust(site) }
    }

    static func program() throws -> Program { try .built("concord") }

    /// Keeps a site's tree where it is.
    func keep(_ site: Site) { sites.append(site) }

    func trust(_ site: Site) throws {
        keep(site)
        try trust(site.name, site.publicKey, site.url)
    }

    func trust(_ name: String, _ key: String, _ urls: String...) throws {
        try succeed(["trust", "add", name, key] + urls)
    }

    /// Runs to the end, whatever it is.
    func run(_ arguments: String...) throws -> Program.Outcome { try run(arguments) }

    func run(_ arguments: [String]) throws -> Program.Outcome {
        try Self.program().run(arguments, environment: environment)
    }

    func start(_ arguments: String...) throws -> RunningProgram {
        try Self.program().start(arguments, environment: environment)
    }

    private var environment: [String: String] {
        ["CONCORD_HOME": home.root].merging(now.map { ["CONCORD_NOW": $0] } ?? [:]) { $1 }
    }

    /// Runs, and throws unless it succeeds.
    @discardableResult
    func succeed(_ arguments: String...) throws -> Program.Outcome { try succeed(arguments) }

    @discardableResult
    func succeed(_ arguments: [String]) throws -> Program.Outcome {
        let outcome = try run(arguments)
        guard outcome.isSuccess else {
            throw TestError("concord \(arguments.joined(separator: " ")): \(outcome.said)")
        }
        return outcome
    }

    /// `concord check --json`.
    func check(_ arguments: String...) throws -> (status: Int32?, answer: Answer) {
        let outcome = try run(["check", "--json"] + arguments)
        return (outcome.status, try outcome.json())
    }

    /// `concord fetch --json`, which has to succeed.
    @discardableResult
    func fetch(_ arguments: String...) throws -> Fetched {
        try succeed(["fetch", "--json"] + arguments).json()
    }

    /// `concord utxos --json`, which has to succeed.
    func utxos(_ scripts: String...) throws -> Coins {
        try succeed(["utxos", "--json"] + scripts).json()
    }

    /// What is installed, all of it.
    var sets: PlainTree { PlainTree(home.path("sets")) }
    var set: PlainTree { PlainTree(home.path("sets/regtest")) }
    var isInstalled: Bool { FileManager.default.fileExists(atPath: set.path("agreed.json")) }
}

/// What `check --json` prints.
struct Answer: Decodable {
    struct Row: Decodable {
        let name, key, verdict: String
        let height: Int?
        let block, time: String?
        let bytes: Int
        let statements: [String]
        let problems: [String]
        let headers: Followed?
    }
    struct Followed: Decodable, Equatable {
        let follow: Bool
        let fork, depth: Int?
        let work: String?
        let bytes: Int
        let problems: [String]
    }
    struct Headers: Decodable {
        let result: String
        let height: Int?
        let block, work: String?
        let workLog2: Double?
        let fork, depth: Int?
    }

    let result: String
    let reason, network: String?
    let height: Int?
    let block, muhash, muhashes: String?
    let coins, amountSat: Int?
    let minimum: Int
    let authorities: [Row]
    let evidence: String?
    let contradiction: Proof?
    let headers: Headers?
    let warnings: [String]
    let error: Refused.Reason?

    var verdicts: [String] { authorities.map(\.verdict) }
}

/// What `--json` prints where a command fails.
struct Refused: Decodable {
    struct Reason: Decodable, Equatable {
        let status: Int32
        let kind, message: String
    }
    let error: Reason
}

/// What `fetch --json` prints.
struct Fetched: Decodable {
    let agreement: Answer
    let folder: String
    let base: Int?
    let shards, patches, deltas, sections, bytes: Int
    let faults: [String]
}

/// What `utxos --json` prints.
struct Scan: Decodable {
    struct Unspent: Decodable {
        let txid: String
        let vout: Int
        let scriptPubKey, desc: String
        let amount: Decimal
        let satoshis: Int
        let address: String?
        let coinbase: Bool
        let height: Int
        let blockhash: String?
        let confirmations: Int
    }
    struct Query: Decodable {
        struct Coin: Decodable {
            let txid: String
            let vout: Int
            let address: String?
            let index, branch: Int?
        }
        let query, desc: String
        let scripts: Int
        let scriptPubKey, address: String?
        let amount: Decimal
        let satoshis: Int
        let coins: [Coin]
    }

    let success: Bool
    let txouts, height: Int
    let bestblock: String
    let unspents: [Unspent]
    let total_amount: Decimal
    let satoshis: Int
    let network: String
    let authorities: [String]
    let queries: [Query]
}

/// The same, script by script.
struct Coins: Decodable {
    struct Coin: Hashable {
        let txid: String
        let index, amount, height: Int
        let coinbase: Bool
    }
    struct Entry {
        let query, script: String
        let amount: Int
        let coins: [Coin]
    }

    let network: String
    let height: Int
    let block: String
    let authorities: [String]
    let results: [Entry]

    init(from decoder: any Decoder) throws {
        let scan = try Scan(from: decoder)
        let unspents = Dictionary(
            uniqueKeysWithValues: scan.unspents.map { one in
                (
                    "\(one.txid):\(one.vout)",
                    Coin(
                        txid: one.txid, index: one.vout, amount: one.satoshis, height: one.height,
                        coinbase: one.coinbase)
                )
            })
        (network, height, block) = (scan.network, scan.height, scan.bestblock)
        authorities = scan.authorities
        results = scan.queries.map { query in
            Entry(
                query: query.query, script: query.scriptPubKey ?? "", amount: query.satoshis,
                coins: query.coins.compactMap { unspents["\($0.txid):\($0.vout)"] })
        }
    }
}

extension Program.Outcome {
    func json<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(standardOutput))
        } catch {
            throw TestError("no JSON: \(error): \(said)")
        }
    }

    /// Both streams and the end, for a failed expectation.
    var said: String { "status \(status ?? -1)\n\(output)\n\(errors)" }
}
