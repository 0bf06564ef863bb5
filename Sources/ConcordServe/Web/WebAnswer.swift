/// An HTTP answer.
public struct WebAnswer: Sendable, Equatable {
    public let status: Int
    /// By name.
    public let headers: [String: String]
    public let body: [UInt8]

    init(_ status: Int, _ headers: [String: String] = [:], body: [UInt8] = []) {
        // No browser shall take an answer for something else, or let a page of another origin have it.
        let always = [
            "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        ]
        (self.status, self.body) = (status, body)
        self.headers = always.merging(headers) { $1 }
    }

    /// Words, as Esplora gives them: for numbers and hashes, and for what is refused.
    static func text(_ status: Int, _ text: String) -> WebAnswer {
        WebAnswer(status, ["Content-Type": "text/plain"], body: Array(text.utf8))
    }

    static func json(_ status: Int, _ value: JSONValue, end: String = "") -> WebAnswer {
        WebAnswer(
            status, ["Content-Type": "application/json"], body: Array((value.text + end).utf8))
    }

    /// For a request that cannot be read.
    static let unreadable = text(400, "the request cannot be read")
    /// For a body over `WebRequest.maxBody`.
    static let tooLarge = text(413, "the body has more than \(WebRequest.maxBody) bytes")
    /// For one request too many at a time, in Bitcoin Core's words.
    static let busy = text(503, "Work queue depth exceeded")
}
