import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ConcordFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What an errno means: no permission is not absence, and no locks are not a lock that somebody has.
@Suite struct FileLockTests {
    @Test func refusals() {
        for isFolder in [false, true] {
            #expect(FileLock.refusal(EWOULDBLOCK, isFolder: isFolder) == .held)
            for code in [ENOLCK, ENOSYS, EOPNOTSUPP, ENOTSUP, EINVAL] {
                #expect(FileLock.refusal(code, isFolder: isFolder) == .unsupported)
            }
            for code in [EIO, EACCES, ENOMEM] {
                #expect(FileLock.refusal(code, isFolder: isFolder) == .failed)
            }
        }
        #expect(FileLock.refusal(EBADF, isFolder: true) == .notForFolders)
        #expect(FileLock.refusal(EBADF, isFolder: false) == .failed)
    }

    private func answer(_ code: Int32, isFolder: Bool = false, isTold: Bool = false) -> FileError? {
        do throws(FileError) {
            try FileLock.answer(code, "/x", isFolder: isFolder, isTold: isTold, inUse: "is in use")
            return nil
        } catch {
            return error
        }
    }

    /// The work goes on, and somebody is told once.
    @Test func whatGoesOnIsTold() {
        let told = Mutex<[String]>([])
        FileNotes.tell { text in told.withLock { $0.append(text) } }
        for _ in 0..<2 { #expect(answer(EBADF, isFolder: true) == nil) }
        #expect(told.withLock(\.self).count { $0.hasPrefix("/x: its file system locks no folders") } == 1)
    }

    @Test func anotherRunIsSaidWhereThereIsOneOnly() throws {
        let held = try #require(answer(EWOULDBLOCK))
        #expect(held.isConflict && held.message == "is in use")
        for code in [ENOLCK, EOPNOTSUPP] {
            let error = try #require(answer(code))
            #expect(!error.isConflict && error.description.hasPrefix("/x: cannot lock: "))
            #expect(error.message.contains("CONCORD_WITHOUT_LOCKS=1"))
            #expect(!error.message.contains("in use"))
            #expect(answer(code, isTold: true) == nil)
        }
        #expect(answer(EWOULDBLOCK, isTold: true)?.isConflict == true)
        #expect(answer(EIO, isTold: true)?.message == "cannot lock: \(String(cString: strerror(EIO)))")
        // A folder on NFS.
        #expect(answer(EBADF, isFolder: true) == nil)
    }

    @Test func whatAFileSystemDoesNotKnowIsNoFailure() {
        for code in [EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP] {
            #expect(FileError("/x", "", kind: .system(code)).isUnsupported)
        }
        for code in [EIO, ENOSPC, EACCES] {
            #expect(!FileError("/x", "", kind: .system(code)).isUnsupported)
        }
        #expect(FileError("/x", "", kind: .system(EACCES)).isDenied && !FileError("/x", "").isDenied)
    }

    /// Of what is published everybody reads; what is not is for nobody else.
    @Test func aFolderOfTheProgramsOwnIsForNobodyElse() throws {
        let scratch = try Scratch()
        func mode(_ name: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: scratch.path(name))[.posixPermissions] as? Int
        }
        try FolderLock(scratch.path("above/state")).release()
        try FolderLock(withoutFile: scratch.path("tree")).release()
        #expect(try mode("above") == 0o755)
        #expect(try mode("above/state") == 0o700)
        #expect(try mode("above/state/lock") == 0o600)
        #expect(try mode("tree") == 0o755)
        // One that is there is its owner's to open.
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o750], ofItemAtPath: scratch.path("above/state"))
        try FolderLock(scratch.path("above/state")).release()
        #expect(try mode("above/state") == 0o750)
    }
}
