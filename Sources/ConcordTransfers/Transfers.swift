import CCurl
import Concord
import Synchronization

/// Downloads, many at once, over connections that are used again.
///
/// One thread runs them; any other may call `wake` and read `received`. Nothing is sent but what the
/// request says: no cookies, no .netrc, no compression asked for. Proxies are those of the usual environment variables.
public final class Transfers: @unchecked Sendable {
    public struct Settings: Sendable {
        /// Transfers under way, of all hosts.
        public var concurrency = 32
        public var concurrencyPerHost = 8
        /// The most time until a connection stands.
        public var connect: Duration = .seconds(15)
        /// A transfer slower than `minSpeed` for this long times out. Whole seconds.
        public var stall: Duration = .seconds(30)
        /// Bytes a second.
        public var minSpeed = 1000
        /// The most time a transfer into memory takes, if its request does not say.
        public var memoryDeadline: Duration = .seconds(60)
        public var userAgent = Software.name
        /// A PEM file with the only authorities to accept for https; the system's if nil.
        public var certificates: String?
        /// Whether the environment's proxies are used.
        public var usesProxies = true

        public init() {}
    }

    /// What `run` is told when there is room for more work.
    public enum Next<Job> {
        /// Fetch this; the job is handed to `done` with what came of it.
        case request(Request, Job)
        /// Nothing now, but other threads may bring more, and will call `wake` when they do.
        case wait
        /// Nothing but what may follow from the transfers under way: once they have ended, `run` returns.
        case finished
    }

    let settings: Settings
    let multi: UnsafeMutableRawPointer
    private let isRunning = Atomic(false)
    private let total = Atomic(0)

    /// libcurl has to be set up once a process, before its first handle.
    private static let isSetUp = concord_curl_global_init() == CURLE_OK

    public init(_ settings: Settings = Settings()) {
        guard Self.isSetUp, let multi = curl_multi_init() else { fatalError("libcurl cannot be initialised") }
        self.settings = settings
        self.multi = multi
        precondition(settings.concurrency > 0 && settings.concurrencyPerHost > 0)
        concord_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        // Kept open for the next file, even while few transfers are under way.
        concord_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.concurrency)
    }

    deinit {
        curl_multi_cleanup(multi)
    }

    /// Body bytes received so far, of transfers that ended and of those under way. From any thread.
    public var received: Int { total.load(ordering: .relaxed) }

    /// Makes `run` ask for work again, now or as soon as it would wait. From any thread.
    public func wake() {
        curl_multi_wakeup(multi)
    }

    /// Runs transfers on the calling thread until there are no more.
    ///
    /// `next` is asked whenever there is room, and at least once a second; requests that it hands out start in
    /// that order, except that those for a host that is busy wait for it. `done` is given every end. Either may
    /// throw: then all that is under way is dropped, its part files removed, and the error passed on.
    public func run<Job, E: Error>(
        next: () throws(E) -> Next<Job>, done: (Job, Result<Body, Failure>) throws(E) -> Void
    ) throws(E) {
        guard !isRunning.exchange(true, ordering: .acquiring) else {
            fatalError("Transfers.run within a run")
        }
        defer { isRunning.store(false, ordering: .releasing) }
        let signal = BrokenPipe()
        defer { signal.unblock() }
        var flight = TransferQueue<Job>(self)
        while true {
            var isFinished = false
            asking: while flight.hasRoom {
                switch try next() {
                case .request(let request, let job): flight.add(request, job)
                case .wait: break asking
                case .finished:
                    isFinished = true
                    break asking
                }
            }
            flight.perform()
            var hasEnded = false
            while let (job, result) = flight.nextEnd() {
                hasEnded = true
                try done(job, result)
            }
            // An end makes room, and may have brought work.
            if hasEnded { continue }
            if isFinished, flight.isEmpty { return }
            flight.wait()
        }
    }

    func count(_ bytes: Int) {
        total.add(bytes, ordering: .relaxed)
    }

    /// Fetches all of them; the results are in the order of the requests.
    public func fetch(_ requests: [Request]) -> [Result<Body, Failure>] {
        var results = [Result<Body, Failure>?](repeating: nil, count: requests.count)
        var started = 0
        run {
            guard started < requests.count else { return Next<Int>.finished }
            defer { started += 1 }
            return .request(requests[started], started)
        } done: { index, result in
            results[index] = result
        }
        return results.compactMap(\.self)
    }

    public func fetch(_ request: Request) throws(Failure) -> Body {
        try fetch([request])[0].get()
    }
}
