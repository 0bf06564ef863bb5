import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ConcordTransfers

/// Against servers that do not behave.
@Suite(.waits) struct HostileServerTests {
    /// No patience but that of a test that says how much.
    static func fetch(
        _ server: HostileServer, _ path: String = "/", limit: Int = 100_000,
        to destination: Request.Destination = .memory,
        range: Range<Int>? = nil, stall: Duration? = nil
    ) -> Result<Body, Failure> {
        var settings = CurlTransport.Settings()
        if let stall { settings.stall = stall }
        return CurlTransport(settings).fetch([
            Request(server.base + path, limit: limit, to: destination, range: range)
        ])[0]
    }

    static func partPath() -> String {
        FileManager.default.temporaryDirectory.appending(path: "concord-part-\(UUID().uuidString)").path
    }

    static let page = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    @Test func endlessChunkedBody() throws {
        let server = try HostileServer { socket in
            _ = socket.receiveRequest()
            socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n"
            while socket.send(chunk) {}
        }
        defer { server.stop() }
        let part = Self.partPath()
        for destination in [Request.Destination.memory, .file(part)] {
            let result = Self.fetch(server, to: destination)
            guard case .failure(let failure) = result, failure.kind == .tooLarge(limit: 100_000) else {
                throw Unexpected(result)
            }
            #expect(failure.received <= 100_000)
            #expect(!FileManager.default.fileExists(atPath: part))
        }
    }

