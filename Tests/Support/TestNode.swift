import Foundation
import Synchronization

/// A Bitcoin Core node for one test: Core's own engine and chain behind JSON-RPC and REST on loopback, with faults on
/// demand. `Tests/Node/node.py` says what it answers.
public final class TestNode: Sendable {
    /// The data directory: `blocks` as Bitcoin Core writes them, and `.cookie` while it runs.
    public let folder: String
    public var port: UInt16 { reserved.number }
    private let scratch: Scratch
    private let reserved: ReservedPort
    private let arguments: [String]
    private let process = Mutex<RunningProgram?>(nil)

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    public var base: String { "http://127.0.0.1:\(port)" }
    /// Where it keeps `USER:PASSWORD`; another at every start.
    public var cookieFile: String { "\(folder)/.cookie" }

    /// Starts a node and waits until it answers.
    ///
    /// - Parameters:
    ///   - chain: `regtest`, which it can mine, or `main`.
    ///   - blocks: mined before it answers.
    ///   - chainFiles: a bootstrap file, or a folder of `blk*.dat`, whose blocks it takes first.
    ///   - recording: a folder of a live node's answers, body by body; they are all it then has.
    ///   - options: more words for `node.py`, like `--no-rest` or `--user`.
    public init(
        chain: String = "regtest", mining blocks: Int = 0, importing chainFiles: String? = nil,
        recording: String? = nil, options: [String] = []
    ) throws {
        scratch = try Scratch()
        folder = scratch.path("node")
        var first: [String] = []
        if blocks > 0 { first += ["--mine", "\(blocks)"] }
        if let chainFiles { first += ["--import", chainFiles] }
        reserved = try ReservedPort()
        var always = [
            "-B", "\(ChainFixture.repository)/Tests/Node/node.py", folder, "--chain", chain, "--port",
            "\(reserved.number)",
        ]
        if let recording { always += ["--recorded", recording] }
        always += options
        arguments = always
        let words = always + first
        try process.withLock { try Self.launch(words, as: &$0) }
    }

    deinit {
        try? stop()
    }

    /// Waits until it is ready.
    private static func launch(_ arguments: [String], as process: inout sending RunningProgram?) throws {
        let program = try Program.python().start(arguments)
        let deadline = Date().addingTimeInterval(60)
        while program.isRunning(), Date() < deadline {
            if try program.printed().last == UInt8(ascii: "\n") {
                process = program
                return
            }
            usleep(5000)
        }
        program.send(SIGKILL)
        throw TestError("the test node does not start: \(try program.wait().errors)")
    }

    /// Ends it as an operator does; its chain is kept for `start`.
    public func stop() throws { try end(with: SIGTERM) }

    /// Ends it as a power cut does.
    public func kill() throws { try end(with: SIGKILL) }

    private func end(with signal: Int32) throws {
        try process.withLock {
            guard let program = $0 else { return }
            $0 = nil
            program.send(signal)
            _ = try program.wait()
        }
    }

    /// Starts it again on the same port and chain.
    public func start() throws {
        try stop()
        try process.withLock { try Self.launch(arguments, as: &$0) }
    }

    // MARK: Its chain

    /// Mines blocks on the tip, or on the block with the hash `parent`; the longest branch becomes the best.
    ///
    /// - Returns: their hashes, the lowest first.
    @discardableResult
    public func mine(_ count: Int, on parent: String? = nil) throws -> [String] {
        struct Mined: Decodable {
            let hashes: [String]
        }
        var request: [String: Any] = ["count": count]
        request["parent"] = parent
        return try JSONDecoder().decode(Mined.self, from: control("mine", request)).hashes
    }

    /// Takes the top `depth` blocks off the best chain: a branch that is one block longer overtakes them.
    ///
    /// - Returns: the hashes of the branch, the lowest first.
    @discardableResult
    public func reorganise(depth: Int) throws -> [String] {
        let height: Int = try result("getblockcount")
        return try mine(depth + 1, on: try result("getblockhash", height - depth))
    }

    /// Takes the blocks from a height on off the best chain, as `invalidateblock` does. Nothing can be mined after that.
    public func invalidate(from height: Int) throws {
        _ = try control("invalidate", ["height": height])
    }

    // MARK: Its faults and state

    /// What can be wrong with an answer.
    public enum Fault: Sendable {
        /// A status with an empty body; 503 with that of a full work queue.
        case status(Int)
        /// Error -28, and 503 of REST.
        case warmup
        /// A JSON-RPC error.
        case error(code: Int, message: String)
        /// The connection closed without an answer.
        case close
        /// The right answer, late.
        case delay(seconds: Double)
        /// A body without end: a byte each `seconds`, or 64 KiB a millisecond if 0.
        case endless(seconds: Double)
        /// A web page with status 200.
        case html
        /// The first half of a body, as if it were all.
        case truncated
        /// The connection closed in the middle of a body.
        case cut
        /// The answer under another request's id.
        case wrongID
        /// The answer about another block.
        case otherBlock

