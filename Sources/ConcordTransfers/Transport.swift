/// What moves bytes: starts requests and says how each of them ended. `CurlTransport` does it over HTTP,
/// `FileTransport` from this machine's disk, and tests do it in memory and in made-up time.
///
/// A transport knows nothing of patience: how many requests a host gets at a time, when one is too slow and whether it is
/// asked again is the business of `TransferScheduler`. One thread uses it at a time; `wake` may come from any.
public protocol Transport: AnyObject, Sendable {
    /// The time since some moment before the first request.
    var now: Duration { get }

    /// Begins a request. Its end comes from a later `wait`, also where it cannot be begun.
    ///
    /// - Parameter id: not that of another request under way.
    func start(_ request: Request, as id: Int)

    /// Gives up a request under way, which then has no end. A part file is closed: it goes, or stays where the request
    /// keeps parts.
    func cancel(_ id: Int)

    /// The body bytes that a request under way has received in this transfer; 0 for one that is not under way.
    func received(_ id: Int) -> Int

    /// Waits until a request ends, `wake` is called, or the time has come; returns at once where something has ended
    /// already. It may also return early with nothing.
    ///
    /// - Parameter time: as `now` counts; nil for no limit.
    func wait(until time: Duration?) -> [TransferEnd]

    /// Makes `wait` return, now or as soon as it is called. From any thread.
    func wake()
}

/// How a request ended.
public struct TransferEnd: Sendable {
    public let id: Int
    public let result: Result<Body, Failure>

    public init(_ id: Int, _ result: Result<Body, Failure>) {
        self.id = id
        self.result = result
    }
}

extension Transport {
    /// Fetches some files without anybody's patience: some at a time, in their order, each asked for once. For a host that
    /// one runs oneself, like a node.
    ///
    /// - Parameters:
    ///   - check: asked at least once a second; where it throws, all that is under way is given up.
    ///   - done: told each end, with the request's place.
    public func run<E: Error>(
        _ requests: [Request], atOnce: Int = 8, check: () throws(E) -> Void,
        done: (Int, Result<Body, Failure>) throws(E) -> Void
    ) throws(E) {
        var started = 0
        var underWay: Set<Int> = []
        do throws(E) {
            while started < requests.count || !underWay.isEmpty {
                try check()
                while started < requests.count, underWay.count < atOnce {
                    start(requests[started], as: started)
                    underWay.insert(started)
                    started += 1
                }
                for end in wait(until: now + .seconds(1)) {
                    underWay.remove(end.id)
                    try done(end.id, end.result)
                }
            }
        } catch {
            for id in underWay { cancel(id) }
            throw error
        }
    }

    /// The results are in the order of the requests.
    public func fetch(_ requests: [Request], atOnce: Int = 8) -> [Result<Body, Failure>] {
        var results = [Result<Body, Failure>?](repeating: nil, count: requests.count)
        run(requests, atOnce: atOnce, check: {}, done: { results[$0] = $1 })
        return results.compactMap(\.self)
    }

    public func fetch(_ request: Request) throws(Failure) -> Body {
        try fetch([request])[0].get()
    }
}
