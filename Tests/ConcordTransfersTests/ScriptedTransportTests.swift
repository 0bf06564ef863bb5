import ConcordTransfers
import Foundation
import TestSupport
import Testing

/// What tests of patience stand on: scripts come to the same in made-up time as over a socket, and the time
/// is right.
@Suite struct ScriptedTransportTests {
    private static let file = CurlTransportTests.bytes(1000, seed: 9)
    private static let good = ScriptedSite(files: ["file": file, "a b": [1, 2], "empty": []])

    /// A site, and what is asked of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let site: ScriptedSite
        var path = "file"
        var limit = 1000
        var range: Range<Int>?
        /// What the part file holds, and the request goes on behind.
        var part: [UInt8] = []
        var takesEveryStatus = false
        var deadline: Duration?
    }

    private static let other = ScriptedAnswer(206, [7, 7], headers: ["Content-Range": "bytes 0-1/1000"])

    static let cases: [Case] = [
        Case(testDescription: "whole", site: good),
        Case(testDescription: "space", site: good, path: "a b"),
        Case(testDescription: "empty", site: good, path: "empty"),
        Case(testDescription: "missing", site: good, path: "missing"),
        Case(testDescription: "too large", site: good, limit: 999),
        Case(
            testDescription: "announced too large",
            site: .init(files: ["file": [UInt8](repeating: 1, count: 70_000)])),
        Case(testDescription: "range", site: good, range: 10..<20),
        Case(testDescription: "range, limit", site: good, limit: 9, range: 10..<20),
        Case(testDescription: "range past the end", site: good, range: 990..<1001),
        Case(testDescription: "range behind the end", site: good, range: 1000..<1001),
        Case(testDescription: "no ranges", site: good.withoutRanges, range: 10..<20),
        Case(testDescription: "another range", site: good.replacing("file") { _ in other }, range: 10..<12),
        Case(testDescription: "range, a byte more", site: longer, range: 10..<20),
        Case(testDescription: "part", site: good, part: Array(file[..<400])),
        Case(testDescription: "part, no ranges", site: good.withoutRanges, part: Array(file[..<400])),
        Case(testDescription: "part, whole", site: good, part: file),
        Case(testDescription: "part, whole, too large", site: good, limit: 999, part: file),
        Case(
            testDescription: "part, whole, with a page", site: good.bent { $1.body = [1, 2, 3] }, part: file),
        Case(
            testDescription: "part, empty by now", site: .init(files: ["file": []]).withoutRanges,
            part: [1, 2]),
        Case(testDescription: "part, 416", site: .init { _ in ScriptedAnswer(416) }, part: [1, 2]),
        Case(testDescription: "part, too much", site: good, limit: 2000, part: file + [1]),
        Case(testDescription: "part, of a larger file", site: good, limit: 999, part: Array(file[..<400])),
        Case(
            testDescription: "part, another range", site: good.replacing("file") { _ in other }, part: [1, 2]),
        Case(testDescription: "part, cut", site: good.breaking(after: 100), part: Array(file[..<400])),
        Case(testDescription: "part, missing", site: .missing, part: [1]),
        Case(testDescription: "part, busy", site: good.limited(rate: 0, burst: -1), part: [1]),
        Case(testDescription: "part, broken host", site: .init { _ in ScriptedAnswer(500) }, part: [1]),
        Case(testDescription: "part, hung up", site: .init { _ in ScriptedAnswer(.hangsUp) }, part: [1]),
        Case(
            testDescription: "part, no ranges, cut", site: good.withoutRanges.breaking(after: 100),
            part: Array(file[..<400])),
        Case(testDescription: "cut", site: good.breaking(after: 100)),
        Case(testDescription: "cut behind the end", site: good.breaking(after: 1000)),
        Case(
            testDescription: "cut, length unknown", site: good.bent { $1.length = .none }.breaking(after: 100)
        ),
        Case(testDescription: "length unknown", site: good.bent { $1.length = .none }),
        Case(testDescription: "announced more", site: good.bent { $1.length = .bytes(1001) }, limit: 2000),
        Case(testDescription: "announced less", site: good.bent { $1.length = .bytes(10) }),
        Case(testDescription: "stalls", site: good.stalling(after: 100), deadline: .seconds(1)),
        Case(testDescription: "hangs", site: .hanging, deadline: .seconds(1)),
        Case(testDescription: "vanished", site: .vanished, deadline: .seconds(1)),
        Case(testDescription: "hangs up", site: .init { _ in ScriptedAnswer(.hangsUp) }),
        Case(testDescription: "forbidden", site: .forbidden),
        Case(testDescription: "forbidden, taken", site: .forbidden, takesEveryStatus: true),
        Case(
            testDescription: "large error",
            site: .init { _ in ScriptedAnswer(500, .init(repeating: 1, count: 90_000)) }),
        Case(testDescription: "soft 404", site: good.soft404, path: "missing"),
        Case(testDescription: "busy", site: good.limited(rate: 0, burst: -1, status: 503, retryAfter: 8)),
        Case(testDescription: "redirect", site: redirect("/tree/a%20b")),
        Case(testDescription: "redirects for ever", site: redirect("/tree/file")),
        Case(testDescription: "redirect to ftp", site: redirect("ftp://127.0.0.1/")),
    ]

    private static let longer = good.bent { _, answer in
        answer.body.append(1)
        answer.headers["Content-Range"] = "bytes 10-19/1000"
    }

    private static func redirect(_ location: String) -> ScriptedSite {
        good.replacing("file") { _ in ScriptedAnswer(302, headers: ["Location": location]) }
    }

    /// What came of a request, but for words and the port.
    struct Outcome: Equatable {
        var kind: String
        var body: Body?
        var received = 0
        var file: [UInt8]?
    }

    private static func outcome(
        of test: Case, to destination: Request.Destination, by transport: any Transport, at base: String
    ) throws -> Outcome {
        var request = Request(
            "\(base)/\(test.path)", limit: test.limit, to: destination, range: test.range,
            deadline: test.deadline)
        request.takesEveryStatus = test.takesEveryStatus
        var part: URL?
        if case .file(let path) = destination {
            part = URL(filePath: path)
            if !test.part.isEmpty, let part { try Data(test.part).write(to: part) }
            (request.resumed, request.keepsPart) = (test.part.count, true)
        }
        let result = transport.fetch([request])[0]
        var outcome = Outcome(kind: "")
        switch result {
        case .success(let body): outcome.body = body
        case .failure(let failure):
            switch failure.kind {
            case .network, .timedOut, .unreachable:
                // The words are libcurl's.
                outcome.kind = String("\(failure.kind)".prefix { $0 != "(" })
                outcome.received = failure.received
            default:
                // How much came before what is too much is chance.
                outcome.kind = "\(failure.kind)"
            }
        }
        if let part {
            outcome.file = try? [UInt8](Data(contentsOf: part))
            try? FileManager.default.removeItem(at: part)
        }
        return outcome
    }

    @Test(arguments: cases) func sameAsOverASocket(test: Case) throws {
        let server = try ScriptedServer(test.site.below("tree"))
        defer { server.stop() }
        let scratch = try Scratch()
        var destinations = [Request.Destination.file(scratch.path("part"))]
        if test.part.isEmpty { destinations.append(.memory) }
        for destination in destinations {
            let scripted = ScriptedTransport()
            scripted.add(test.site, at: "http://a.example/tree")
            let expected = try Self.outcome(
                of: test, to: destination, by: scripted, at: "http://a.example/tree")
            let real = try Self.outcome(
                of: test, to: destination, by: CurlTransport(), at: server.base + "/tree")
            #expect(expected == real)
        }
    }

    /// When requests for these files end, in the order of their numbers.
    private func ends(
        _ paths: [String], bandwidth: Int? = nil, _ add: (ScriptedTransport) -> Void
    ) -> [Duration] {
        let transport = ScriptedTransport(bandwidth: bandwidth)
        add(transport)
        for (id, path) in paths.enumerated() {
            transport.start(Request("http://\(path)", limit: 1000), as: id)
        }
        var times = [Duration](repeating: .zero, count: paths.count)
        var left = paths.count
        while left > 0 {
            for end in transport.wait(until: nil) {
                times[end.id] = transport.now
                left -= 1
            }
        }
        return times
    }

    private func expect(_ times: [Duration], are seconds: [Double]) {
        #expect(times.count == seconds.count)
        for (time, second) in zip(times, seconds) { #expect(abs(time / .seconds(1) - second) < 0.000_1) }
    }

    @Test func lineIsShared() {
        // Two at 500 bytes a second; one at 100, so that the others have 450 until they are done; one behind
        // its host's line.
        let paths = ["a/file", "b/file"]
        expect(
            ends(paths, bandwidth: 1000) {
                for host in ["a", "b"] { $0.add(Self.good, at: "http://\(host)", latency: .zero) }
            }, are: [2, 2])
        let times = ends(["a/file", "b/file", "c/file"], bandwidth: 1000) {
            for host in ["a", "b"] { $0.add(Self.good, at: "http://\(host)", latency: .zero) }
            $0.add(Self.good.rate(100), at: "http://c", latency: .zero)
        }
        expect(times, are: [1000.0 / 450, 1000.0 / 450, 10])
        let behind = ends(["a/file", "a/file", "b/file"], bandwidth: 1000) {
            $0.add(Self.good, at: "http://a", latency: .zero, bandwidth: 200)
            $0.add(Self.good, at: "http://b", latency: .zero)
        }
        expect(behind, are: [10, 10, 1.25])
    }

    @Test func roundTripsTakeTime() {
        let transport = ScriptedTransport()
        transport.add(Self.good.delayed(.seconds(1)), at: "http://a", latency: .milliseconds(100))
        _ = transport.fetch([Request("http://a/file", limit: 1000)])
        // One for the connection, one for the request.
        #expect(transport.now == .milliseconds(1200))
        _ = transport.fetch([Request("http://a/file", limit: 1000)])
        #expect(transport.now == .milliseconds(2300))
        #expect(transport.connections == 1 && transport.requests.map(\.time) == [.zero, .milliseconds(1200)])
        #expect(transport.wait(until: .seconds(60)).isEmpty && transport.now == .seconds(60))
    }

    @Test func bucketsFillWithTime() {
        let bucket = TokenBucket(rate: 10, burst: 20)
        func passed(_ count: Int, at time: Duration) -> Int {
            (0..<count).count { _ in bucket.takes(at: time) }
        }
        #expect(passed(30, at: .zero) == 21)
        #expect(passed(30, at: .milliseconds(500)) == 5)
        #expect(passed(30, at: .seconds(60)) == 21)
    }
}
