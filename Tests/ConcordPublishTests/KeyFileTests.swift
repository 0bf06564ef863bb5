import Foundation
import Testing

@testable import ConcordPublish

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite struct KeyFileTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o666, 0o777, 0o4644])
    func aFileForOthersIsRefusedWithWhatMendsIt(mode: Int) throws {
        let path = try scratch.file("key.pem", SigningKey.generate().pem, mode: mode)
        let error = #expect(throws: SigningKeyError.self) { try SigningKey(readingFrom: path) }
        #expect(error?.reason == .permissions(UInt32(mode)))
        let message = try #require(error?.description)
        #expect(message.contains("run: chmod 600 \(path), or"))
        #expect(message.contains("--key-readable") && message.contains("--key -"))
        if mode == 0o644 { #expect(message.contains("has mode 0644")) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        _ = try SigningKey(readingFrom: path)
    }

    @Test(arguments: [0o600, 0o400, 0o700])
    func aFileForItsOwnerIsRead(mode: Int) throws {
        let key = SigningKey.generate()
        let path = try scratch.file("key.pem", key.pem, mode: mode)
        #expect(try SigningKey(readingFrom: path).publicKey == key.publicKey)
    }

    /// A secret that is mounted read-only into a container.
    @Test(arguments: [0o440, 0o444, 0o640, 0o604, 0o600, 0o620, 0o602, 0o666])
    func aFileThatOthersMayReadOnDemand(mode: Int) throws {
        let key = SigningKey.generate()
        let path = try scratch.file("key.pem", key.pem, mode: mode)
        if mode & 0o022 == 0 {
            #expect(try SigningKey(readingFrom: path, othersMayRead: true).publicKey == key.publicKey)
        } else {
            let error = #expect(throws: SigningKeyError.self) {
                try SigningKey(readingFrom: path, othersMayRead: true)
            }
            #expect(error?.reason == .writable(UInt32(mode)))
            #expect(error?.description.contains("chmod go-w \(path)") == true)
        }
    }

    @Test func othersMayReadWhatRootOrOneselfOwns() throws {
        var status = stat()
        for (owner, mode, reason) in [
            (0, 0o444, nil), (geteuid(), 0o440, nil), (geteuid() + 1, 0o444, .owner),
            (geteuid() + 1, 0o400, nil), (0, 0o664, .writable(0o664)),
        ] as [(uid_t, mode_t, SigningKeyError.Reason?)] {
            status.st_uid = owner
            status.st_mode = S_IFREG | mode
            var thrown: SigningKeyError.Reason?
            do throws(SigningKeyError.Reason) {
                try KeyFile.check(status, othersMayRead: true)
            } catch {
                thrown = error
            }
            #expect(thrown == reason, "\(owner) \(mode)")
        }
    }

    @Test func whatALinkLeadsToCounts() throws {
        let link = scratch.path("link.pem")
        for (mode, allowed) in [(0o644, false), (0o600, true)] {
            let path = try scratch.file("key\(mode).pem", SigningKey.generate().pem, mode: mode)
            try? FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            if allowed {
                _ = try SigningKey(readingFrom: link)
            } else {
                let error = #expect(throws: SigningKeyError.self) { try SigningKey(readingFrom: link) }
                #expect(error?.reason == .permissions(0o644))
                #expect(error?.description.contains("chmod 600 \(link), ") == true)
            }
        }
    }

    @Test func namesAreQuotedForAShell() throws {
        for (name, quoted) in [
            ("my key.pem", "my key.pem"), ("it's.pem", "it'\\''s.pem"), ("$(x).pem", "$(x).pem"),
        ] {
            let path = try scratch.file(name, "", mode: 0o644)
            let error = #expect(throws: SigningKeyError.self) { try SigningKey(readingFrom: path) }
            #expect(error?.description.contains("chmod 600 '\(scratch.folder)/\(quoted)', ") == true)
        }
    }

    @Test func onlyRegularFilesAreRead() throws {
        #expect(throws: SigningKeyError(.notRegular, file: scratch.folder)) {
            try SigningKey(readingFrom: scratch.folder)
        }
        // Nobody ever writes to this pipe: the reader must not wait.
        let pipe = scratch.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: SigningKeyError(.notRegular, file: pipe)) { try SigningKey(readingFrom: pipe) }
    }

    @Test func aMissingFileIsNamed() {
        let path = scratch.path("none.pem")
        let error = #expect(throws: SigningKeyError.self) { try SigningKey(readingFrom: path) }
        #expect(error?.description == "\(path): open: No such file or directory")
    }

    @Test func aLongFileIsRefused() throws {
        let pem = SigningKey.generate().pem
        let most = String(repeating: "\n", count: 65_535 - pem.utf8.count) + pem
        _ = try SigningKey(readingFrom: scratch.file("most.pem", most))
        let path = try scratch.file("long.pem", "\n\n" + most)
        #expect(throws: SigningKeyError(.tooLong, file: path)) { try SigningKey(readingFrom: path) }
    }
}