        fileprivate var fields: [String: Any] {
            switch self {
            case .status(let status): ["kind": "status", "status": status]
            case .warmup: ["kind": "warmup"]
            case .error(let code, let message): ["kind": "error", "code": code, "message": message]
            case .close: ["kind": "close"]
            case .delay(let seconds): ["kind": "delay", "seconds": seconds]
            case .endless(let seconds): ["kind": "endless", "seconds": seconds]
            case .html: ["kind": "html"]
            case .truncated: ["kind": "truncated"]
            case .cut: ["kind": "cut"]
            case .wrongID: ["kind": "wrong-id"]
            case .otherBlock: ["kind": "other-block"]
            }
        }
    }

    /// Lets requests fail, the next `count` or all until `clearFaults`; of several faults the first that fits counts.
    ///
    /// - Parameter method: only requests for it, like `getblock` or `rest/block`.
    public func fail(_ fault: Fault, method: String? = nil, count: Int? = nil) throws {
        var fields = fault.fields
        fields["method"] = method
        fields["count"] = count
        _ = try control("fault", fields)
    }

    public func clearFaults() throws {
        _ = try control("clear", [:])
    }

    /// What a node's configuration and state decide; `start` brings back what it was made with.
    public enum Setting: Sendable {
        /// Off: 404 for all of REST.
        case rest(Bool)
        /// Nil: by the age of the tip.
        case initialBlockDownload(Bool?)
        /// The lowest block it has; nil: it is not pruned.
        case pruneHeight(Int?)
        /// The table of `gettxoutsetinfo muhash HEIGHT`, as a fixture's `expected.tsv`; nil: no coinstatsindex.
        case coinStats(file: String?)
        /// A wrong muhash at this height.
        case lie(height: Int?)
        /// What `getblockchaininfo` says in place of what is so.
        case chainInfo([String: any Sendable])
        /// What `getblockhash` says of heights above the tip.
        case blockHash(String)
        /// A spent coin that is given otherwise than it is.
        case bend(Bend?)
    }

    /// A coin that a block spends, by the places of its transaction, the coinbase not counted, and of the input; and
    /// what is said of it that is not so.
    public struct Bend: Encodable, Sendable {
        public var block: String
        public var transaction = 0
        public var input = 0
        public var height: Int?
        public var generated: Bool?
        /// In satoshi.
        public var value: Int?
        /// Hex.
        public var script: String?

        public init(block: String) {
            self.block = block
        }
    }

    public func set(_ setting: Setting) throws {
        let (name, value): (String, Any?) =
            switch setting {
            case .rest(let value): ("rest", value)
            case .initialBlockDownload(let value): ("ibd", value)
            case .pruneHeight(let value): ("pruneheight", value)
            case .coinStats(let value): ("coinstats", value)
            case .lie(let value): ("lie", value)
            case .chainInfo(let value): ("chaininfo", value)
            case .blockHash(let value): ("blockhash", value)
            case .bend(let value):
                ("bend", try value.map { try JSONSerialization.jsonObject(with: JSONEncoder().encode($0)) })
            }
        _ = try control("set", [name: value ?? NSNull()])
    }

    /// How often each method was asked for since the start, like `getblock` and `rest/block`.
    public func requests() throws -> [String: Int] {
        try JSONDecoder().decode([String: Int].self, from: control("requests", [:]))
    }

    private func control(_ name: String, _ fields: [String: Any]) throws -> Data {
        Data(try curl("/test/\(name)", ["-f"], body: JSONSerialization.data(withJSONObject: fields)))
    }

    // MARK: Its answers, asked for in the plainest way

    private struct Reply<Value: Decodable>: Decodable {
        let result: Value
    }

    /// What a JSON-RPC method gives; any error is thrown.
    public func result<Value: Decodable & Sendable>(
        _ method: String, _ parameters: any Encodable & Sendable..., as: Value.Type = Value.self
    ) throws -> Value {
        let words = try parameters.map { try JSONEncoder().encode($0) }.map {
            String(decoding: $0, as: UTF8.self)
        }
        let body = try post(
            "{\"method\":\"\(method)\",\"params\":[\(words.joined(separator: ","))],\"id\":1}")
        return try JSONDecoder().decode(Reply<Value>.self, from: Data(body)).result
    }

    /// The body that a JSON-RPC request gets, with the cookie or `credentials`, or none if they are empty.
    public func post(_ request: String, credentials: String? = nil, options: [String] = []) throws -> [UInt8]
    {
        let user = try credentials ?? String(contentsOfFile: cookieFile, encoding: .utf8)
        return try curl("/", (user.isEmpty ? [] : ["-u", user]) + options, body: Data(request.utf8))
    }

    /// The body of a path, like `/rest/chaininfo.json`.
    public func get(_ path: String, options: [String] = []) throws -> [UInt8] {
        try curl(path, options, body: nil)
    }

    private func curl(_ path: String, _ options: [String], body: Data?) throws -> [UInt8] {
        try Program.installed("curl").print(
            ["-sS", "--max-time", "30"] + options + (body == nil ? [] : ["--data-binary", "@-"]) + [
                base + path
            ],
            input: [UInt8](body ?? Data()))
    }
}
