import CCurl
import Concord

/// One request on its way: libcurl's easy handle, and what its callbacks work on. A class, because the callbacks
/// are given its address.
final class Transfer {
    /// Bytes of an error page that are read and dropped, so that the connection can be used again.
    private static let maxDropped = 65536
    /// Bytes of headers accepted, those of redirects and trailers included. libcurl keeps them all, and before 8.3
    /// without a limit (CVE-2023-38039).
    private static let maxHeaders = 256 * 1024
    private static let maxRedirects = 3

    let request: Request
    let address: WebAddress
    let easy: UnsafeMutableRawPointer
    let id: Int
    private let settings: CurlTransport.Settings
    /// Body bytes received and passed on.
    private(set) var received = 0

    private var bytes: [UInt8] = []
    private var file: PartFile?
    private var dropped = 0
    private var headers = 0
    /// Whether the empty line behind the latest headers has come.
    private var headersAreWhole = false
    /// Where the host is that was asked last: redirects lead to others there, or to the internet.
    private var scope: AddressScope?
    /// Why a callback stopped the transfer; it comes before what libcurl makes of that.
    private var verdict: Failure.Kind?
    /// Header lines of the request; libcurl reads them where they are.
    private var headerLines: UnsafeMutablePointer<curl_slist>?
    /// Where libcurl writes its error message.
    private let message: UnsafeMutablePointer<CChar>

    init(
        _ request: Request, as id: Int, at address: WebAddress, _ settings: CurlTransport.Settings
    ) throws(Failure.Kind) {
        guard let easy = curl_easy_init() else { throw .local("out of memory") }
        self.request = request
        self.address = address
        self.id = id
        self.settings = settings
        self.easy = easy
        message = .allocate(capacity: Int(CURL_ERROR_SIZE))
        message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    /// The handle must have left the multi handle by now.
    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerLines)
        message.deallocate()
    }

    /// Makes all ready for `curl_multi_add_handle`.
    func prepare() throws(Failure.Kind) {
        if let range = request.range, range.isEmpty || range.lowerBound < 0 { throw .wrongRange }
        if case .file(let path) = request.destination {
            file =
                request.resumed > 0
                ? try PartFile(goingOnWith: path, at: request.resumed) : try PartFile(creating: path)
        }
        let code = setOptions()
        guard code == CURLE_OK else { throw .local("libcurl: \(String(cString: curl_easy_strerror(code)))") }
    }

    private func setOptions() -> CURLcode {
        var result = CURLE_OK
        func note(_ code: CURLcode) {
            if result == CURLE_OK { result = code }
        }
        func set(_ option: CURLoption, _ value: Int) { note(concord_curl_set_long(easy, option, value)) }
        func set(_ option: CURLoption, _ value: String) { note(concord_curl_set_string(easy, option, value)) }

        note(concord_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, message))
        set(CURLOPT_URL, address.url)
        set(CURLOPT_USERAGENT, settings.userAgent)
        set(CURLOPT_NOSIGNAL, 1)
        // A name server that does not answer must not hold up the loop when its transfer is given up.
        set(CURLOPT_QUICK_EXIT, 1)

        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, request.followsRedirects ? 1 : 0)
        set(CURLOPT_MAXREDIRS, Self.maxRedirects)
        // What began encrypted stays so.
        set(CURLOPT_REDIR_PROTOCOLS_STR, address.scheme == .https ? "https" : "http,https")

        set(CURLOPT_CONNECTTIMEOUT_MS, settings.connect.milliseconds)
        if let stall = settings.stall {
            set(CURLOPT_LOW_SPEED_LIMIT, settings.minSpeed)
            set(CURLOPT_LOW_SPEED_TIME, max(1, (stall.milliseconds + 999) / 1000))
        }
        if let deadline = request.deadline { set(CURLOPT_TIMEOUT_MS, max(1, deadline.milliseconds)) }

        // Announced lengths only, and of error pages too: those must not look like files that are too large.
        let largest = request.takesEveryStatus ? request.limit : max(request.limit, Self.maxDropped)
        note(concord_curl_set_offset(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(largest)))
        if let range = request.range {
            set(CURLOPT_RANGE, "\(range.lowerBound)-\(range.upperBound - 1)")
        } else if request.resumed > 0 {
            set(CURLOPT_RANGE, "\(request.resumed)-")
        }
        // Not CURLOPT_PIPEWAIT: libcurl 7.88 lets transfers over HTTP/1.1 wait until another one has ended.
        if let path = settings.certificates { set(CURLOPT_CAINFO, path) }
        if let proxy = settings.proxy {
            set(CURLOPT_PROXY, proxy.url)
            // Whatever the environment leaves out.
            set(CURLOPT_NOPROXY, "")
            if let circuit = proxy.circuit {
                set(CURLOPT_PROXYUSERNAME, circuit)
                set(CURLOPT_PROXYPASSWORD, circuit)
            }
        } else if !settings.usesProxies {
            set(CURLOPT_NOPROXY, "*")
        }

        if let login = request.login {
            note(concord_curl_use_basic(easy))
            set(CURLOPT_USERNAME, login.user)
            set(CURLOPT_PASSWORD, login.password)
        }
        if let post = request.post {
            note(concord_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(post.bytes.count)))
            note(post.bytes.withUnsafeBytes { concord_curl_copy_post(easy, $0.baseAddress) })
            // No «Expect: 100-continue»: that is a round trip more for every large body.
            for line in ["Content-Type: \(post.type)", "Expect:"] {
                headerLines = curl_slist_append(headerLines, line)
            }
            note(concord_curl_set_headers(easy, headerLines))
        }

        let context = Unmanaged.passUnretained(self).toOpaque()
        note(
            concord_curl_set_write(
                easy,
                { bytes, size, count, context in
                    guard let transfer = Transfer.at(context) else { return 0 }
                    let bytes = UnsafeRawBufferPointer(start: bytes, count: size * count)
                    return transfer.take(bytes) ? bytes.count : 0
                }, context))
        note(
            concord_curl_set_header(
                easy,
                { line, size, count, context in
                    guard let transfer = Transfer.at(context) else { return 0 }
                    let line = UnsafeRawBufferPointer(start: line, count: size * count)
                    return transfer.takeHeader(line) ? line.count : 0
                }, context))
        note(
            concord_curl_set_prereq(
                easy,
                { context, remote, _, _, _ in
                    guard let transfer = Transfer.at(context),
                        transfer.mayAsk(remote.map { String(cString: $0) })
                    else { return CURL_PREREQFUNC_ABORT }
                    return CURL_PREREQFUNC_OK
                }, context))
        return result
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

