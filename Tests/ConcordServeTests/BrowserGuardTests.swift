import Testing

@testable import ConcordServe

/// A page on the web may make a browser ask anything of this machine, under any name.
@Suite struct BrowserGuardTests {
    private func status(host: String?, origin: String? = nil) -> Int? {
        BrowserGuard.refusal(of: WebRequest("GET", "/", host: host, origin: origin))?.status
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.1:3000", "localhost:1", "LOCALHOST", "[::1]", "[::1]:3000"])
    func loopbackIsAnswered(host: String) {
        #expect(status(host: host) == nil)
        #expect(status(host: host, origin: "http://\(host)") == nil)
    }

    @Test(
        arguments: [
            nil, "", "example.com", "example.com:3000", "127.0.0.1.example.com", "localhost.example.com:80",
            "127.0.0.2", "0.0.0.0", "[::]", "[::1", "::1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:80:80",
            "localhost@example.com", "[::1]x", "x[::1]", "localhost, example.com", "10.0.0.1", "localhost.",
        ])
    func otherNamesAreNot(host: String?) { #expect(status(host: host) == 403) }

    @Test(
        arguments: [
            "http://example.com", "null", "", "https://127.0.0.1:3000", "http://127.0.0.1",
            "http://localhost:3000", "http://127.0.0.1:3001", "http://127.0.0.1:3000/", "file://",
        ])
    func otherOriginsAreNot(origin: String) {
        #expect(status(host: "127.0.0.1:3000", origin: origin) == 403)
    }

    /// Before anything else, and whatever is asked.
    @Test func everyRequestIsHeldToIt() throws {
        let scenario = try ServedScenario()
        let service = try scenario.service()
        for (method, path) in [("GET", "/blocks/tip/height"), ("POST", "/"), ("OPTIONS", "/"), ("GET", "/x")]
        {
            for (host, origin) in [
                ("example.com", nil), ("127.0.0.1:3000", "http://example.com"),
            ] as [(String, String?)] {
                var request = WebRequest(method, path, host: host, origin: origin)
                request.authorization = try scenario.login
                request.body = Array(#"{"method":"getblockcount"}"#.utf8)
                let answer = service.answer(request)
                #expect(answer.status == 403 && !answer.text.contains("65"))
                #expect(!answer.headers.keys.contains { $0.hasPrefix("Access-Control") })
            }
        }
    }

    @Test func longPathsAndBodies() throws {
        let scenario = try ServedScenario()
        let service = try scenario.service()
        #expect(service.get("/" + String(repeating: "a", count: 2048)).status == 414)
        #expect(service.get("/" + String(repeating: "a", count: 2047)).status == 404)
        #expect(service.post(String(repeating: " ", count: (1 << 20) + 1), nil).status == 413)
        #expect(service.post(String(repeating: " ", count: 1 << 20), nil).status == 401)
    }
}
