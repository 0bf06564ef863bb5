import Synchronization
import TestSupport
import Testing

@testable import ConcordTransfers

@Suite("What is sent along with a request", .waits)
struct PostTests {
    private static let body = #"{"method":"getblockcount"}"#

    private static func request(_ server: HostileServer) -> Request {
        var request = Request(server.base + "/", limit: 1000, deadline: .seconds(10))
        request.post = .init(Array(body.utf8), type: "application/json")
        request.login = .init(user: "bob", password: "se:cret")
        return request
    }

    /// A server that answers every request for as long as the connection lasts, and keeps what it was sent.
    private final class Recorder: Sendable {
        let heads = Mutex<[String]>([])
        let bodies = Mutex<[String]>([])

        func server(_ answer: String) throws -> HostileServer {
            try HostileServer { [self] socket in
                while let head = socket.receiveRequest() {
                    heads.withLock { $0.append(head) }
                    if head.hasPrefix("POST"), let body = socket.receiveBody(PostTests.body.utf8.count) {
                        bodies.withLock { $0.append(body) }
                    }
                    socket.send(answer)
                }
            }
        }
    }

    @Test("Body, type, name and password, and nothing that waits for the host's consent")
    func sent() throws {
        let recorder = Recorder()
        let server = try recorder.server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        defer { server.stop() }
        let body = try CurlTransport().fetch(Self.request(server))
        #expect(body == Body(bytes: Array("ok".utf8), count: 2, status: 200))
        #expect(recorder.bodies.withLock { $0 } == [Self.body])
        let head = try #require(recorder.heads.withLock { $0.first })
        #expect(head.hasPrefix("POST / HTTP/1.1\r\n"))
        #expect(head.contains("Content-Type: application/json\r\n"))
        // bob:se:cret
        #expect(head.contains("Authorization: Basic Ym9iOnNlOmNyZXQ=\r\n"))
        #expect(!head.contains("Expect"))
    }

    @Test("A body of any status is the answer only where that is asked for", arguments: [404, 500, 302])
    func statuses(status: Int) throws {
        let recorder = Recorder()
        let server = try recorder.server(
            "HTTP/1.1 \(status) X\r\nLocation: /other\r\nContent-Length: 3\r\n\r\nbad")
        defer { server.stop() }
        var request = Self.request(server)
        let result = CurlTransport().fetch([request])[0]
        #expect(
            CurlTransportTests.kind(result) == (status == 404 ? .notFound : .refused(status: status)))
        request.takesEveryStatus = true
        #expect(
            try CurlTransport().fetch(request) == Body(bytes: Array("bad".utf8), count: 3, status: status))
        // No redirect was followed with the password.
        #expect(recorder.heads.withLock { $0 }.count == 2)
        request.limit = 2
        #expect(CurlTransportTests.kind(CurlTransport().fetch([request])[0]) == .tooLarge(limit: 2))
    }

    @Test("No message shows the password")
    func secret() throws {
        let server = try HostileServer { _ in }
        defer { server.stop() }
        let request = Self.request(server)
        let result = CurlTransport().fetch([request])[0]
        guard case .failure(let failure) = result else { throw Unexpected(result) }
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(failure)", "\(request)", "\(request.login.debugDescription)", dumped] {
            #expect(!text.contains("cret"), "\(text)")
        }
    }
}
