import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

/// A trustnet as those who run one keep it: the built program, checked with openssl and by the client's rule.
@Suite(.waits) struct TrustnetTests {
    let scratch: Scratch
    let program: Program

    init() throws {
        scratch = try Scratch()
        program = try Publication.program()
    }

    private var folder: String { scratch.path("net") }

    /// Runs `concord-publish trustnet COMMAND --folder FOLDER …` to the end, whatever it is.
    private func run(_ command: String, _ more: String...) throws -> Program.Outcome {
        try program.run(["trustnet", command, "--folder", folder] + more)
    }

    @discardableResult
    private func succeed(_ command: String, _ more: String...) throws -> String {
        String(
            decoding: try program.print(["trustnet", command, "--folder", folder] + more), as: UTF8.self)
    }

    private func key(_ name: String) throws -> (file: String, key: String) {
        let file = scratch.path(name + ".pem")
        let printed = try program.print("keygen", "--key", file)
        return (file, String(decoding: printed.dropLast(), as: UTF8.self))
    }

    /// Two authorities and a bootstrap key, nothing signed.
    private func begin(_ more: String...) throws -> (file: String, key: String) {
        let bootstrap = try key("bootstrap")
        try program.print(
            ["trustnet", "new", "--folder", folder, "--name", "example", "--key", bootstrap.file] + more)
        try succeed("add", "alice", try key("alice").key, "https://alice.example/concord/")
        try succeed("add", "bob", try key("bob").key, "https://bob.example", "http://mirror.example/bob")
        return bootstrap
    }

    /// What a client makes of the published files.
    private func published(_ version: Int? = nil) throws -> SignedTrustnet {
        let path = version.map(TrustnetPath.version) ?? TrustnetPath.newest
        let bytes = try scratch.read("net/" + path)
        let number = try Trustnet(parsing: bytes).version
        let name = "net/" + TrustnetPath.version(number)
        return try SignedTrustnet(
            checking: bytes, signature: try scratch.read(TrustnetPath.signature(name)),
            previousSignature: try? scratch.read(TrustnetPath.previousSignature(name)))
    }

