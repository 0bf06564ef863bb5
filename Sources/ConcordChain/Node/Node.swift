import Concord
import ConcordFiles
import ConcordTransfers
import Synchronization

/// A running Bitcoin Core node, asked by JSON-RPC and, where it offers it, by REST: many requests at once, and again
/// for as long as what went wrong may pass. May be used from any thread; one at a time is served.
public final class Node: Sendable {
    public struct Settings: Sendable {
        /// How long to go on trying while nothing succeeds.
        public var patience: Duration = .seconds(60)
        /// The most time for one answer.
        public var deadline: Duration = .seconds(120)
        /// Asked at least once a second; once it says so, all waiting ends with an error of the kind `stopped`.
        public var isStopping: @Sendable () -> Bool = { false }
        /// Is told why there is a wait, once for each reason.
        public var tell: @Sendable (String) -> Void = { _ in }

        public init() {}
    }

    public let address: NodeAddress
    public let network: Network
    let login: NodeLogin
    let settings: Settings
    private let transport: Mutex<CurlTransport>
    private let ids = Counter()
    private let rest = Mutex<Bool?>(nil)

    public init(_ address: NodeAddress, network: Network, login: NodeLogin, settings: Settings = Settings()) {
        self.address = address
        self.network = network
        self.login = login
        self.settings = settings
        var options = CurlTransport.Settings()
        options.usesProxies = false
        // A node that works on an answer sends nothing; each request has its deadline.
        options.stall = settings.deadline
        options.minSpeed = 1
        options.connect = min(options.connect, settings.deadline)
        transport = Mutex(CurlTransport(options))
    }

    /// Something asked of the node at once: calls, or a path of REST.
    struct Exchange {
        /// What messages call it: a method or a path.
        let name: String
        let path: String
        let post: [UInt8]?
        /// The most bytes of the answer.
        let limit: Int

        /// GET of a path, which needs no login.
        static func rest(_ path: String, limit: Int) -> Exchange {
            Exchange(name: path, path: path, post: nil, limit: limit)
        }
    }

    /// What messages say it is about.
    func subject(_ name: String) -> String { "\(address) \(name)" }

    /// Asks all of them and gives the answers in order.
    ///
    /// - Parameters:
    ///   - patience: how long to go on trying; as the settings say if nil.
    ///   - take: makes of an answer what is wanted; where it throws an error of the kind `passing`, the node is asked
    ///     again.
    func ask<R>(
        _ exchanges: [Exchange], patience longest: Duration? = nil,
        _ take: (Int, Body) throws(NodeError) -> R
    ) throws(NodeError) -> [R] {
        var results = [R?](repeating: nil, count: exchanges.count)
        var open = Array(exchanges.indices)
        var patience = Patience(settings, longest)
        while !open.isEmpty {
            let login = try login.current()
            var again: [Int] = []
            var failure: NodeError?
            try round(exchanges, open, login) { (i, body) throws(NodeError) in
                do throws(NodeError) {
                    results[i] = try take(i, try checked(body, exchanges[i], login))
                } catch {
                    guard error.kind == .passing else { throw error }
                    again.append(i)
                    failure = error
                }
            }
            if again.count < open.count { patience = Patience(settings, longest) }
            open = again.sorted()
            if let failure { try patience.wait(for: failure) }
        }
        return results.compactMap(\.self)
    }

    /// One request for each, many under way.
    private func round(
        _ exchanges: [Exchange], _ open: [Int], _ login: Request.Login?,
        done: (Int, Result<Body, Failure>) throws(NodeError) -> Void
    ) throws(NodeError) {
        let requests = open.map { request(exchanges[$0], login) }
        try transport.withLock { (transport) throws(NodeError) in
            try transport.run(requests) { [self] () throws(NodeError) in
                if settings.isStopping() { throw stopped }
            } done: { (place, result) throws(NodeError) in
                try done(open[place], result)
            }
        }
    }

    private func request(_ exchange: Exchange, _ login: Request.Login?) -> Request {
        var request = Request(
            address.base + exchange.path, limit: exchange.limit, deadline: settings.deadline)
        request.takesEveryStatus = true
        if let post = exchange.post {
            request.post = Request.Post(post, type: "application/json")
            request.login = login
        }
        return request
    }

    var stopped: NodeError { NodeError(.stopped, address.description, "was not waited for any longer") }

