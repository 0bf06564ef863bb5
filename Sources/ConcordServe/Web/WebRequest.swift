/// An HTTP request, as far as answers depend on it.
public struct WebRequest: Sendable {
    /// In upper case.
    public var method: String
    /// Path and query, as they were sent.
    public var target: String
    /// The headers of these names; nil where there is none.
    public var host, origin, authorization: String?
    public var body: [UInt8]

    public init(
        _ method: String, _ target: String, host: String? = nil, origin: String? = nil,
        authorization: String? = nil, body: [UInt8] = []
    ) {
        (self.method, self.target, self.host, self.origin) = (method, target, host, origin)
        (self.authorization, self.body) = (authorization, body)
    }

    /// The target without its query.
    var path: Substring { target.prefix { $0 != "?" } }

    /// A body of more bytes is not read. Bitcoin Core takes 32 MiB; what is asked here is short.
    public static let maxBody = 1 << 20
    /// A longer target is not looked at.
    static let maxTarget = 2048
}
