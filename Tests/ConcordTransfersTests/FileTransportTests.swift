import Foundation
import TestSupport
import Testing

@testable import ConcordTransfers

/// Trees on this machine's disks.
@Suite struct FileTransportTests {
    @Test func fileURLs() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "concord-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let bytes = CurlTransportTests.bytes(200_000, seed: 6)
        try Data(bytes).write(to: folder.appending(path: "a file"))
        mkfifo(folder.appending(path: "pipe").path, 0o600)
        let base = "file://\(folder.path)"
        let transport = SchemeTransport()
        #expect(try transport.fetch(Request("\(base)/a file", limit: 200_000)).bytes == bytes)
        #expect(try transport.fetch(Request("\(base)/a%20file", limit: 200_000)).bytes == bytes)
        let part = folder.appending(path: "part").path
        #expect(
            try transport.fetch(Request("\(base)/a file", limit: 200_000, to: .file(part))).count == 200_000)
        #expect(
            try transport.fetch(Request("\(base)/a file", limit: 9, range: 7..<9)).bytes
                == Array(bytes[7..<9]))
        let wrong = transport.fetch([
            Request("\(base)/a file", limit: 199_999), Request("\(base)/missing", limit: 1),
            Request(base, limit: 1),
            Request("\(base)/pipe", limit: 1), Request("\(base)/a file/b", limit: 1),
            Request("\(base)/a file", limit: 9, range: 199_999..<200_001),
            Request("\(base)/a file", limit: 9, range: 200_001..<200_002),
        ])
        #expect(
            wrong.map(CurlTransportTests.kind) == [
                .tooLarge(limit: 199_999), .notFound, .notFound, .notFound, .notFound, .wrongRange,
                .wrongRange,
            ])
    }
}
