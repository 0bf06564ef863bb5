import TestSupport
import Foundation
import Testing

@testable import Concord
@testable import ConcordFiles

@Suite struct FolderTests {
    let scratch: Scratch
    let root: String

    init() throws {
        scratch = try Scratch()
        root = scratch.path("tree")
    }

    /// Every file below the root, hidden ones too.
    func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root).filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: root + "/" + $0, isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    func text(_ relative: String) throws -> String {
        String(decoding: try File.read(root + "/" + relative, atMost: 1000), as: UTF8.self)
    }

    @Test func theFolderIsMade() throws {
        _ = try Folder(scratch.path("a/b/c"))
        #expect(try Folder.names(in: scratch.path("a/b")) == ["c"])
        #expect(try Folder.names(in: scratch.path("a/b/c")) == [])
    }

    @Test func aStagedFileIsNotVisible() throws {
        let folder = try Folder(root)
        let staged = try folder.stage("text", at: "a/b.txt")
        #expect(try !folder.contains("a/b.txt") && !folder.contains("a"))
        #expect(try files().allSatisfy { $0.hasPrefix(".tmp/") })
        try folder.install([staged])
        #expect(try folder.contains("a/b.txt"))
        #expect(try text("a/b.txt") == "text")
        #expect(try files() == ["a/b.txt"])
    }

    /// A file for its owner alone is that from the beginning, and in the place of one that was not.
    @Test func aFileForItsOwnerAlone() throws {
        func mode(_ path: String) throws -> mode_t { try File(reading: path).status().st_mode & 0o777 }
        let folder = try Folder(root)
        try folder.write(Array("old".utf8), at: "list")
        #expect(try mode(folder.path("list")) == 0o644)
        let staged = try folder.stage(Array("new".utf8), at: "list", mode: 0o600)
        #expect(try mode(staged.temporary) == 0o600)
        try folder.install([staged])
        #expect(try mode(folder.path("list")) == 0o600 && text("list") == "new")
        try folder.write(Array("newer".utf8), at: "list", mode: 0o600)
        #expect(try mode(folder.path("list")) == 0o600 && text("list") == "newer")
    }

    @Test func installReplaces() throws {
        let folder = try Folder(root)
        try folder.write(Array("old".utf8), at: "latest.txt")
        // Whoever has the old file open keeps reading the old one.
        let old = try File(reading: folder.path("latest.txt"))
        let staged = try folder.stage("new", at: "latest.txt")
        #expect(try text("latest.txt") == "old")
        try folder.install([staged])
        #expect(try text("latest.txt") == "new")
        var bytes = [UInt8](repeating: 0, count: 3)
        let count = try bytes.withUnsafeMutableBytes { try old.read(into: $0, at: 0) }
        #expect(count == 3 && bytes == Array("old".utf8))
    }

    @Test func manyFilesAreInstalledTogether() throws {
        let folder = try Folder(root)
        let names = (0..<40).map { "folder\($0 % 3)/file\($0)" }
        let staged = try Parallel.map(names.count) { try folder.stage("text \($0)", at: names[$0]) }
        #expect(Set(staged.map(\.temporary)).count == 40)
        try folder.install(staged)
        for (i, name) in names.enumerated() { #expect(try text(name) == "text \(i)") }
        #expect(try files() == names.sorted())
    }

    /// Installed in order: what comes behind the one that fails is not there.
    @Test func filesBehindAFailureAreNotInstalled() throws {
        let folder = try Folder(root)
        let staged = try ["a", "b", "c"].map { try folder.stage($0, at: $0) }
        folder.discard(staged[1])
        #expect(throws: FileError.self) { try folder.install(staged) }
        #expect(try !folder.contains("c"))
    }

    @Test func leftoversOfAKilledRunAreRemoved() throws {
        do {
            let folder = try Folder(root)
            try folder.write([1], at: "kept")
            for name in ["a", "b/c"] { _ = try folder.stage("left over", at: name) }
            #expect(try files().count == 3)
        }
        let again = try Folder(root)
        #expect(try files() == ["kept"])
        #expect(try !again.contains(".tmp"))
        // Their names are free again.
        try again.write([2], at: "a")
        #expect(try files() == ["a", "kept"])
    }

    /// Whoever looks first whose folder it is has changed nothing by then.
    @Test func nothingIsRemovedBeforeTheFolderIsPrepared() throws {
        let path = try scratch.write([1], to: "tree/.tmp/precious")
        let folder = Folder(reading: root)
        #expect(try !folder.contains("a") && FileManager.default.fileExists(atPath: path))
        try folder.prepare()
        #expect(try !folder.contains(".tmp"))
        let missing = Folder(reading: scratch.path("missing"))
        #expect(try !missing.contains("."))
        try missing.prepare()
        #expect(try missing.contains("."))
    }

    /// A link in place of the folder for leftovers leads elsewhere: nothing there is ours.
    @Test func leftoversBehindALinkAreLeftAlone() throws {
        let other = try scratch.write([1], to: "other/precious")
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: root + "/.tmp", withDestinationPath: scratch.path("other"))
        #expect(throws: FileError.self) { try Folder(root) }
        #expect(FileManager.default.fileExists(atPath: other))
    }

    @Test func discardedAndRemovedFilesAreGone() throws {
        let folder = try Folder(root)
        folder.discard(try folder.stage("text", at: "a"))
        #expect(try files() == [])
        try folder.write([1], at: "a")
        try folder.remove("a")
        #expect(try !folder.contains("a"))
        #expect(throws: Never.self) { try folder.remove("a") }
        try folder.write([1], at: "b/c")
        #expect(throws: FileError.self) { try folder.remove("b") }
    }

    @Test func aFileInTheWayIsAConflict() throws {
        try scratch.write([1], to: "tree/a")
        let folder = try Folder(root)
        let error = #expect(throws: FileError.self) { try folder.write([1], at: "a/b") }
        #expect(error?.path == root + "/a")
        #expect(try text("a") == "\u{1}")
        #expect(throws: FileError.self) { try Folder(root + "/a") }
    }

    @Test func aTreeIsRemovedAndLinksAreNotFollowed() throws {
        let folder = try Folder(root)
        let other = try scratch.write([1], to: "other/precious")
        for name in ["a/b/c", "a/d", "a/e/f/g"] { try folder.write([1], at: name) }
        for name in ["a/link", "top"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(name), withDestinationPath: scratch.path("other"))
        }
        try folder.removeTree("a")
        #expect(try !folder.contains("a"))
        try folder.removeTree("top")
        #expect(try !folder.contains("top"))
        #expect(FileManager.default.fileExists(atPath: other))
        #expect(throws: Never.self) { try folder.removeTree("missing") }
    }

    @Test func namesAreSorted() throws {
        let folder = try Folder(root)
        for name in ["b", "a", "c", ".hidden"] { try folder.write([], at: name) }
        #expect(try Folder.names(in: root).filter { $0 != ".tmp" } == [".hidden", "a", "b", "c"])
        #expect(try Folder.names(in: root + "/missing") == [])
        #expect(throws: FileError.self) { try Folder.names(in: root + "/a") }
    }
}