    @Test func endlessErrorPage() throws {
        let server = try HostileServer { socket in
            _ = socket.receiveRequest()
            socket.send("HTTP/1.1 404 Not Found\r\n\r\n")
            while socket.send(String(repeating: "x", count: 4096)) {}
        }
        defer { server.stop() }
        let transport = CurlTransport()
        #expect(throws: Failure(url: server.base, kind: .notFound)) {
            try transport.fetch(Request(server.base, limit: 100_000))
        }
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n", ""])
    func endlessHeaders(start: String) throws {
        let server = try HostileServer { socket in
            _ = socket.receiveRequest()
            socket.send(start)
            let interim =
                start.isEmpty
                ? "HTTP/1.1 100 Continue\r\n\r\n" : "X-Y: \(String(repeating: "x", count: 999))\r\n"
            while socket.send(interim) {}
        }
        defer { server.stop() }
        let result = Self.fetch(server)
        guard case .network = CurlTransportTests.kind(result) else { throw Unexpected(result) }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nContent-Len", "",
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
    ])
    func brokenAnswers(answer: String) throws {
        let server = try HostileServer(answer)
        defer { server.stop() }
        let part = Self.partPath()
        let result = Self.fetch(server, to: .file(part))
        guard case .network = CurlTransportTests.kind(result) else { throw Unexpected(result) }
        #expect(!FileManager.default.fileExists(atPath: part))
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    ])
    func stalls(start: String) throws {
        let server = try HostileServer { socket in
            _ = socket.receiveRequest()
            socket.send(start)
            socket.waitForEnd()
        }
        defer { server.stop() }
        let begin = ContinuousClock.now
        let result = Self.fetch(server, to: .file(Self.partPath()), stall: .seconds(1))
        guard case .timedOut = CurlTransportTests.kind(result) else { throw Unexpected(result) }
        #expect(ContinuousClock.now - begin < .seconds(20))
    }

    /// Ten bytes a second, of the headers or of the body.
    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
    func trickle(start: String) throws {
        let server = try HostileServer { socket in
            _ = socket.receiveRequest()
            socket.send(start)
            if start.isEmpty { socket.send("HTTP/1.1 200 OK\r\nX: ") }
            while socket.send("x") { usleep(100_000) }
        }
        defer { server.stop() }
        let begin = ContinuousClock.now
        let result = Self.fetch(server, to: .file(Self.partPath()), stall: .seconds(1))
        guard case .timedOut = CurlTransportTests.kind(result) else { throw Unexpected(result) }
        #expect(ContinuousClock.now - begin < .seconds(20))
    }

    /// Fast enough never to be slow, but never done.
    @Test func deadline() throws {
        let server = try HostileServer { socket in
            _ = socket.receiveRequest()
            socket.send("HTTP/1.1 200 OK\r\n\r\n")
            while socket.send(String(repeating: "x", count: 1000)) { usleep(50_000) }
        }
        defer { server.stop() }
        let request = Request(server.base, limit: 1_000_000_000, deadline: .seconds(3))
        let result = CurlTransport().fetch([request])[0]
        guard case .failure(let failure) = result, case .timedOut = failure.kind else {
            throw Unexpected(result)
        }
        #expect(failure.received > 1000)
    }

    @Test func redirectLoop() throws {
        let server = try HostileServer("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        let result = Self.fetch(server)
        guard case .network(let words) = CurlTransportTests.kind(result) else { throw Unexpected(result) }
        #expect(words.contains("redirects"))
        #expect(server.connections == 4)
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/", "http://[",
        "x\u{1b}[31m://y/",
    ])
    func redirectsElsewhere(location: String) throws {
        let server = try HostileServer(
            "HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        let result = Self.fetch(server)
        guard case .failure(let failure) = result, case .network = failure.kind else {
            throw Unexpected(result)
        }
        #expect(failure.received == 0)
        #expect(!failure.description.unicodeScalars.contains { $0.value < 32 })
    }

    @Test func redirectIsFollowed() throws {
        let good = try HostileServer(Self.page)
        defer { good.stop() }
        let server = try HostileServer(
            "HTTP/1.1 301 Moved\r\nLocation: \(good.base)/\r\nContent-Length: 7\r\n\r\nignored")
        defer { server.stop() }
        #expect(try Self.fetch(server).get().bytes == Array("hello".utf8))
    }

    /// From this machine's address on its network to its loopback.
    @Test func redirectInwards() throws {
        guard let outside = Self.outsideAddress() else { return }
        let inner = try HostileServer(Self.page)
        defer { inner.stop() }
        let server = try HostileServer(everywhere: true) { socket in
            _ = socket.receiveRequest()
            socket.send("HTTP/1.1 302 Found\r\nLocation: \(inner.base)/\r\nContent-Length: 0\r\n\r\n")
            socket.finish()
        }
        defer { server.stop() }
        // Inwards from outside: no. From inside to inside: yes.
        let result = CurlTransport().fetch([
            Request(server.base.replacing("127.0.0.1", with: outside), limit: 10),
            Request(server.base, limit: 10),
        ])
        guard case .network(let words) = CurlTransportTests.kind(result[0]), words.contains("127.0.0.1")
        else {
            throw Unexpected(result[0])
        }
        #expect(try result[1].get().count == 5)
    }

    /// Where packets to the internet would come from.
    private static func outsideAddress() -> String? {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return nil }
        defer { freeifaddrs(list) }
        for entry in sequence(first: list, next: { $0?.pointee.ifa_next }) {
            guard let address = entry?.pointee.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET)
            else { continue }
            let four = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr }
            let bytes = withUnsafeBytes(of: four) { [UInt8]($0) }
            if bytes[0] != 127 { return bytes.map(String.init).joined(separator: ".") }
        }
        return nil
    }

    @Test(arguments: [201, 204, 206, 300, 304, 401, 403, 418, 500, 502, 999])
    func statuses(status: Int) throws {
        let server = try HostileServer("HTTP/1.1 \(status) Whatever\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        #expect(CurlTransportTests.kind(Self.fetch(server)) == .refused(status: status))
    }

    @Test(
        arguments: [
            ("", nil), ("Retry-After: 7\r\n", .seconds(7)), ("retry-after:  90 \r\n", .seconds(90)),
            ("Retry-After: 0\r\n", nil), ("Retry-After: -5\r\n", nil), ("Retry-After: soon\r\n", nil),
            ("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", nil),
            ("Retry-After: 99999999999999\r\n", .seconds(1_000_000)),
        ] as [(String, Duration?)], [429, 503])
    func busy(header: (line: String, pause: Duration?), status: Int) throws {
        let server = try HostileServer("HTTP/1.1 \(status) Later\r\n\(header.line)Content-Length: 0\r\n\r\n")
        defer { server.stop() }
        let kind = CurlTransportTests.kind(Self.fetch(server))
        #expect(kind == .busy(status: status, retryAfter: header.pause))
    }

    @Test func retryAfterMayBeADate() throws {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = format.string(from: Date(timeIntervalSinceNow: 600))
        let server = try HostileServer(
            "HTTP/1.1 429 Later\r\nRetry-After: \(date)\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        guard case .busy(_, let pause?) = CurlTransportTests.kind(Self.fetch(server)) else {
            throw TestError("no date was understood")
        }
        #expect((500...600).contains(pause / .seconds(1)))
    }

    @Test(arguments: [
        "HTTP/1.1 206 P\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 1-5/10\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 6\r\n\r\nhello!",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 4\r\n\r\nhell",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 0-49/100\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 206 P\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n",
    ])
    func wrongRanges(answer: String) throws {
        let server = try HostileServer(answer)
        defer { server.stop() }
        #expect(CurlTransportTests.kind(Self.fetch(server, range: 0..<5)) == .wrongRange)
    }

    @Test func connectionRefused() throws {
        let closed = try ReservedPort()
        let url = "http://127.0.0.1:\(closed.number)/"
        let result = withExtendedLifetime(closed) { CurlTransport().fetch([Request(url, limit: 1)])[0] }
        guard case .failure(let failure) = result, case .unreachable = failure.kind else {
            throw Unexpected(result)
        }
        #expect(failure.description.contains(url))
        #expect(!failure.isLocal)
    }

    @Test func requestsSayLittle() throws {
        let heard = Mutex("")
        let server = try HostileServer { socket in
            heard.withLock { $0 = socket.receiveRequest() ?? "" }
            socket.send(Self.page)
            socket.finish()
        }
        defer { server.stop() }
        _ = try Self.fetch(server, "/a").get()
        let host = server.base.dropFirst("http://".count)
        #expect(
            heard.withLock(\.self)
                == "GET /a HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: concord/0.1.0\r\nAccept: */*\r\n\r\n")
    }

    @Test func compressedBytesArriveAsTheyAre() throws {
        let server = try HostileServer(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")
        defer { server.stop() }
        #expect(try Self.fetch(server).get().bytes == Array("hello".utf8))
    }
}
