import Concord
import ConcordFiles
import Foundation
import TestSupport
import Testing

@testable import ConcordClient

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct HomeTests {
    let scratch: Scratch
    let root: String

    init() throws {
        scratch = try Scratch()
        root = scratch.path("home dir")
    }

    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        guard stat(path, &status) == 0 else { throw TestError("stat \(path)") }
        return status.st_mode & 0o7777
    }

    /// A URL in it may hold a password; so it is whatever the folder lets others do, and once one was for all to read.
    @Test func theListIsForItsOwnerAlone() throws {
        #expect(mkdir(root, 0o755) == 0)
        let path = "\(root)/trust.json"
        for _ in 0..<2 {
            let home = try Home(root)
            var list = try home.trustList()
            try list.add(TrustListTests.authority("a", 0, "http://bob:secret@a.example/tree"))
            try home.write(list)
            try home.close()
            #expect(try mode(path) == 0o600)
            let read = try Home(reading: root).trustList()
            #expect(read.authorities == list.authorities)
            #expect(chmod(path, 0o644) == 0)
        }
    }

    @Test(arguments: [0o777, 0o1777, 0o702, 0o757] as [mode_t]) func everybodyCanWrite(mode: mode_t) throws {
        #expect(mkdir(root, 0o700) == 0 && chmod(root, mode) == 0)
        let link = scratch.path("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: root)
        for path in [root, link] {
            for error in [
                #expect(throws: FileError.self) { _ = try Home(path) },
                #expect(throws: FileError.self) { _ = try Home(reading: path) },
            ] {
                let words = try #require(error).description
                #expect(words.hasPrefix("\(path): "))
                #expect(words.hasSuffix("`chmod o-w \(path == link ? link : "'\(root)'")`"), "\(words)")
            }
        }
        #expect(try Folder.names(in: root).isEmpty)
        #expect(chmod(root, mode & ~0o002) == 0)
        try Home(root).close()
    }

    /// A group's members may keep a client together.
    @Test(arguments: [0o770, 0o775, 0o755, 0o700] as [mode_t]) func notEverybodyCan(mode: mode_t) throws {
        #expect(mkdir(root, 0o700) == 0 && chmod(root, mode) == 0)
        try Home(root).close()
        _ = try Home(reading: root).trustList()
    }

    @Test func whatIsNotThere() throws {
        let list = try Home(reading: root).trustList()
        #expect(list.authorities.isEmpty)
        try Home(root).close()
        #expect(try mode(root) == 0o700)
    }

    @Test func aListThatEverybodyCanWrite() throws {
        let home = try Home(root)
        try home.write(TrustList())
        try home.close()
        #expect(chmod("\(root)/trust.json", 0o666) == 0)
        let error = #expect(throws: FileError.self) { _ = try Home(reading: root).trustList() }
        #expect(error?.description.contains("`chmod o-w '\(root)/trust.json'`") == true)
    }
}
