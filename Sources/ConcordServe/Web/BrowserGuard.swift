/// Keeps web pages out. A browser on this machine asks loopback for any page that tells it to: so nothing is answered under
/// a name that is not this machine's own (a page's own name may be made to lead here), or for a page of another origin.
enum BrowserGuard {
    /// The refusal of a request; nil where it may be answered.
    static func refusal(of request: WebRequest) -> WebAnswer? {
        guard let host = request.host, isLoopback(host) else {
            return .text(
                403, "refused: this is for programs on the same machine, under 127.0.0.1, localhost or [::1]")
        }
        if let origin = request.origin, origin.lowercased() != "http://\(host.lowercased())" {
            return .text(403, "refused: this is not for web pages of other origins")
        }
        return nil
    }

    /// Whether a Host header names this machine's loopback, at any port: a tunnel may have led here.
    private static func isLoopback(_ host: String) -> Bool {
        let name: Substring
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            name = host[...end]
        } else {
            name = host.prefix { $0 != ":" }
        }
        let port = host[name.endIndex...]
        guard
            port.isEmpty
                || port.first == ":" && port.count > 1 && port.dropFirst().utf8.allSatisfy(isDigit)
        else { return false }
        return ["127.0.0.1", "localhost", "[::1]"].contains(name.lowercased())
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
