import CCurl
import Concord

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A URL as libcurl understands it, so that what is checked is what is fetched.
public struct WebAddress: Sendable {
    enum Scheme: String {
        case http, https, file
    }

    let scheme: Scheme
    /// The URL in libcurl's form: dot segments resolved, spaces and bytes above 127 percent-encoded, letters beyond ASCII in
    /// the host's name as DNS has them (IDNA).
    public let url: String
    /// Scheme, host and port: what counts as one host. Of a file the whole URL.
    public let host: String
    /// Where the file of a `file:` URL is.
    let filePath: String?
    /// Whether it is fetched over http or https.
    public var isWeb: Bool { scheme != .file }
    /// Whether it holds a user's name or password.
    public let hasLogin: Bool

    /// - Parameter port: the port of http if the URL names none, in place of 80.
    public init(_ text: String, port: Int? = nil) throws(Failure.Kind) {
        // C would stop reading at a NUL, and fetch something else than what is written.
        guard !text.utf8.contains(0) else { throw .badURL("it has a NUL in it") }
        guard let parts = curl_url() else { throw .local("out of memory") }
        defer { curl_url_cleanup(parts) }
        let code = curl_url_set(parts, CURLUPART_URL, text, UInt32(CURLU_URLENCODE))
        guard code == CURLUE_OK else { throw .badURL(String(cString: curl_url_strerror(code))) }
        guard let scheme = Self.part(CURLUPART_SCHEME, of: parts).flatMap(Scheme.init(rawValue:)) else {
            throw .badURL("its scheme is not http, https or file")
        }
        if let port, scheme == .http, Self.part(CURLUPART_PORT, of: parts) == nil {
            curl_url_set(parts, CURLUPART_PORT, "\(port)", 0)
        }
        hasLogin =
            Self.part(CURLUPART_USER, of: parts) != nil || Self.part(CURLUPART_PASSWORD, of: parts) != nil
        if scheme != .file { try Self.encodeHost(of: parts) }
        guard let url = Self.part(CURLUPART_URL, of: parts) else { throw .local("out of memory") }
        self.scheme = scheme
        self.url = url
        if scheme == .file {
            // Trees on a disk have nothing to do with each other.
            host = url
            filePath = Self.part(CURLUPART_PATH, of: parts, flags: UInt32(CURLU_URLDECODE))
            if filePath == nil { throw .badURL("its path cannot be decoded") }
        } else {
            filePath = nil
            let name = Self.part(CURLUPART_HOST, of: parts)?.lowercased() ?? ""
            let port = Self.part(CURLUPART_PORT, of: parts, flags: UInt32(CURLU_DEFAULT_PORT)) ?? ""
            host = "\(scheme)://\(name):\(port)"
        }
    }

    /// Writes a name with letters beyond ASCII as DNS has it: a program's own locale must not decide about that.
    private static func encodeHost(of parts: OpaquePointer) throws(Failure.Kind) {
        guard let name = part(CURLUPART_HOST, of: parts), !name.utf8.allSatisfy({ $0 < 0x80 }) else { return }
        // libcurl reads the name in the encoding of the thread's locale, which is ASCII unless somebody has set it.
        let utf8 = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
        let before = uselocale(utf8)
        defer {
            uselocale(before)
            freelocale(utf8)
        }
        guard let encoded = part(CURLUPART_HOST, of: parts, flags: UInt32(CURLU_PUNYCODE)),
            encoded.utf8.allSatisfy({ $0 < 0x80 }),
            curl_url_set(parts, CURLUPART_HOST, encoded, 0) == CURLUE_OK
        else { throw .badURL("its host is no name that DNS can have") }
    }

    private static func part(_ part: CURLUPart, of parts: OpaquePointer, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parts, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }

    /// `url` as it may be shown to people: without a password, and without what moves a terminal's cursor.
    public static func shown(_ url: String) -> String {
        guard url.contains("@"), let parts = curl_url() else { return url.printable }
        defer { curl_url_cleanup(parts) }
        guard !url.utf8.contains(0),
            curl_url_set(parts, CURLUPART_URL, url, UInt32(CURLU_URLENCODE)) == CURLUE_OK,
            part(CURLUPART_PASSWORD, of: parts) != nil,
            curl_url_set(parts, CURLUPART_PASSWORD, nil, 0) == CURLUE_OK,
            let rest = part(CURLUPART_URL, of: parts)
        else { return url.printable }
        return rest.printable
    }
}
