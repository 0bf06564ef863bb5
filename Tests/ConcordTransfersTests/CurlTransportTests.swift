import Concord
import Foundation
import TestSupport
import Testing

@testable import ConcordTransfers

/// Against nginx, which behaves.
@Suite(.waits) struct CurlTransportTests {
    /// A web server for as long as `body` runs.
    static func withServer<R>(
        directives: String = "", encrypted: Bool = false, _ body: (WebServer) throws -> R
    ) throws -> R {
        let server = try WebServer(directives: directives, encrypted: encrypted)
        defer { server.stop() }
        return try body(server)
    }

    static func bytes(_ count: Int, seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 31) ^ ($0 >> 8) ^ (seed &* 131)) }
    }

    static func write(_ bytes: [UInt8], _ name: String, in server: WebServer) throws {
        try Data(bytes).write(to: server.folder.appending(path: name))
    }

    static func kind(_ result: Result<Body, Failure>) -> Failure.Kind? {
        if case .failure(let failure) = result { failure.kind } else { nil }
    }

    @Test func manyFilesAtOnceKeepTheirOrder() throws {
        try Self.withServer { server in
            let files = (0..<200).map { Self.bytes(10_000, seed: $0) }
            for (number, bytes) in files.enumerated() { try Self.write(bytes, "\(number)", in: server) }
            let results = CurlTransport().fetch(
                files.indices.map { Request("\(server.base)/\($0)", limit: 10_000) }, atOnce: 5)
            #expect(try results.map { try $0.get().bytes } == files)
            let connections = Set(server.requests.map { $0.split(separator: " ")[4] })
            #expect(connections.count <= 5)
        }
    }

    @Test func failuresDoNotDisturbTheOthers() throws {
        let closed = try ReservedPort()
        defer { withExtendedLifetime(closed) {} }
        try Self.withServer(directives: "location /broken { return 500; } location /gone { return 410; }") {
            server in
            let bytes = Self.bytes(1000, seed: 1)
            try Self.write(bytes, "good", in: server)
            try Self.write(bytes + [0], "large", in: server)
            var requests: [Request] = []
            for _ in 0..<20 {
                requests.append(Request("\(server.base)/good", limit: 1000))
                requests.append(Request("\(server.base)/missing", limit: 1000))
                requests.append(Request("\(server.base)/gone", limit: 1000))
                requests.append(Request("\(server.base)/large", limit: 1000))
                requests.append(Request("\(server.base)/broken", limit: 1000))
                requests.append(Request("http://127.0.0.1:\(closed.number)/", limit: 1000))
                requests.append(Request("nonsense", limit: 1000))
            }
            let results = CurlTransport().fetch(requests)
            for start in stride(from: 0, to: results.count, by: 7) {
                #expect(try results[start].get() == Body(bytes: bytes, count: 1000))
                #expect(Self.kind(results[start + 1]) == .notFound)
                #expect(Self.kind(results[start + 2]) == .notFound)
                #expect(Self.kind(results[start + 3]) == .tooLarge(limit: 1000))
                #expect(Self.kind(results[start + 4]) == .refused(status: 500))
                guard case .unreachable = Self.kind(results[start + 5]) else {
                    throw Unexpected(results[start + 5])
                }
                guard case .badURL = Self.kind(results[start + 6]) else {
                    throw Unexpected(results[start + 6])
                }
            }
        }
    }

    @Test func missingFilesDoNotCostConnections() throws {
        try Self.withServer { server in
            let requests = (0..<50).map { Request("\(server.base)/missing\($0)", limit: 10) }
            let results = CurlTransport().fetch(requests, atOnce: 1)
            #expect(results.allSatisfy { Self.kind($0) == .notFound })
            #expect(Set(server.requests.map { $0.split(separator: " ")[4] }).count == 1)
        }
    }

    @Test func limitIsExact() throws {
        try Self.withServer { server in
            try Self.write(Self.bytes(100_000, seed: 2), "file", in: server)
            try Self.write([], "empty", in: server)
            let transport = CurlTransport()
            #expect(try transport.fetch(Request("\(server.base)/file", limit: 100_000)).count == 100_000)
            #expect(try transport.fetch(Request("\(server.base)/empty", limit: 0)).count == 0)
            #expect(throws: Failure(url: "\(server.base)/file", kind: .tooLarge(limit: 99_999))) {
                try transport.fetch(Request("\(server.base)/file", limit: 99_999))
            }
        }
    }

    @Test func filesAreWrittenToPartFiles() throws {
        try Self.withServer { server in
            let bytes = Self.bytes(300_000, seed: 3)
            try Self.write(bytes, "file", in: server)
            let part = server.home.appending(path: "part").path
            let request = Request("\(server.base)/file", limit: 1_000_000, to: .file(part))
            #expect(try CurlTransport().fetch(request) == Body(bytes: [], count: 300_000))
            #expect(try [UInt8](Data(contentsOf: URL(filePath: part))) == bytes)

            // Again: the part file is in the way, stays as it is, and nothing is asked of the host.
            let asked = server.requests.count
            let again = CurlTransport().fetch([request])[0]
            guard case .failure(let failure) = again, failure.isLocal else { throw Unexpected(again) }
            #expect(try [UInt8](Data(contentsOf: URL(filePath: part))) == bytes)
            #expect(server.requests.count == asked)

            // So is a symlink, whether it leads somewhere or not.
            for (name, target) in [
                ("link", part), ("dangling", server.home.appending(path: "elsewhere").path),
            ] {
                let link = server.home.appending(path: name).path
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
                let result = CurlTransport().fetch([
                    Request("\(server.base)/file", limit: 1_000_000, to: .file(link))
                ])[0]
                guard case .failure(let failure) = result, failure.isLocal else { throw Unexpected(result) }
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
            }
            #expect(!FileManager.default.fileExists(atPath: server.home.appending(path: "elsewhere").path))
        }
    }

    @Test func failedPartFilesGo() throws {
        try Self.withServer { server in
            try Self.write(Self.bytes(300_000, seed: 4), "file", in: server)
            for (name, limit) in [("file", 200_000), ("missing", 200_000)] {
                let part = server.home.appending(path: "part").path
                let result = CurlTransport().fetch([
                    Request("\(server.base)/\(name)", limit: limit, to: .file(part))
                ])[0]
                #expect(Self.kind(result) == (name == "file" ? .tooLarge(limit: limit) : .notFound))
                #expect(!FileManager.default.fileExists(atPath: part))
            }
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func fullDiskIsOurFault() throws {
        // /dev/full says ENOSPC to every write. The path is another, because it is removed in the end.
        let path = HostileServerTests.partPath()
        let full = PartFile(open("/dev/full", O_WRONLY | O_CLOEXEC), at: path)
        do throws(Failure.Kind) {
            try [1, 2, 3].withBytes { bytes throws(Failure.Kind) in try full.write(bytes) }
            Issue.record("a full disk went unnoticed")
        } catch {
            #expect(error == .local("write \(path): No space left on device"))
        }
    }

    @Test func spacesAreEncoded() throws {
        try Self.withServer { server in
            try Self.write([1, 2, 3], "a b ü%", in: server)
            #expect(
                try CurlTransport().fetch(Request("\(server.base)/a b ü%25", limit: 3)).bytes == [1, 2, 3])
            #expect(server.requests.map { $0.split(separator: " ")[1] } == ["/a%20b%20%c3%bc%25"])
        }
    }

    @Test func ranges() throws {
        try Self.withServer(directives: "location /whole/ { max_ranges 0; alias www/; }") { server in
            let bytes = Self.bytes(1000, seed: 5)
            try Self.write(bytes, "file", in: server)
            func fetch(_ name: String, _ range: Range<Int>, limit: Int = 1000) -> Result<Body, Failure> {
                CurlTransport().fetch([Request("\(server.base)/\(name)", limit: limit, range: range)])[0]
            }
            #expect(try fetch("file", 0..<1).get().bytes == [bytes[0]])
            #expect(try fetch("file", 100..<1000).get().bytes == Array(bytes[100...]))
            #expect(try fetch("file", 100..<300, limit: 200).get().bytes == Array(bytes[100..<300]))
            #expect(Self.kind(fetch("file", 100..<300, limit: 199)) == .tooLarge(limit: 199))
            #expect(Self.kind(fetch("file", 100..<1001)) == .wrongRange)
            #expect(Self.kind(fetch("file", 1000..<1001)) == .wrongRange)
            #expect(Self.kind(fetch("file", 5..<5)) == .wrongRange)
            #expect(Self.kind(fetch("whole/file", 0..<1)) == .wrongRange)
            #expect(Self.kind(fetch("missing", 0..<1)) == .notFound)
        }
    }

    @Test(arguments: [
        "", "x", "/etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/", "http://", "http://a\nb/",
        "dict://a/",
        "file:///etc/passwd\0.zst", "http://127.0.0.1:99999/",
    ])
    func badURLs(url: String) throws {
        let result = CurlTransport().fetch([Request(url, limit: 1)])[0]
        guard case .badURL = Self.kind(result) else { throw Unexpected(result) }
        #expect(!"\(result)".unicodeScalars.contains { $0.value < 32 })
    }

    @Test func passwordsAreNotShown() throws {
        let closed = try ReservedPort()
        let result = CurlTransport().fetch([
            Request("http://me:secret@127.0.0.1:\(closed.number)/a", limit: 1)
        ])[0]
        guard case .failure(let failure) = result else { throw Unexpected(result) }
        #expect(failure.url == "http://me@127.0.0.1:\(closed.number)/a")
        #expect(!failure.description.contains("secret"))
    }

    @Test func otherThreadsWake() throws {
        let server = try HostileServer { $0.waitForEnd() }
        defer { server.stop() }
        let transport = CurlTransport()
        transport.start(Request(server.base, limit: 1), as: 0)
        let start = ContinuousClock.now
        for _ in 0..<20 {
            Thread.detachNewThread {
                usleep(10_000)
                transport.wake()
            }
            #expect(transport.wait(until: nil).isEmpty)
            // One that comes before the wait is not lost either.
            transport.wake()
            #expect(transport.wait(until: nil).isEmpty)
        }
        // A wake that is lost costs a second: all of them, forty.
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test func waitEndsInTime() throws {
        let server = try HostileServer { $0.waitForEnd() }
        defer { server.stop() }
        let transport = CurlTransport()
        transport.start(Request(server.base, limit: 1), as: 0)
        let start = transport.now
        for number in 1...20 {
            let end = start + .milliseconds(20) * number
            while transport.now < end { #expect(transport.wait(until: end).isEmpty) }
        }
        #expect(transport.now < start + .seconds(10))
    }

    @Test(arguments: [false, true]) func whatIsCancelledHasNoEnd(isKept: Bool) throws {
        try Self.withServer(directives: "location /slow/ { alias www/; limit_rate 20000; }") { server in
            let bytes = Self.bytes(1_000_000, seed: 7)
            try Self.write(bytes, "large", in: server)
            try Self.write([1], "small", in: server)
            let parts = (0..<4).map { server.home.appending(path: "part\($0)") }
            let transport = CurlTransport()
            for (id, part) in parts.enumerated() {
                var request = Request("\(server.base)/slow/large", limit: 1_000_000, to: .file(part.path))
                request.keepsPart = isKept
                transport.start(request, as: id)
            }
            while parts.indices.contains(where: { transport.received($0) == 0 }) {
                #expect(transport.wait(until: transport.now + .milliseconds(50)).isEmpty)
            }
            let received = parts.indices.map(transport.received)
            for id in parts.indices { transport.cancel(id) }
            for (part, count) in zip(parts, received) {
                let kept = try? [UInt8](Data(contentsOf: part))
                #expect(kept == (isKept ? Array(bytes[..<count]) : nil))
            }
            // And it can be used again, with the same numbers.
            #expect(try transport.fetch(Request("\(server.base)/small", limit: 1)).bytes == [1])
            #expect(transport.wait(until: transport.now).isEmpty)
        }
    }

    @Test func encryptedAndMultiplexed() throws {
        try Self.withServer(directives: "location /down { return 302 http://127.0.0.1:1/; }", encrypted: true)
        { server in
            let files = (0..<200).map { Self.bytes(10_000, seed: $0) }
            for (number, bytes) in files.enumerated() { try Self.write(bytes, "\(number)", in: server) }
            var settings = CurlTransport.Settings()
            settings.certificates = server.certificate
            let transport = CurlTransport(settings)
            let results = transport.fetch(
                files.indices.map { Request("\(server.base)/\($0)", limit: 10_000) })
            #expect(try results.map { try $0.get().bytes } == files)
            let log = server.requests.map { $0.split(separator: " ") }
            #expect(Set(log.map { $0[4] }).count <= 8)
            #expect(results.allSatisfy { (try? $0.get().isMultiplexed) == true })
            #expect(Set(log.map { $0[5] }) == ["HTTP/2.0"])

            // From https there is no way down to http.
            let down = transport.fetch([Request("\(server.base)/down", limit: 10)])[0]
            guard case .network(let words) = Self.kind(down), words.contains("http") else {
                throw Unexpected(down)
            }

            // And nobody else's certificate is believed.
            let stranger = CurlTransport().fetch([Request("\(server.base)/1", limit: 10_000)])[0]
            guard case .untrusted = Self.kind(stranger) else { throw Unexpected(stranger) }
        }
    }
}

struct Unexpected: Error, CustomStringConvertible {
    var description: String

    init(_ result: Result<Body, Failure>) {
        description = "unexpected: \(result)"
    }
}