// What libcurl calls. Each stops the transfer by its answer.
extension Transfer {
    /// Bytes of a body: kept if they are the answer, dropped if they are an error page.
    private func take(_ piece: UnsafeRawBufferPointer) -> Bool {
        if refusal != nil || isNothingLeft {
            dropped += piece.count
            return dropped <= Self.maxDropped
        }
        guard piece.count <= request.limit - before - received else {
            return stop(.tooLarge(limit: request.limit))
        }
        if let range = request.range {
            guard piece.count <= range.count - received else { return stop(.wrongRange) }
        }
        do throws(Failure.Kind) {
            switch request.destination {
            case .memory: bytes.append(contentsOf: piece)
            case .file:
                if request.resumed > 0, received == 0, before == 0 { try file?.clear() }
                try file?.write(piece)
            }
        } catch {
            return stop(error)
        }
        received += piece.count
        return true
    }

    /// A line of headers, from `HTTP/` to the empty one, or of trailers.
    private func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        headers += line.count
        guard headers <= Self.maxHeaders else {
            return stop(.network("more than \(Self.maxHeaders) bytes of headers"))
        }
        if line.starts(with: "HTTP/".utf8) { headersAreWhole = false }
        if line.elementsEqual("\r\n".utf8) || line.elementsEqual("\n".utf8) { headersAreWhole = true }
        return true
    }

    /// Asked before each request, those after redirects too, when its connection stands. Behind a proxy every
    /// address is the proxy's, and the proxy has to mind where it goes.
    private func mayAsk(_ remote: String?) -> Bool {
        let next = remote.flatMap(AddressScope.init(address:)) ?? .machine
        guard scope?.mayLead(to: next) ?? true else {
            return stop(
                .network(
                    "a redirect to \((remote ?? "this machine").printable), inside this network"))
        }
        // What has gone out does not come back in.
        scope = next
        return true
    }

    private func stop(_ kind: Failure.Kind) -> Bool {
        verdict = verdict ?? kind
        return false
    }
}

// The end.
extension Transfer {
    private var status: Int {
        var status = 0
        return concord_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status : 0
    }

    /// Bytes of the file that the part file has from before, and that do not come again.
    private var before: Int { request.resumed > 0 && status == 206 ? request.resumed : 0 }

    /// Why the answer, going by its status and headers, is not the one that was asked for.
    private var refusal: Failure.Kind? {
        if request.takesEveryStatus { return nil }
        switch (status, request.range) {
        case (200, nil): return nil
        case (206, nil) where request.resumed > 0: return goesOn ? nil : .wrongRange
        case (416, nil) where request.resumed > 0: return isNothingLeft ? nil : .wrongRange
        case (206, let range?): return contentRangeIs(range) ? nil : .wrongRange
        case (200, _?), (416, _?): return .wrongRange
        case (404, _), (410, _): return .notFound
        case (429, _), (503, _): return .busy(status: status, retryAfter: retryAfter)
        case (let status, _): return .refused(status: status)
        }
    }

