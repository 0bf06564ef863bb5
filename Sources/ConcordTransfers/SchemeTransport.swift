/// Several transports as one: each request goes to that of its URL's scheme.
public final class SchemeTransport: Transport, @unchecked Sendable {
    private let web: any Transport
    private let files = FileTransport()
    /// Requests under way that are of files; all others are the web's.
    private var ofFiles: Set<Int> = []

    /// - Parameter web: for http and https.
    public init(web: any Transport = CurlTransport()) {
        self.web = web
    }

    public var now: Duration { web.now }

    public func start(_ request: Request, as id: Int) {
        guard request.url.hasPrefix("file:") else { return web.start(request, as: id) }
        ofFiles.insert(id)
        files.start(request, as: id)
    }

    public func cancel(_ id: Int) {
        if ofFiles.remove(id) != nil { files.cancel(id) } else { web.cancel(id) }
    }

    public func received(_ id: Int) -> Int { ofFiles.contains(id) ? files.received(id) : web.received(id) }

    public func wake() { web.wake() }

    public func wait(until time: Duration?) -> [TransferEnd] {
        // What is on the disk has ended already.
        let ends = files.wait(until: nil)
        for end in ends { ofFiles.remove(end.id) }
        return ends + web.wait(until: ends.isEmpty ? time : now)
    }
}
