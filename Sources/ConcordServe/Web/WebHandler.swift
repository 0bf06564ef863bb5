import FlyingFox
import FlyingSocks
import Foundation

/// Between the server's requests and answers and ours. Bodies are read to their end or not at all, and a connection with
/// the rest of a body in it is closed: or what stands there would be read as another request.
struct WebHandler: HTTPHandler {
    private let answer: @Sendable (WebRequest) -> WebAnswer
    private let workers = Workers()

    init(_ answer: @escaping @Sendable (WebRequest) -> WebAnswer) { self.answer = answer }

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        let body: [UInt8]?
        do {
            body = try await Self.read(request.bodySequence)
        } catch {
            return Self.response(.unreadable, isLast: true)
        }
        guard let body else { return Self.response(.tooLarge, isLast: true) }
        let asked = WebRequest(
            request.method.rawValue, request.target.rawValue, host: request.headers[.host],
            origin: request.headers[HTTPHeader("Origin")],
            authorization: request.headers[.authorization], body: body)
        return Self.response(await workers.run { [answer] in answer(asked) } ?? .busy)
    }

    /// All of a body; nil where it is too large.
    private static func read(_ sequence: HTTPBodySequence) async throws -> [UInt8]? {
        guard sequence.count ?? 0 <= WebRequest.maxBody else { return nil }
        var body: [UInt8] = []
        for try await part in sequence {
            body += part
            guard body.count <= WebRequest.maxBody else { return nil }
        }
        return body
    }

    /// - Parameter isLast: whether the connection is closed behind it.
    private static func response(_ answer: WebAnswer, isLast: Bool = false) -> HTTPResponse {
        var headers = HTTPHeaders(
            Dictionary(uniqueKeysWithValues: answer.headers.map { (HTTPHeader($0), $1) }))
        let status = HTTPStatusCode(answer.status, phrase: phrase(answer.status))
        guard isLast else {
            return HTTPResponse(statusCode: status, headers: headers, body: Data(answer.body))
        }
        headers[.connection] = "close"
        return HTTPResponse(
            statusCode: status, headers: headers,
            body: HTTPBodySequence(from: LastBody(bytes: answer.body), count: answer.body.count))
    }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Payload Too Large"
        case 414: "URI Too Long"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        default: "Service Unavailable"
        }
    }
}

/// The body of the last answer of a connection: after its bytes comes an error, upon which the server closes it.
private struct LastBody: AsyncBufferedSequence {
    let bytes: [UInt8]

    func makeAsyncIterator() -> Iterator { Iterator(rest: bytes) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        var rest: [UInt8]

        mutating func next() async throws -> UInt8? { try await nextBuffer(suggested: 1)?.first }

        mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
            guard !rest.isEmpty else { throw SocketError.disconnected }
            let part = Array(rest.prefix(count))
            rest.removeFirst(part.count)
            return part
        }
    }
}