    /// `Content-Range: bytes 0-99/1000` or `bytes 0-99/*`; what the length is of no interest.
    private func contentRangeIs(_ range: Range<Int>) -> Bool {
        contentRange?.hasPrefix("bytes \(range.lowerBound)-\(range.upperBound - 1)/") ?? false
    }

    /// Whether `Content-Range: bytes 50-99/100` begins where the part file ends, and leads to the end of a file that is not
    /// larger than it may be.
    private var goesOn: Bool {
        let start = "bytes \(request.resumed)-"
        guard let range = contentRange, range.hasPrefix(start) else { return false }
        let numbers = range.dropFirst(start.count).split(separator: "/", omittingEmptySubsequences: false)
        guard numbers.count == 2, let last = Int(numbers[0]), let all = Int(numbers[1]) else { return false }
        return all > 0 && all <= request.limit && last == all - 1
    }

    /// Whether the host says that the part file is as large as the file.
    private var isNothingLeft: Bool {
        status == 416 && request.range == nil && request.resumed > 0 && !request.takesEveryStatus
            && request.resumed <= request.limit && contentRange == "bytes */\(request.resumed)"
    }

    private var contentRange: String? {
        var header: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(easy, "Content-Range", 0, UInt32(CURLH_HEADER), -1, &header) == CURLHE_OK,
            let value = header?.pointee.value
        else { return nil }
        return String(cString: value).lowercased()
    }

    /// What `Retry-After` says, as seconds or as a date; nil where it says nothing.
    private var retryAfter: Duration? {
        var seconds: curl_off_t = 0
        guard concord_curl_get_offset(easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK, seconds > 0 else {
            return nil
        }
        return .seconds(min(seconds, 1_000_000))
    }

    private var isMultiplexed: Bool {
        var version = 0
        return concord_curl_get_long(easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK
            && version >= Int(CURL_HTTP_VERSION_2_0)
    }

    /// What came of it, once libcurl says that it is over. A part file is kept, or gone when this returns.
    func finish(_ code: CURLcode) -> Result<Body, Failure> {
        do throws(Failure.Kind) {
            try check(code)
            // A file that is empty by now came without a piece.
            if request.resumed > 0, status == 200, received == 0 { try file?.clear() }
            try file.take()?.keep()
            return .success(
                Body(bytes: bytes, count: received, status: status, isMultiplexed: isMultiplexed))
        } catch {
            return .failure(fail(error))
        }
    }

    /// The failure of this transfer; its part file goes, unless it is kept and another transfer can go on with it.
    func fail(_ kind: Failure.Kind) -> Failure {
        // One without a byte is of no use to anybody.
        if request.keepsPart, kind.leavesPart, request.resumed + received > 0 { try? file.take()?.keep() }
        file = nil
        bytes = []
        return Failure(url: WebAddress.shown(request.url), kind: kind, received: received)
    }

    private func check(_ code: CURLcode) throws(Failure.Kind) {
        if let verdict { throw verdict }
        // When a redirect leads nowhere, the status is still the redirect's, and libcurl knows more.
        if code == CURLE_OK || !(status == 0 || 300...399 ~= status), let refusal { throw refusal }
        switch code {
        case CURLE_OK:
            // To libcurl, headers that break off are a file without a byte.
            if !headersAreWhole { throw .network("the headers break off") }
            if let range = request.range, received != range.count { throw .wrongRange }
        case CURLE_URL_MALFORMAT where status == 0: throw .badURL(words(code))
        case CURLE_FILESIZE_EXCEEDED: throw .tooLarge(limit: request.limit)
        case CURLE_OPERATION_TIMEDOUT: throw .timedOut(words(code))
        // When this process can open no more files, libcurl blames what it was to open.
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            if let exhausted = PartFile.whyNoneCanBeOpened { throw exhausted }
            throw .unreachable(words(code))
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR: throw .untrusted(words(code))
        case CURLE_RANGE_ERROR, CURLE_BAD_DOWNLOAD_RESUME: throw .wrongRange
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT, CURLE_SSL_CACERT_BADFILE: throw .local(words(code))
        default: throw .network(words(code))
        }
    }

    private func words(_ code: CURLcode) -> String {
        message[0] == 0
            ? String(cString: curl_easy_strerror(code)) : String(cString: message).printable
    }
}

extension Duration {
    /// Rounded down; what is longer than libcurl can count is some months.
    fileprivate var milliseconds: Int { Int(min(self, .seconds(10_000_000)) / .milliseconds(1)) }
}

extension Failure.Kind {
    /// Whether what came so far, now or in earlier transfers, may be the beginning of the file.
    var leavesPart: Bool {
        switch self {
        case .timedOut, .slow, .givenUp, .network: true
        // They say nothing of the file.
        case .busy, .unreachable, .untrusted, .refused(status: 408), .refused(status: 500...): true
        default: false
        }
    }
}
