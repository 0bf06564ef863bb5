import ConcordFiles
import Foundation
import TestSupport
import Testing

@testable import ConcordServe

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// As Bitcoin Core's cookie: what its own tools read.
@Suite struct CookieTests {
    let scratch: Scratch
    var path: String { scratch.path(".cookie") }

    init() throws { scratch = try Scratch() }

    private func basic(_ text: String) -> String { "Basic \(Data(text.utf8).base64EncodedString())" }

    @Test func theFileIsForItsOwnerAlone() throws {
        let cookie = Cookie()
        for _ in 0..<2 {
            try cookie.write(to: path)
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        }
        let text = String(decoding: try scratch.read(".cookie"), as: UTF8.self)
        #expect(text.wholeMatch(of: /__cookie__:[0-9a-f]{64}/) != nil)
        #expect(cookie.isIn(basic(text)))
        #expect(try Folder.names(in: scratch.folder) == [".cookie"])
    }

    /// Neither what a link leads to nor what a run left that was killed.
    @Test func whatIsThereAlready() throws {
        try scratch.write("mine", to: "mine")
        for name in [".cookie", ".cookie.tmp"] {
            try FileManager.default.createSymbolicLink(
                atPath: scratch.path(name), withDestinationPath: scratch.path("mine"))
        }
        try Cookie().write(to: path)
        #expect(try scratch.read("mine") == Array("mine".utf8))
        #expect(try scratch.read(".cookie").count == 75)
    }

    @Test func othersDoNotFit() throws {
        let cookie = Cookie()
        try cookie.write(to: path)
        let text = String(decoding: try scratch.read(".cookie"), as: UTF8.self)
        let last = text.last == "0" ? "1" : "0"
        for wrong in [
            nil, "", text, "Basic", "Basic ", "Basic !", "Bearer \(text)", basic(""), basic("__cookie__:"),
            basic(String(text.dropLast())), basic(text + "0"), basic(text.dropLast() + last),
            basic("user" + text.dropFirst(10)),
        ] {
            #expect(!cookie.isIn(wrong), "\(wrong ?? "")")
        }
        #expect(!Cookie().isIn(basic(text)))
    }

    /// Another server of the same home keeps the one that it wrote.
    @Test func onlyOnesOwnIsRemoved() throws {
        let (first, second) = (Cookie(), Cookie())
        try first.write(to: path)
        try second.write(to: path)
        first.remove(from: path)
        #expect(try Folder.names(in: scratch.folder) == [".cookie"])
        second.remove(from: path)
        #expect(try Folder.names(in: scratch.folder).isEmpty)
        second.remove(from: path)
    }
}
