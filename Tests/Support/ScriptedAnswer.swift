/// What a host answers to one request, in the terms of HTTP, and how well it does it.
///
/// `ScriptedTransport` plays it in made-up time, `ScriptedServer` over a socket.
public struct ScriptedAnswer: Sendable {
    /// Whether there is an answer at all.
    public enum Manner: Sendable {
        case answers
        /// Nobody listens. A server that is asked does listen, so over a socket the connection is reset.
        case refuses
        /// No packet comes back, so no connection ever stands. Over a socket like `hangs`.
        case vanishes
        /// The connection stands, and nothing comes.
        case hangs
        /// The connection is closed before anything has come.
        case hangsUp
    }

    /// What the headers say of the body's length.
    public enum Length: Equatable, Sendable {
        /// That of the body.
        case whole
        /// Nothing: the end of the connection is that of the body.
        case none
        /// Where it is more than there is, the connection ends early; where it is less, the rest is not
        /// looked at.
        case bytes(Int)
    }

    public var manner = Manner.answers
    public var status = 200
    /// Beside `Content-Length`, which is written as `length` says.
    public var headers: [String: String] = [:]
    public var body: [UInt8] = []
    public var length = Length.whole
    /// The time before the headers.
    public var delay: Duration = .zero
    /// Bytes a second; as fast as the line if nil.
    public var rate: Int?
    /// After so many bytes of the body nothing more comes.
    public var stallsAfter: Int?
    /// After so many bytes of the body the connection is reset.
    public var breaksAfter: Int?

    public init(_ status: Int = 200, _ body: [UInt8] = [], headers: [String: String] = [:]) {
        (self.status, self.body, self.headers) = (status, body, headers)
    }

    public init(_ manner: Manner) { self.manner = manner }

    /// The file, or the range of it, as a good server answers.
    public init(file: [UInt8], range: ScriptedRequest.Span?) {
        guard let range else {
            self.init(200, file)
            return
        }
        let end = min(range.last.map { $0 + 1 } ?? file.count, file.count)
        guard range.first < end else {
            self.init(416, headers: ["Content-Range": "bytes */\(file.count)"])
            return
        }
        self.init(
            206, Array(file[range.first..<end]),
            headers: ["Content-Range": "bytes \(range.first)-\(end - 1)/\(file.count)"])
    }

    public static let notFound = ScriptedAnswer(404, Array("not found\n".utf8))

    /// A header's value, whatever the case of its name.
    public func header(_ name: String) -> String? {
        headers.first { $0.key.lowercased() == name.lowercased() }?.value
    }

    /// What `Content-Length` says.
    var announced: Int? {
        switch length {
        case .whole: body.count
        case .none: nil
        case .bytes(let count): count
        }
    }

    /// The bytes of the body that a client looks at.
    var seen: Int { min(body.count, announced ?? .max) }
}

/// What a site is asked.
public struct ScriptedRequest: Sendable {
    /// `Range: bytes=first-last`.
    public struct Span: Equatable, Sendable {
        public let first: Int
        /// nil for all that is behind `first`.
        public let last: Int?

        public init(first: Int, last: Int? = nil) { (self.first, self.last) = (first, last) }

        /// - Parameter header: what `Range` says.
        init?(header: String) {
            guard header.hasPrefix("bytes=") else { return nil }
            let numbers = header.dropFirst("bytes=".count).split(
                separator: "-", omittingEmptySubsequences: false)
            guard numbers.count == 2, let first = Int(numbers[0]) else { return nil }
            self.init(first: first, last: Int(numbers[1]))
        }
    }

    /// Below the site's URL, without a slash in front, and decoded.
    public let path: String
    public let range: Span?
    /// How often the path has been asked for since the site is served, this time included.
    public let count: Int
    /// Since the transport began, or the server to serve this site.
    public let time: Duration
}
