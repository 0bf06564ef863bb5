import Concord

/// One file wanted from one URL.
public struct Request: Equatable, Sendable {
    public enum Destination: Equatable, Sendable {
        case memory
        /// The path of a part file. It must not exist, unless the transfer goes on behind what is there; it is there
        /// afterwards if, and only if, the transfer succeeded or the request keeps parts. It is closed then but not synced:
        /// that is for whoever gives it its name.
        case file(String)
    }

    /// http, https or file. Spaces and bytes above 127 are percent-encoded on the way; `?`, `#` and `%` mean what
    /// they mean in a URL.
    public var url: String
    /// The most body bytes accepted. They are counted as they arrive, whatever length the host announces.
    public var limit: Int
    public var destination: Destination
    /// The bytes of the file that are wanted, all of it if nil. A host that answers with anything but exactly
    /// these fails with `.wrongRange`.
    public var range: Range<Int>?
    /// Bytes that the part file holds from an earlier transfer of this URL, which this one goes on behind. A host that sends
    /// the whole file all the same begins it anew; one that says there are no more bytes than these sends none.
    public var resumed = 0
    /// Whether a part file stays when the transfer is cut short, so that another one can go on with it.
    public var keepsPart = false
    /// The most time from the start of the transfer to its end; no limit if nil.
    public var deadline: Duration?
    /// What is sent along with POST; the request is GET if nil.
    public var post: Post?
    /// Who asks (`Authorization: Basic`). It goes to the host of the URL and to nobody else.
    public var login: Login?
    /// Whether the body is the answer whatever the status; redirects are then answers like any other.
    public var takesEveryStatus = false

    /// Bytes that are sent, and their `Content-Type`.
    public struct Post: Equatable, Sendable {
        public var bytes: [UInt8]
        public var type: String

        public init(_ bytes: [UInt8], type: String) {
            self.bytes = bytes
            self.type = type
        }
    }

    /// A name and a password. Printing it does not show the password.
    public struct Login: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
        public var user: String
        var password: String

        public init(user: String, password: String) {
            self.user = user
            self.password = password
        }

        public var description: String { user.printable }
        public var customMirror: Mirror { Mirror(self, children: ["user": user]) }
    }

    /// Redirects are for files: nothing that is sent goes on to where an answer points.
    var followsRedirects: Bool { post == nil && login == nil && !takesEveryStatus }

    public init(
        _ url: String, limit: Int, to destination: Destination = .memory, range: Range<Int>? = nil,
        deadline: Duration? = nil
    ) {
        self.url = url
        self.limit = limit
        self.destination = destination
        self.range = range
        self.deadline = deadline
    }
}

/// What a request brought.
public struct Body: Equatable, Sendable {
    /// The bytes, if they were wanted in memory; empty if they are in a file.
    public var bytes: [UInt8]
    /// How many bytes were received, wherever they are now.
    public var count: Int
    /// The status of HTTP; 200 for a file, and 416 where the part file had all of it already. Another one that is not success
    /// only where every status is taken.
    public var status = 200
    /// Whether it came over a connection that carries several requests at a time (HTTP/2).
    public var isMultiplexed = false

    public init(bytes: [UInt8], count: Int, status: Int = 200, isMultiplexed: Bool = false) {
        self.bytes = bytes
        self.count = count
        self.status = status
        self.isMultiplexed = isMultiplexed
    }
}

/// Why a request brought nothing: the host's fault, the network's, or this machine's.
public struct Failure: Error, Equatable, Sendable {
    public enum Kind: Error, Equatable, Sendable {
        /// Not a URL that can be fetched, in libcurl's words.
        case badURL(String)
        /// 404 or 410; for `file:`, no such file, or no regular one.
        case notFound
        /// Any other status that is not success.
        case refused(status: Int)
        /// 429 or 503: the host asks for fewer requests, and may say when to come again.
        case busy(status: Int, retryAfter: Duration?)
        /// The answer is not the range that was asked for.
        case wrongRange
        /// More bytes than the request's limit.
        case tooLarge(limit: Int)
        /// No connection in time, or not done by the deadline, in libcurl's words.
        case timedOut(String)
        /// No connection: the host refuses it, or there is no such host, in libcurl's words.
        case unreachable(String)
        /// It sent too little for too long: the seconds that were waited.
        case slow(seconds: Int)
        /// It was not waited for any longer: others had the file, or the time for all of it was over.
        case givenUp
        /// The host cannot show by its certificate that it is who it should be, in libcurl's words.
        case untrusted(String)
        /// The connection broke, or what came is no HTTP, in libcurl's words.
        case network(String)
        /// This machine's fault: another host would not help.
        case local(String)
    }

    /// The URL that was asked for, without a password it may hold, and safe to print.
    public var url: String
    public var kind: Kind
    /// Body bytes received before it failed.
    public var received: Int

    public init(url: String, kind: Kind, received: Int = 0) {
        self.url = url
        self.kind = kind
        self.received = received
    }

    /// Whether this machine is to blame (disk full, a part file in the way), not the host or the network.
    public var isLocal: Bool {
        if case .local = kind { true } else { false }
    }
}

extension Failure: CustomStringConvertible {
    public var description: String {
        switch kind {
        case .badURL(let words): "\(url) is no URL that can be fetched: \(words)"
        case .notFound: "\(url) does not exist"
        case .refused(let status): "\(url) was answered with status \(status)"
        case .busy(let status, _): "\(url) was answered with status \(status): the host wants fewer requests"
        case .wrongRange: "\(url) was not answered with the range of bytes that was asked for"
        case .tooLarge(let limit): "\(url) is larger than the \(limit) bytes it may have"
        case .timedOut(let words): "\(url) timed out: \(words)"
        case .slow(let seconds): "\(url) timed out: next to nothing came for \(seconds) seconds"
        case .givenUp: "\(url) was not waited for any longer"
        case .untrusted(let words), .network(let words), .unreachable(let words):
            "\(url) could not be fetched: \(words)"
        case .local(let words): "\(url) failed on this machine: \(words)"
        }
    }
}
