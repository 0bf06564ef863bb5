import Concord
import ConcordClient

/// What `concord serve` says: a request in, an answer out, from what is in a home. Nobody else is asked.
///
/// Esplora's paths are for everybody on the machine, as what they answer is public; JSON-RPC, by POST to `/`, is for those
/// who can read the cookie.
public struct Service: Sendable {
    private let esplora: EsploraService
    private let rpc: RPCService
    private let scan = SetScan()

    /// - Parameters:
    ///   - now: gives seconds since 1970.
    ///   - describe: says in words why there is no answer from the home.
    public init(
        _ home: ServedHome, cookie: Cookie, now: @escaping @Sendable () -> Int64,
        describe: @escaping @Sendable (any Error) -> String
    ) {
        let start = now()
        let uptime = RPCMethod(
            name: "uptime", parameters: [], summary: "Seconds since the server was started."
        ) { _ in .number(max(0, now() - start)) }
        let methods =
            ChainMethods(home: home, now: now).all + SetMethods(home: home, scan: scan).all + [uptime]
        rpc = RPCService(methods, cookie: cookie, describe: describe)
        esplora = EsploraService(home, describe: describe)
    }

    /// Answers; blocks until it is done. From any thread.
    public func answer(_ request: WebRequest) -> WebAnswer {
        if let refusal = BrowserGuard.refusal(of: request) { return refusal }
        guard request.target.utf8.count <= WebRequest.maxTarget else {
            return .text(414, "the path has more than \(WebRequest.maxTarget) bytes")
        }
        guard request.body.count <= WebRequest.maxBody else { return .tooLarge }
        return ["", "/"].contains(request.path) ? rpc.answer(request) : esplora.answer(request)
    }

    /// Ends a scan under way, whose caller gets what it has found.
    public func cancel() { _ = scan.abort() }
}
