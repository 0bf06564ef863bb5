import Foundation
import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles

@Suite struct OutputFileTests {
    let scratch: Scratch
    var path: String { scratch.path("out") }
    var files: [String] { PlainTree(scratch.folder).files() }

    init() throws {
        scratch = try Scratch()
    }

    func write(_ text: String, replacing: Bool = false) throws {
        let output = try OutputFile(path, replacing: replacing)
        let temporary = output.temporary
        #expect(temporary == path + ".concord-part")
        try File(appending: temporary).write(text)
        try output.install()
    }

    @Test func itAppearsWhenItIsWhole() throws {
        try write("one")
        #expect(try files == ["out"] && String(decoding: scratch.read("out"), as: UTF8.self) == "one")
    }

    @Test func nothingIsLeftOfOneThatIsGivenUp() throws {
        do {
            let output = try OutputFile(path, replacing: false)
            try File(appending: output.temporary).write("half")
            #expect(files == ["out.concord-part"])
        }
        #expect(files == [])
    }

    @Test func aFileThatIsThereStays() throws {
        try write("one")
        let early = #expect(throws: FileError.self) { try write("two") }
        #expect(early?.description == "\(path): is there already")
        try write("two", replacing: true)
        #expect(try files == ["out"] && String(decoding: scratch.read("out"), as: UTF8.self) == "two")
        // One that comes in between.
        try scratch.remove("out")
        let late = #expect(throws: FileError.self) {
            let output = try OutputFile(path, replacing: false)
            try scratch.write("other", to: "out")
            try output.install()
        }
        #expect(late?.message == "is there already")
        #expect(try files == ["out"] && String(decoding: scratch.read("out"), as: UTF8.self) == "other")
    }

    @Test func onlyFilesAreReplaced() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let folder = #expect(throws: FileError.self) { try write("one", replacing: true) }
        #expect(folder?.message == "is no regular file; only those are replaced")
        try scratch.remove("out")
        try scratch.write("kept", to: "target")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: scratch.path("target"))
        let link = #expect(throws: FileError.self) { try write("one", replacing: true) }
        #expect(link?.message == "is no regular file; only those are replaced")
        #expect(String(decoding: try scratch.read("target"), as: UTF8.self) == "kept")
    }

    @Test func whatAKilledRunLeftIsUsedAgain() throws {
        try scratch.write("the rest of a longer one", to: "out.concord-part")
        try write("one")
        #expect(try files == ["out"] && String(decoding: scratch.read("out"), as: UTF8.self) == "one")
    }

    @Test func twoRunsDoNotWriteOneFile() throws {
        let output = try OutputFile(path, replacing: false)
        let second = #expect(throws: FileError.self) { try write("two") }
        #expect(second?.message == "is being written by another run of this program")
        try File(appending: output.temporary).write("one")
        try output.install()
        #expect(try files == ["out"] && String(decoding: scratch.read("out"), as: UTF8.self) == "one")
    }

    @Test func aFolderThatIsNotThere() throws {
        let error = #expect(throws: FileError.self) {
            _ = try OutputFile(scratch.path("no/out"), replacing: false)
        }
        #expect(error?.isMissing == true)
        for path in ["", "\(scratch.folder)/", "\(scratch.folder)/new/"] {
            let error = #expect(throws: FileError.self) { _ = try OutputFile(path, replacing: true) }
            #expect(error?.description == "«\(path)»: is no name of a file")
        }
    }
}

extension File {
    fileprivate func write(_ text: String) throws(FileError) {
        try Array(text.utf8).withBytes { raw throws(FileError) in try write(raw) }
    }
}
