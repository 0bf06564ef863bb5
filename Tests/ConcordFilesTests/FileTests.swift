import TestSupport
import Foundation
import Testing

@testable import Concord
@testable import ConcordFiles

@Suite struct FileTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test func wholeFilesUpToALimit() throws {
        let path = try scratch.write(Array(0..<10), to: "ten")
        #expect(try File.read(path, atMost: 10) == Array(0..<10))
        let error = #expect(throws: FileError.self) { try File.read(path, atMost: 9) }
        #expect(error?.description == "\(path): is 10 bytes long, at most 9 are allowed")
        #expect(try File.read(try scratch.write([], to: "none"), atMost: 0) == [])
    }

    @Test func readingStopsAtTheEnd() throws {
        let file = try File(reading: try scratch.write(Array(0..<10), to: "ten"))
        var bytes = [UInt8](repeating: 0xee, count: 8)
        let counts = try [0, 4, 9, 10, 11].map { offset in
            try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        }
        #expect(counts == [8, 6, 1, 0, 0])
    }

    @Test func onlyRegularFilesAreRead() throws {
        for path in [scratch.folder, "/dev/null"] {
            let error = #expect(throws: FileError.self) { _ = try File(reading: path) }
            #expect(error?.message == "is not a regular file")
        }
        let missing = #expect(throws: FileError.self) { _ = try File(reading: scratch.path("missing")) }
        #expect(missing?.isMissing == true && missing?.path == scratch.path("missing"))
        let below = #expect(throws: FileError.self) {
            _ = try File(reading: try scratch.write([], to: "file") + "/x")
        }
        #expect(below?.isMissing == true)
    }

    @Test func creatingDoesNotReplace() throws {
        let path = try scratch.write([1], to: "there")
        let error = #expect(throws: FileError.self) { _ = try File(creating: path) }
        #expect(error?.isMissing == false)
        // Nor does it follow a link, not even one that leads nowhere.
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("link"), withDestinationPath: scratch.path("elsewhere"))
        #expect(throws: FileError.self) { _ = try File(creating: scratch.path("link")) }
        #expect(throws: FileError.self) { _ = try File(appending: scratch.path("link")) }
        #expect(!FileManager.default.fileExists(atPath: scratch.path("elsewhere")))
        #expect(try scratch.read("there") == [1])
    }

    @Test func writingAppendingAndCutting() throws {
        let path = scratch.path("file")
        do {
            let file = try File(creating: path)
            try [1, 2, 3].withBytes { bytes throws(FileError) in try file.write(bytes) }
            try file.synchronize()
        }
        do {
            let file = try File(appending: path)
            try [4].withBytes { bytes throws(FileError) in try file.write(bytes) }
        }
        #expect(try scratch.read("file") == [1, 2, 3, 4])
        try File.truncate(path, to: 2)
        #expect(try scratch.read("file") == [1, 2])
    }
}
