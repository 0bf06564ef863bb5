import CCurl
import Concord

/// HTTP by libcurl: many requests at once over connections that are used again.
///
/// Nothing is sent but what the request says: no cookies, no .netrc, no compression asked for. Proxies are those of the usual
/// environment variables, unless another one is given.
public final class CurlTransport: Transport, @unchecked Sendable {
    public struct Settings: Sendable {
        /// The most time until a connection stands.
        public var connect: Duration = .seconds(15)
        /// A request slower than `minSpeed` for this long times out. Whole seconds; nil where somebody else looks after that.
        public var stall: Duration?
        /// Bytes a second.
        public var minSpeed = 1000
        /// Connections that are kept open for the next request.
        public var connections = 64
        public var userAgent = Software.name
        /// A PEM file with the only authorities to accept for https; the system's if nil.
        public var certificates: String?
        /// Whether the environment's proxies are used, where `proxy` is nil.
        public var usesProxies = true
        /// The proxy that everything goes through.
        public var proxy: Proxy?

        public init() {}
    }

    private let settings: Settings
    private let multi: UnsafeMutableRawPointer
    private var transfers: [Int: Transfer] = [:]
    private var ids: [UnsafeMutableRawPointer: Int] = [:]
    private var ended: [TransferEnd] = []
    private let start = ContinuousClock.now

    /// libcurl has to be set up once a process, before its first handle.
    private static let isSetUp = concord_curl_global_init() == CURLE_OK

    public init(_ settings: Settings = Settings()) {
        guard Self.isSetUp, let multi = curl_multi_init() else { fatalError("libcurl cannot be initialised") }
        self.settings = settings
        self.multi = multi
        concord_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        concord_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.connections)
    }

    deinit {
        for easy in ids.keys { curl_multi_remove_handle(multi, easy) }
        curl_multi_cleanup(multi)
    }

    public var now: Duration { ContinuousClock.now - start }

    public func start(_ request: Request, as id: Int) {
        do throws(Failure.Kind) {
            let address = try WebAddress(request.url)
            guard address.isWeb else { throw .badURL("its scheme is not http or https") }
            let transfer = try Transfer(request, as: id, at: address, settings)
            try transfer.prepare()
            let code = curl_multi_add_handle(multi, transfer.easy)
            guard code == CURLM_OK else { throw Self.kind(code) }
            transfers[id] = transfer
            ids[transfer.easy] = id
        } catch {
            ended.append(TransferEnd(id, .failure(Failure(url: WebAddress.shown(request.url), kind: error))))
        }
    }

    public func cancel(_ id: Int) {
        ended.removeAll { $0.id == id }
        guard let transfer = transfers[id] else { return }
        let signal = BrokenPipe()
        defer { signal.unblock() }
        remove(transfer)
        _ = transfer.fail(.givenUp)
    }

    public func received(_ id: Int) -> Int { transfers[id]?.received ?? 0 }

    public func wake() { curl_multi_wakeup(multi) }

    public func wait(until time: Duration?) -> [TransferEnd] {
        let signal = BrokenPipe()
        defer { signal.unblock() }
        perform()
        if ended.isEmpty {
            let left = time.map { $0 - now } ?? .seconds(1)
            check(curl_multi_poll(multi, nil, 0, CInt(max(0, min(1000, left / .milliseconds(1)))), nil))
            perform()
        }
        defer { ended.removeAll() }
        return ended
    }

    /// Moves all requests on as far as they go without waiting, and takes in those that end.
    private func perform() {
        var running: CInt = 0
        check(curl_multi_perform(multi, &running))
        var left: CInt = 0
        while let message = curl_multi_info_read(multi, &left) {
            // The message is libcurl's, and gone once its handle is removed.
            let (kind, handle, code) = (
                message.pointee.msg, message.pointee.easy_handle, message.pointee.data.result
            )
            guard kind == CURLMSG_DONE, let handle, let id = ids[handle], let transfer = transfers[id] else {
                continue
            }
            remove(transfer)
            ended.append(TransferEnd(id, transfer.finish(code)))
        }
    }

    private func remove(_ transfer: Transfer) {
        transfers[transfer.id] = nil
        ids[transfer.easy] = nil
        curl_multi_remove_handle(multi, transfer.easy)
    }

    /// If libcurl cannot go on (out of memory, say), no request would end by itself.
    private func check(_ code: CURLMcode) {
        guard code != CURLM_OK else { return }
        for transfer in Array(transfers.values) {
            remove(transfer)
            ended.append(TransferEnd(transfer.id, .failure(transfer.fail(Self.kind(code)))))
        }
    }

    private static func kind(_ code: CURLMcode) -> Failure.Kind {
        .local("libcurl: \(String(cString: curl_multi_strerror(code)))")
    }
}
