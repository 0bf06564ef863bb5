import Foundation
import TestSupport
import Testing

@testable import ConcordFiles

@Suite struct FolderLockTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    func refusal() -> FileError? {
        #expect(throws: FileError.self) { try FolderLock(scratch.path("tree")).release() }
    }

    /// Another process, as the kernel sees it: `flock` of util-linux.
    func otherProcessGetsIt() throws -> Bool {
        try run("flock", "-n", scratch.path("tree/lock"), "true") != nil
    }

    @Test func aSecondHolderIsRefused() throws {
        let lock = try FolderLock(scratch.path("tree"))
        let error = refusal()
        #expect(error?.path == scratch.path("tree"))
        #expect(error?.message.contains("in use") == true)
        if case .conflict = error?.kind {} else { Issue.record("\(String(describing: error?.kind))") }
        lock.release()
    }

    @Test func anotherProcessIsKeptOut() throws {
        let lock = try FolderLock(scratch.path("tree"))
        #expect(try !otherProcessGetsIt())
        lock.release()
        #expect(try otherProcessGetsIt())
    }

    @Test func whatAnotherProcessHoldsIsRefused() throws {
        try scratch.write([], to: "tree/lock")
        // Another process holds the lock until it ends.
        let other = try Program.installed("flock").start([
            "-n", "--no-fork", scratch.path("tree/lock"), "sh", "-c", "echo held; exec sleep 600",
        ])
        while try other.printed() != Array("held\n".utf8) {
            try #require(other.isRunning(), "flock does not get the lock")
            usleep(5000)
        }
        #expect(refusal()?.message.contains("in use") == true)
        other.send(SIGKILL)
        _ = try other.wait()
        #expect(throws: Never.self) { try FolderLock(scratch.path("tree")).release() }
    }

    /// The kernel lets go of a dead process's lock; the file stays, and says nothing.
    @Test func aLockFileThatIsLeftOverIsNoLock() throws {
        try scratch.write([], to: "tree/lock")
        for _ in 0..<3 { try FolderLock(scratch.path("tree")).release() }
        do { _ = try FolderLock(scratch.path("tree")) }
        #expect(throws: Never.self) { try FolderLock(scratch.path("tree")).release() }
    }
}
