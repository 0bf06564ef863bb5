import Foundation
import TestSupport
import Testing

@testable import ConcordServe

/// Over a real socket, by curl.
@Suite(.waits) struct LoopbackServerTests {
    /// Says what it was asked.
    private static func echo(_ request: WebRequest) -> WebAnswer {
        .text(
            request.target == "/501" ? 501 : 200,
            "\(request.method) \(request.target) \(request.host ?? "-") \(request.origin ?? "-") "
                + "\(request.authorization ?? "-") \(request.body.count)")
    }

    private static func with(
        patience: Duration = .seconds(30), _ answer: @escaping @Sendable (WebRequest) -> WebAnswer = echo,
        _ body: (_ base: String, _ port: UInt16) throws -> Void
    ) async throws {
        let server = LoopbackServer(patience: patience, answer: answer)
        let port = try await server.start(port: 0)
        let ended = Result { try body("http://127.0.0.1:\(port)", port) }
        await server.stop()
        try ended.get()
    }

    private static func curl(_ words: String..., input: [UInt8] = []) throws -> String {
        let outcome = try Program.installed("curl").run(["-sS", "--max-time", "20"] + words, input: input)
        return outcome.output + outcome.errors
    }

    @Test func questionsAndAnswers() async throws {
        try await Self.with { (base, port) throws in
            #expect(try Self.curl("\(base)/a/%2e%2e?b=c") == "GET /a/%2e%2e?b=c 127.0.0.1:\(port) - - 0")
            #expect(
                try Self.curl("-u", "a:b", "-H", "Origin: x", "--data-binary", "@-", base, input: [1, 2, 3])
                    == "POST / 127.0.0.1:\(port) x Basic YTpi 3")
            #expect(try Self.curl("-w", " %{http_code}", "\(base)/501").hasSuffix(" - - 0 501"))
            let head = try Self.curl("-i", base)
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.contains("Content-Type: text/plain\r\n"))
            #expect(head.contains("X-Content-Type-Options: nosniff\r\n") && !head.contains("Access-Control"))
            // One connection for both.
            #expect(
                try Self.curl("-w", "%{num_connects};", "-o", "/dev/null", base, "-o", "/dev/null", base)
                    == "1;0;")
        }
    }

    /// Whether its length is said before or not; and what follows on the connection is not taken for a request.
    @Test func bodiesThatAreTooLarge() async throws {
        try await Self.with { (base, _) throws in
            let most = [UInt8](repeating: 0x20, count: 1 << 20)
            for words in [[], ["-H", "Transfer-Encoding: chunked"]] {
                let options = ["-w", " %{http_code}", "-H", "Expect:", "--data-binary", "@-", base]
                let run = { (body: [UInt8]) throws in
                    try Program.installed("curl").run(
                        ["-sS", "--max-time", "20"] + words + options, input: body
                    )
                    .output
                }
                #expect(try run(most).hasSuffix(" 1048576 200"))
                #expect(try run(most + [0x20]).hasSuffix("bytes 413"))
            }
        }
    }

    @Test func theRestOfARefusedBodyIsNoRequest() async throws {
        try await Self.with { (_, port) throws in
            let next = "GET /inner HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            for head in [
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            ] {
                let said = try Self.exchange(port, head + next)
                #expect(!said.contains("/inner"), "\(said)")
            }
            #expect(try Self.exchange(port, next).contains("GET /inner"))
        }
    }

    /// Sends, and reads until the server closes, or five seconds are over.
    private static func exchange(_ port: UInt16, _ text: String) throws -> String {
        try Program.installed("curl").run(
            ["-sS", "--max-time", "5", "telnet://127.0.0.1:\(port)"], input: Array(text.utf8)
        ).output
    }

    /// Neither before a request nor in it.
    @Test func whoSendsNothingIsLeft() async throws {
        try await Self.with(patience: .seconds(2)) { (base, port) throws in
            for text in ["", "GET /", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123"] {
                let start = ContinuousClock.now
                _ = try Program.installed("curl").run(
                    ["-sS", "--max-time", "15", "-T", "-", "telnet://127.0.0.1:\(port)"],
                    input: Array(text.utf8))
                #expect(ContinuousClock.now - start < .seconds(10))
            }
            #expect(try Self.curl(base).hasPrefix("GET /"))
        }
    }

    /// A long answer is waited for, and holds up nobody else.
    @Test func answersThatTakeTime() async throws {
        try await Self.with(patience: .seconds(2)) { request in
            if request.target == "/slow" { usleep(6_000_000) }
            return Self.echo(request)
        } _: { (base, _) throws in
            let slow = try Program.installed("curl").start(["-sS", "\(base)/slow"])
            #expect(try Self.curl("\(base)/fast").hasPrefix("GET /fast"))
            #expect(slow.isRunning())
            #expect(try slow.wait().output.hasPrefix("GET /slow"))
        }
    }

    @Test func thePort() async throws {
        try await Self.with { (base, port) throws in
            #expect(try Program.installed("curl").run(["-sS", "http://[::1]:\(port)"]).status == 7)
        }
        let (first, second) = (LoopbackServer(answer: Self.echo), LoopbackServer(answer: Self.echo))
        let reserved = try ReservedPort()
        let port = try await first.start(port: reserved.number)
        await #expect(throws: (any Error).self) { try await second.start(port: port) }
        await first.stop()
    }
}
