import CCurl

/// The transfers of one run: those that wait for a turn at their host, and those under way.
struct TransferQueue<Job>: ~Copyable {
    /// Requests taken before there is room for them, so that one slow host does not keep the others idle.
    private static var maxWaiting: Int { 128 }

    private let owner: Transfers
    private var waiting: [(request: Request, job: Job, address: WebAddress)] = []
    private var active: [UnsafeMutableRawPointer: (transfer: Transfer, job: Job)] = [:]
    private var activeByHost: [String: Int] = [:]
    /// Those that ended without libcurl.
    private var failed: [(job: Job, failure: Failure)] = []

    init(_ owner: Transfers) {
        self.owner = owner
    }

    /// When a run is given up, so is what is still under way.
    deinit {
        for easy in active.keys { curl_multi_remove_handle(owner.multi, easy) }
    }

    /// Whether another request would start now, or could if it is for another host.
    var hasRoom: Bool {
        active.count < owner.settings.concurrency && waiting.count < Self.maxWaiting && failed.isEmpty
    }

    var isEmpty: Bool { active.isEmpty && waiting.isEmpty && failed.isEmpty }

    mutating func add(_ request: Request, _ job: Job) {
        do throws(Failure.Kind) {
            waiting.append((request, job, try WebAddress(request.url)))
            start()
        } catch {
            failed.append((job, Failure(url: WebAddress.shown(request.url), kind: error)))
        }
    }

    /// Starts those that there is room for.
    private mutating func start() {
        var index = 0
        while index < waiting.count, active.count < owner.settings.concurrency {
            let host = waiting[index].address.host
            guard activeByHost[host, default: 0] < owner.settings.concurrencyPerHost else {
                index += 1
                continue
            }
            let (request, job, address) = waiting.remove(at: index)
            do throws(Failure.Kind) {
                let transfer = try Transfer(request, at: address, for: owner)
                try transfer.prepare()
                let code = curl_multi_add_handle(owner.multi, transfer.easy)
                guard code == CURLM_OK else { throw Self.kind(code) }
                active[transfer.easy] = (transfer, job)
                activeByHost[host, default: 0] += 1
            } catch {
                failed.append((job, Failure(url: WebAddress.shown(request.url), kind: error)))
            }
        }
    }

    /// Moves all transfers on as far as they go without waiting.
    mutating func perform() {
        start()
        var running: CInt = 0
        check(curl_multi_perform(owner.multi, &running))
    }

    /// Waits until something happens, somebody calls `wake`, or a second has passed.
    mutating func wait() {
        check(curl_multi_poll(owner.multi, nil, 0, 1000, nil))
    }

    /// One that ended, and what came of it.
    mutating func nextEnd() -> (job: Job, result: Result<Body, Failure>)? {
        if let (job, failure) = failed.popLast() { return (job, .failure(failure)) }
        var left: CInt = 0
        while let message = curl_multi_info_read(owner.multi, &left) {
            // The message is libcurl's, and gone once its handle is removed.
            let (kind, handle, code) = (
                message.pointee.msg, message.pointee.easy_handle, message.pointee.data.result
            )
            guard kind == CURLMSG_DONE, let handle, let (transfer, job) = remove(handle) else { continue }
            return (job, transfer.finish(code))
        }
        return nil
    }

    private mutating func remove(_ easy: UnsafeMutableRawPointer) -> (transfer: Transfer, job: Job)? {
        guard let entry = active.removeValue(forKey: easy) else { return nil }
        activeByHost[entry.transfer.address.host, default: 1] -= 1
        curl_multi_remove_handle(owner.multi, easy)
        return entry
    }

    /// If libcurl cannot go on (out of memory, say), none of these would end by itself.
    private mutating func check(_ code: CURLMcode) {
        guard code != CURLM_OK else { return }
        for easy in Array(active.keys) {
            guard let (transfer, job) = remove(easy) else { continue }
            failed.append((job, transfer.fail(Self.kind(code))))
        }
    }

    private static func kind(_ code: CURLMcode) -> Failure.Kind {
        .local("libcurl: \(String(cString: curl_multi_strerror(code)))")
    }
}
