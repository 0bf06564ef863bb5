import Concord
import Foundation
import TestSupport
import Testing

/// What a web server answers `curl`.
struct WebAnswer {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]

    /// - Parameter range: as curl takes it, like `1-3`.
    init(_ url: String, range: String? = nil) throws {
        let scratch = try Scratch()
        // A browser takes packed answers; what it gets of a tree is not packed.
        let arguments =
            ["-sS", "-D", scratch.path("head"), "-o", scratch.path("body"), "-H"]
            + ["Accept-Encoding: gzip, deflate, br, zstd"] + (range.map { ["-r", $0] } ?? []) + [url]
        try Program.installed("curl").print(arguments)
        let lines = String(decoding: try scratch.read("head"), as: UTF8.self).split(
            whereSeparator: \.isNewline)
        status = lines.first.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        headers = lines.dropFirst().reduce(into: [:]) { headers, line in
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
            headers[parts[0].lowercased()] = value
        }
        body = (try? scratch.read("body")) ?? []
    }
}

/// The rows of `concord-publish hosting table`.
struct HostingRow {
    let glob, contentType, cacheControl: String

    static func all() throws -> [HostingRow] {
        try Self.printed("table").split(separator: "\n").map { line in
            let columns = line.split(separator: "\t").map(String.init)
            guard columns.count == 4 else { throw TestError("a row of four: \(line)") }
            return HostingRow(glob: columns[1], contentType: columns[2], cacheControl: columns[3])
        }
    }

    static func printed(_ form: String) throws -> String {
        String(decoding: try Publication.program().print("hosting", form), as: UTF8.self)
    }

    /// A file of the kind, the last by name.
    func path(in tree: PlainTree) throws -> String {
        let path = tree.files().last { fnmatch(glob, $0, FNM_PATHNAME) == 0 }
        guard let path else { throw TestError("no file like \(glob)") }
        return path
    }
}

extension PlainTree {
    /// Adds what a tree may have beside its signed files, so that it has every kind.
    func addPages() throws {
        try replace("index.html", "<!doctype html><title>alice</title>\n")
        try replace("audit.sh", "#!/bin/sh\n")
        let manifest = try #require(paths("snapshots", containing: "manifest.txt").last)
        try replace(manifest.replacing("manifest.txt", with: "snapshot.torrent"), "d4:infodee")
    }
}

/// Of each kind of file the whole and a range come as the table says, and what is not there is not kept by caches.
func expectServedByTheTable(_ url: String, _ tree: PlainTree, isOpenToPages: Bool = true) throws {
    for row in try HostingRow.all() {
        let path = try row.path(in: tree)
        let bytes = try tree.read(path)
        let whole = try WebAnswer("\(url)/\(path)")
        #expect(whole.status == 200 && whole.body == bytes, "\(path): \(whole.status)")
        // The filter of a shard without coins is one byte.
        let part = bytes.count > 3 ? 1...3 : 0...0
        let bounds = "\(part.lowerBound)-\(part.upperBound)"
        let range = try WebAnswer("\(url)/\(path)", range: bounds)
        #expect(range.status == 206 && range.body == Array(bytes[part]), "\(path): \(range.status)")
        #expect(range.headers["content-range"] == "bytes \(bounds)/\(bytes.count)", "\(path)")
        for answer in [whole, range] {
            #expect(answer.headers["content-type"] == row.contentType, "\(path)")
            #expect(answer.headers["cache-control"] == row.cacheControl, "\(path)")
            #expect(answer.headers["content-encoding"] == nil, "\(path)")
            if isOpenToPages { #expect(answer.headers["access-control-allow-origin"] == "*", "\(path)") }
        }
        guard row.cacheControl.contains("immutable") else { continue }
        // The next file of the kind.
        let absent = path.replacing(/-[0-9a-f]{64}/, with: "-" + String(repeating: "0", count: 64))
        let missing = try WebAnswer("\(url)/\(absent)")
        #expect(missing.status == 404 && missing.headers["cache-control"] == nil, "\(absent)")
        if isOpenToPages { #expect(missing.headers["access-control-allow-origin"] == "*", "\(absent)") }
    }
}