    /// The answer, if the node's server is ready and willing to give one.
    private func checked(
        _ result: Result<Body, Failure>, _ exchange: Exchange, _ login: Request.Login?
    ) throws(NodeError) -> Body {
        let subject = subject(exchange.name)
        let body: Body
        do throws(Failure) {
            body = try result.get()
        } catch {
            throw self.error(error, subject)
        }
        let words = NodeJSON.words(body.bytes)
        switch body.status {
        case 401:
            // A node that was started again has written another cookie since.
            if let now = try self.login.current(), now != login {
                throw NodeError(.passing, subject, "the node's cookie has changed")
            }
            throw NodeError(.denied, subject, "status 401: \(self.login.advice)")
        case 403:
            throw NodeError(
                .denied, subject,
                "status 403, the node forbids it: allow this machine's address with rpcallowip, and the user this "
                    + "method with rpcwhitelist, in its bitcoin.conf")
        case 500 where body.bytes.starts(with: "Work queue depth exceeded".utf8), 502...504:
            throw NodeError(
                .passing, subject, "the node is not ready yet: \(words ?? "status \(body.status)")")
        case 300...399:
            throw NodeJSON.garbage(subject, body.bytes, body.status)
        default:
            return body
        }
    }

    private func error(_ failure: Failure, _ subject: String) -> NodeError {
        switch failure.kind {
        case .timedOut(let words): NodeError(.passing, subject, "no answer in time: \(words)")
        case .untrusted(let words):
            NodeError(
                .denied, subject,
                "\(words): this machine does not trust the certificate there. Add who signed it to those that this "
                    + "machine trusts (SSL_CERT_FILE names another list of them), or give the name that the certificate "
                    + "is for. Bitcoin Core itself speaks plain http")
        case .network(let words) where address.isEncrypted, .unreachable(let words) where address.isEncrypted:
            NodeError(
                .passing, subject,
                "\(words): is there something that speaks TLS for the node at this address and port? Bitcoin Core itself "
                    + "speaks plain http: for that give http://")
        case .network(let words), .unreachable(let words):
            NodeError(
                .passing, subject,
                "\(words): is the node running, with server=1, and reachable at this address and port?")
        case .tooLarge(let limit):
            NodeError(
                .garbage, subject,
                "the answer is longer than the \(limit) bytes it may have: is this the RPC port of a Bitcoin Core node?"
            )
        default: NodeError(.local, subject, failure.description)
        }
    }

    // MARK: JSON-RPC

    /// Calls a method.
    ///
    /// - Throws: `NodeError`; of the kind `refused` where the node answers with an error of its own.
    public func call<R: Decodable>(
        _ method: String, _ parameters: NodeParameter..., patience: Duration? = nil, as type: R.Type = R.self
    ) throws(NodeError) -> R {
        let call = NodeCall(id: ids.next(), method: method, params: parameters)
        let exchange = Exchange(
            name: method, path: "", post: NodeCall.body(call), limit: NodeJSON.maxBytes)
        let subject = subject(method)
        return try ask([exchange], patience: patience) { (_, body) throws(NodeError) in
            try NodeJSON.result(of: body.bytes, status: body.status, id: call.id, subject)
        }[0]
    }

    /// An exchange for one call whose answer may be long, and is not looked at where it is one.
    func exchange(_ method: String, _ parameters: [NodeParameter], limit: Int) -> (Exchange, id: Int) {
        let call = NodeCall(id: ids.next(), method: method, params: parameters)
        return (Exchange(name: method, path: "", post: NodeCall.body(call), limit: limit), call.id)
    }

    /// Calls one method with many parameters, some hundreds of calls in one request.
    ///
    /// - Returns: in order, what came of each.
    func batch<R: Decodable>(
        _ method: String, _ parameters: [[NodeParameter]], as type: R.Type = R.self
    ) throws(NodeError) -> [Result<R, NodeError>] {
        let calls = parameters.map { NodeCall(id: ids.next(), method: method, params: $0) }
        let pieces = stride(from: 0, to: calls.count, by: NodeCall.maxInBatch).map {
            Array(calls[$0..<min($0 + NodeCall.maxInBatch, calls.count)])
        }
        let exchanges = pieces.map {
            Exchange(name: method, path: "", post: NodeCall.body($0), limit: NodeJSON.maxBytes)
        }
        let subject = subject(method)
        return try ask(exchanges) { (i, body) throws(NodeError) in
            try NodeJSON.results(of: body.bytes, status: body.status, ids: pieces[i].map(\.id), subject)
                as [Result<R, NodeError>]
        }.flatMap(\.self)
    }

    // MARK: REST

    /// Whether the node answers REST requests (`-rest`); asked once.
    func hasREST() throws(NodeError) -> Bool {
        if let known = rest.withLock({ $0 }) { return known }
        struct Info: Decodable { let chain: String }
        let exchange = Exchange.rest("/rest/chaininfo.json", limit: NodeJSON.maxBytes)
        let answers: Bool
        do throws(NodeError) {
            answers = try ask([exchange]) { (_, body) throws(NodeError) in
                let info: Info? = body.status == 200 ? try? NodeJSON.decode(body.bytes) : nil
                return info?.chain == network.rawValue
            }[0]
        } catch {
            guard error.kind == .denied || error.kind == .garbage else { throw error }
            answers = false
        }
        rest.withLock { $0 = answers }
        return answers
    }

    /// REST does not do what RPC does.
    func giveUpREST() {
        rest.withLock { $0 = false }
    }
}