    /// Every file of both folders, by path.
    private func files() throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for root in ["net", "net.state"] {
            for case let name as String in FileManager.default.enumerator(atPath: scratch.path(root))
                ?? .init()
            {
                let path = scratch.path("\(root)/\(name)")
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                if attributes[.type] as? FileAttributeType == .typeRegular {
                    files["\(root)/\(name)"] = try scratch.read("\(root)/\(name)")
                }
            }
        }
        return files
    }

    private func signedPart() throws -> [String: [UInt8]] {
        try files().filter { $0.key.hasPrefix("net/") }
    }

    @Test func fromNothingToAVersion() throws {
        let bootstrap = try begin()
        #expect(try signedPart().isEmpty, "editing does not sign")
        let before = Int64(Date().timeIntervalSince1970)
        #expect(try succeed("sign", "--key", bootstrap.file).hasPrefix("signed version 1 of example\n"))
        let signed = try published()
        let trustnet = signed.trustnet
        #expect(trustnet.version == 1 && trustnet.minimum == 2 && trustnet.bootstrap.hex == bootstrap.key)
        #expect(trustnet.network == .main && trustnet.parameters == Network.main.defaultParameters)
        let year: Int64 = 365 * 86_400
        #expect((before + year...before + year + 60).contains(trustnet.expires))
        #expect(
            trustnet.members.map(\.authority.urls) == [
                ["https://alice.example/concord"], ["https://bob.example", "http://mirror.example/bob"],
            ])
        #expect(signed.bytes == Array(trustnet.text.utf8))
        #expect(
            try signedPart().keys.sorted() == [
                "net/trustnet.json", "net/trustnet.json.sig", "net/trustnet.pem", "net/trustnet/1.json",
                "net/trustnet/1.json.sig",
            ])
        // With nothing of ours.
        for name in ["trustnet.json", "trustnet/1.json"] {
            let verified = try Program.installed("openssl").print(
                "dgst", "-sha256", "-verify", folder + "/trustnet.pem", "-signature", "\(folder)/\(name).sig",
                "\(folder)/\(name)")
            #expect(String(decoding: verified, as: UTF8.self) == "Verified OK\n")
        }
        let python = try Program.installed("python3").print(
            "-c", "import json, sys; print(json.load(open(sys.argv[1]))['authorities'][1]['name'])",
            folder + "/trustnet.json")
        #expect(String(decoding: python, as: UTF8.self) == "bob\n")
    }

    @Test func theVersionCountsUpWithEveryChange() throws {
        let bootstrap = try begin()
        let key = PublicKey(hex: bootstrap.key)
        var history = TrustnetHistory(key: try #require(key))
        let changes: [[String]] = [
            [], ["add", "carol", try self.key("carol").key, "https://carol.example"],
            ["retire", "bob", "--from", "900000"], ["add", "alice", try aliceKey(), "https://a.example"],
            ["retire", "carol", "--from", "910000", "--minimum", "1"], ["remove", "bob"],
        ]
        for (i, change) in changes.enumerated() {
            if let command = change.first {
                try program.print(["trustnet", command, "--folder", folder] + change.dropFirst())
                #expect(try succeed("show").contains("makes it version \(i + 1)"))
            }
            try succeed("sign", "--key", bootstrap.file)
            let signed = try published()
            #expect(signed.trustnet.version == i + 1)
            #expect(history.judge(signed, now: Int64(Date().timeIntervalSince1970)) == .accepted)
            history = TrustnetHistory(holding: signed)
        }
        let trustnet = try published().trustnet
        #expect(trustnet.members.map(\.authority.name.description) == ["alice", "carol"])
        #expect(trustnet.members.map(\.withdrawn) == [nil, 910_000] && trustnet.minimum == 1)
        #expect(trustnet.members[0].authority.urls == ["https://alice.example/concord", "https://a.example"])
        #expect(try published(3).trustnet.members[1].withdrawn == 900_000, "versions stay")

        // Without a change there is no new version, and no byte changes.
        let before = try files()
        #expect(try succeed("sign", "--key", bootstrap.file).hasPrefix("nothing changed since version 6"))
        #expect(try files() == before)
        // A change taken back is none.
        try succeed("retire", "alice", "--from", "1", "--minimum", "1")
        try succeed("add", "dave", try self.key("dave").key, "https://dave.example")
        try succeed("remove", "dave")
        let draft = try scratch.read("net.state/draft.json")
        let withdrawn = "      \"withdrawn\": 1,\n"
        try scratch.write(
            String(decoding: draft, as: UTF8.self).replacing(withdrawn, with: ""), to: "net.state/draft.json")
        #expect(try succeed("sign", "--key", bootstrap.file).hasPrefix("nothing changed since version 6"))
        #expect(try files() == before)
    }

    /// Alice's key, as openssl knows it.
    private func aliceKey() throws -> String {
        let der = try Program.installed("openssl").print(
            "ec", "-in", scratch.path("alice.pem"), "-pubout", "-conv_form", "compressed", "-outform", "DER")
        return Array(der.suffix(33)).hex
    }

    @Test func expiryIsAChange() throws {
        let bootstrap = try begin()
        try succeed("sign", "--key", bootstrap.file, "--expires", "2099-01-02")
        #expect(try published().trustnet.expires == Timestamp.seconds("2099-01-02T00:00:00Z"))
        try succeed("sign", "--key", bootstrap.file, "--expires", "30")
        let trustnet = try published().trustnet
        let left = trustnet.expires - Int64(Date().timeIntervalSince1970)
        #expect(trustnet.version == 2 && (30 * 86_400 - 60...30 * 86_400).contains(left))
        let before = try files()
        for wrong in ["0", "2020-01-01", "-1", "tomorrow", "2027-02-30", "36501"] {
            let outcome = try run("sign", "--key", bootstrap.file, "--expires=" + wrong)
            #expect(
                outcome.status == 64 && outcome.errors.contains("--expires"), "\(wrong): \(outcome.errors)")
        }
        #expect(try files() == before)
    }

    @Test func bothKeysSignTheVersionThatReplacesOne() throws {
        let old = try begin()
        try succeed("sign", "--key", old.file)
        let first = try published()
        let new = try key("new")
        try succeed("sign", "--key", old.file, "--new-key", new.file)
        let second = try published()
        #expect(second.trustnet.version == 2 && second.trustnet.bootstrap.hex == new.key)
        let history = TrustnetHistory(holding: first)
        #expect(history.judge(second, now: 0) == .accepted)
        let openssl = try Program.installed("openssl")
        try scratch.write(first.trustnet.bootstrap.pem, to: "old.pem")
        let path = folder + "/trustnet/2.json"
        for (pem, signature) in [
            (scratch.path("old.pem"), path + ".previous.sig"), (folder + "/trustnet.pem", path + ".sig"),
        ] {
            try openssl.print("dgst", "-sha256", "-verify", pem, "-signature", signature, path)
        }
        // Once more is nothing new, and the old key is done.
        let before = try files()
        #expect(
            try succeed("sign", "--key", old.file, "--new-key", new.file).hasPrefix(
                "nothing changed since version 2"))
        try succeed("add", "carol", try key("carol").key, "https://carol.example")
        let outcome = try run("sign", "--key", old.file)
        #expect(outcome.status == 1 && outcome.errors.contains("bootstrap key \(new.key)"))
        #expect(try signedPart() == before.filter { $0.key.hasPrefix("net/") })
        try succeed("sign", "--key", new.file)
        let third = try published()
        #expect(third.trustnet.version == 3 && third.previousSignature == nil)
        #expect(TrustnetHistory(holding: second).judge(third, now: 0) == .accepted)
        // Who was away needs the version in between.
        #expect(
            history.judge(third, now: 0)
                == .refused(
                    .otherKey(third.trustnet.bootstrap, wanted: first.trustnet.bootstrap, between: 2..<3)))
    }

    /// A key that is not the bootstrap key cannot make itself one.
    @Test func onlyTheBootstrapKeySigns() throws {
        _ = try begin()
        let other = try key("other")
        for more in [[], ["--new-key", other.file]] {
            let outcome = try program.run(
                ["trustnet", "sign", "--folder", folder, "--key", other.file] + more)
            #expect(outcome.status == 1, "\(outcome.errors)")
        }
        #expect(try files().keys.sorted() == ["net.state/draft.json", "net.state/lock"])
    }

    /// A run that is killed after any of its durable steps is finished by the next one, byte for byte.
    @Test(arguments: [false, true]) func aKilledRunIsFinished(isReplacing: Bool) throws {
        let old = try begin()
        try succeed("sign", "--key", old.file)
        try succeed("add", "carol", try key("carol").key, "https://carol.example")
        let before = try files()
        let new = try key("new")
        let sign =
            ["trustnet", "sign", "--folder", folder, "--key", old.file]
            + (isReplacing ? ["--new-key", new.file] : [])
        try program.print(sign)
        let after = try files()
        // In the order in which they appear.
        let steps =
            ["net.state/journal/2.json"] + (isReplacing ? ["net/trustnet/2.json.previous.sig"] : []) + [
                "net/trustnet/2.json.sig", "net/trustnet/2.json", "net/trustnet.pem", "net/trustnet.json.sig",
                "net/trustnet.json",
            ]
        for count in 1...steps.count {
            for (path, bytes) in before { try scratch.write(bytes, to: path) }
            for path in after.keys where before[path] == nil && !steps[..<count].contains(path) {
                try scratch.remove(path)
            }
            for path in steps[..<count] { try scratch.write(try #require(after[path]), to: path) }

            // Whatever of it can be seen by now, a client gets a whole version.
            #expect([1, 2].contains(try published().trustnet.version), "\(count)")
            let isWhole = count == steps.count
            #expect(try succeed("show").contains("is not wholly there") == !isWhole)
            let said = String(decoding: try program.print(sign), as: UTF8.self)
            #expect(said.hasPrefix(isWhole ? "nothing changed" : "finished version 2"), "\(count): \(said)")
            #expect(try files() == after, "after \(steps[count - 1])")
        }
    }

    /// What was changed after a run was killed is the next version.
    @Test func changesBehindAKilledRun() throws {
        let bootstrap = try begin()
        try succeed("sign", "--key", bootstrap.file)
        try succeed("retire", "bob", "--from", "5", "--minimum", "1")
        try succeed("sign", "--key", bootstrap.file)
        try scratch.remove("net/trustnet.json")
        try succeed("add", "carol", try key("carol").key, "https://carol.example")
        try succeed("sign", "--key", bootstrap.file)
        #expect(try published().trustnet.version == 3)
        #expect(try published(2).trustnet.members.map(\.withdrawn) == [nil, 5])
    }

    @Test func aNumberIsUsedOnce() throws {
        let bootstrap = try begin()
        try succeed("sign", "--key", bootstrap.file, "--expires", "2099-01-01")
        try succeed("sign", "--key", bootstrap.file, "--expires", "2098-01-01")
        let whole = try signedPart()

        // Of a backup of before the second version, and of no state at all.
        let journal = try scratch.read("net.state/journal/2.json")
        try scratch.remove("net.state/journal/2.json")
        for command in [
            ["sign", "--key", bootstrap.file, "--expires", "2097-01-01"], ["remove", "bob"], ["show"],
        ] {
            let outcome = try program.run(["trustnet", command[0], "--folder", folder] + command.dropFirst())
            #expect(outcome.status == 1 && outcome.errors.contains("take that folder from a backup"))
        }
        try scratch.remove("net.state")
        let lost = try run("sign", "--key", bootstrap.file)
        #expect(lost.status == 1 && lost.errors.contains("take that folder from a backup"))
        let new = try run("new", "--name", "example", "--key", bootstrap.file)
        #expect(new.status == 1 && new.errors.contains("take that folder from a backup"))
        #expect(try signedPart() == whole)

        // As the message says.
        for version in [1, 2] {
            try scratch.write(
                try scratch.read("net/trustnet/\(version).json"), to: "net.state/journal/\(version).json")
        }
        #expect(try scratch.read("net.state/journal/2.json") == journal)
        try succeed("sign", "--key", bootstrap.file, "--expires", "2097-01-01")
        #expect(try published().trustnet.version == 3)

        // Another document where the journal's belongs.
        try scratch.write(try scratch.read("net/trustnet/1.json"), to: "net/trustnet/3.json")
        let outcome = try run("sign", "--key", bootstrap.file)
        #expect(outcome.status == 1 && outcome.errors.contains("is another document"))
    }

    @Test func whatIsRefused() throws {
        let missing = try run("show")
        #expect(missing.status == 1 && missing.errors.contains("holds no trustnet"))
        #expect(try run("add", "alice", try key("a").key, "https://a").status == 1)
        #expect(!FileManager.default.fileExists(atPath: folder), "a mistyped folder is not made")

        for name in [".", "..", "net/..", "/", ""] {
            let outcome = try program.run("trustnet", "show", "--folder", name, in: scratch.folder)
            #expect(outcome.status == 64 && outcome.errors.contains("--folder"), "\(name)")
        }

        let bootstrap = try begin("--network", "regtest", "--epoch", "50", "--minimum", "3")
        let alice = try aliceKey()
        let other = try key("other").key
        let before = try files()
        let refusals: [([String], String)] = [
            (["add", "eve", alice, "https://eve.example"], "same key"),
            (["add", "alice", other, "https://eve.example"], "another key"),
            (["add", "eve", other, "file:///srv"], "is no URL of a tree"),
            (["add", "eve", other, "https://eve.example?x"], "is no URL of a tree"),
            (["add", "eve", other, "https://eve.example", "https://eve.example/"], "twice"),
            (["add", "eve", other], "url"),
            (["add", ".eve", other, "https://eve.example"], "a name is 1 to 40"),
            (
                ["add", "eve", "02" + String(repeating: "0", count: 64), "https://eve.example"],
                "no public key"
            ),
            (["remove", "eve"], "there is no «eve»"),
            (["retire", "eve", "--from", "1"], "there is no «eve»"),
            (["retire", "bob"], "--from"), (["retire", "bob", "--from", "10000000"], "no height"),
            (["remove", "bob", "--minimum", "0"], "minimum 0"),
            (["sign", "--key", bootstrap.file], "at least 3, and has 2 authorities"),
        ]
        for (words, wanted) in refusals {
            let outcome = try program.run(["trustnet", words[0], "--folder", folder] + words.dropFirst())
            #expect(
                outcome.status == 64 && outcome.errors.contains(wanted), "\(words): \(outcome.errors)")
        }
        let again = try run("new", "--name", "example", "--key", bootstrap.file)
        #expect(again.status == 1 && again.errors.contains("already"))
        #expect(try files() == before)

        try succeed("add", "carol", other, "https://carol.example")
        try succeed("sign", "--key", bootstrap.file)
        let trustnet = try published().trustnet
        #expect(trustnet.network == .regtest && trustnet.parameters == TreeParameters(shards: 16, epoch: 50))
    }

    @Test func showSaysWhatIsThere() throws {
        let bootstrap = try begin()
        #expect(
            try succeed("show").hasSuffix(
                "not signed yet: «concord-publish trustnet sign» makes it version 1\n"))
        try succeed("sign", "--key", bootstrap.file, "--expires", "2099-01-02")
        let alice = try aliceKey()
        try succeed("retire", "bob", "--from", "900000", "--minimum", "1")
        let bob = try published().trustnet.members[1].authority.key
        let digest = SHA256.hash(try scratch.read("net/trustnet.json"))
        let words = try #require(PublicKey(hex: bootstrap.key)).words.joined(separator: " ")
        #expect(
            try succeed("show") == """
                trustnet   example
                network    main, 1024 shards, epochs of 1000 blocks
                minimum    1 of 1
                bootstrap  \(bootstrap.key)
                words      \(words)
                alice  \(alice)
                    https://alice.example/concord
                bob  \(bob)  withdrawn: counts below height 900000 only
                    https://bob.example
                    http://mirror.example/bob
                version    1, expires 2099-01-02T00:00:00Z
                sha256     \(digest.hex)
                changed since: «concord-publish trustnet sign» makes it version 2

                """)
    }
}
