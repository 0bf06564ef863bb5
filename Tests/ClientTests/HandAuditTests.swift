import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

/// `audit.sh` and `concord verify` on what a hostile host may do to a tree: they agree case by case.
@Suite(.waits) struct HandAuditTests {
    enum Spoilt: String, CaseIterable {
        case gzip, gzipBehind, bytesBehind, window, tooMuch, noBytes, otherShard, pipe
        case skippable, link, otherLevel
        case otherPatch, section, sectionsBehind
        case emptyLine, otherKey, highS, longSignature, misplaced
        case headersBeyond, latestOfAnother, latestLower, authority, names

        /// Whether all is right nevertheless.
        var isRight: Bool {
            [.skippable, .link, .otherLevel, .misplaced, .latestLower, .names].contains(self)
        }

        /// Changes the tree. Returns the file that is wrong, or that nobody signed.
        func spoil(_ copy: VerifyTests.Copy) throws -> String {
            let tree = copy.tree
            let zstd = try Program.installed("zstd")
            let shard = tree.paths("snapshots", containing: "/0000100-").filter { $0.hasSuffix(".zst") }[9]
            let patch = tree.paths("patches", containing: "/0000117-")[0]
            let attestation = try tree.attestation(113)
            func unpacked(_ path: String) throws -> [UInt8] { try zstd.print("-dcq", tree.path(path)) }
            func packed(_ bytes: [UInt8], _ options: String...) throws -> [UInt8] {
                try zstd.print(["-cq"] + options, input: bytes)
            }
            /// The patch with a frame of its own for each section, and the last section changed behind its entry's back.
            func repacked(_ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
                func frame(_ bytes: [UInt8]) -> [UInt8] {
                    (try? packed(bytes, "-19", "--stream-size=\(bytes.count)")) ?? []
                }
                var sections = try patchSections(try unpacked(patch), shards: 16)
                var file = PlainPatchFile(sections, frame: frame)
                change(&sections[15])
                file.sectionFrames[15].bytes = frame(sections[15])
                return file.bytes()
            }
            let gz = try Program.installed("gzip")
            switch self {
            case .gzip: try tree.replace(shard, try gz.print("-c", input: try unpacked(shard)))
            case .gzipBehind: try tree.replace(shard, try tree.read(shard) + gz.print("-c"))
            case .bytesBehind: try tree.replace(shard, try tree.read(shard) + [0])
            case .window: try tree.replace(shard, try packed(try unpacked(shard), "--zstd=wlog=24"))
            case .tooMuch: try tree.replace(shard, try packed([UInt8](repeating: 0, count: 50_000_000)))
            case .noBytes: try tree.replace(shard, [])
            case .otherShard:
                try tree.replace(
                    shard,
                    try tree.read(
                        tree.paths("snapshots", containing: "/0000120-").filter { $0.hasSuffix(".zst") }[9]))
            case .pipe:
                try tree.remove(shard)
                try Program.installed("mkfifo").print(tree.path(shard))
            case .skippable:
                try tree.replace(shard, [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7] + tree.read(shard))
            case .link:
                try tree.remove(shard)
                try FileManager.default.createSymbolicLink(
                    atPath: tree.path(shard), withDestinationPath: copy.published.tree.path(shard))
            case .otherLevel: try tree.replace(patch, try repacked { _ in })
            case .otherPatch:
                try tree.replace(patch, try tree.read(tree.paths("patches", containing: "/0000118-")[0]))
                return patch
            case .section:
                try tree.replace(patch, try repacked { $0[$0.count - 1] ^= 1 })
                return patch
            case .sectionsBehind:
                try tree.replace(patch, try repacked { $0.append(0) })
                return patch
            case .emptyLine:
                try tree.replace(attestation, try tree.text(attestation) + "\n")
                return attestation
            case .otherKey:
                let other = try PublishedTree.short.get()[1].tree
                for end in ["", ".sig"] {
                    try tree.replace(attestation + end, try other.read(other.attestation(113) + end))
                }
                return attestation
            case .highS:
                try tree.replace(
                    "\(attestation).sig", try Self.withHighS(try tree.read("\(attestation).sig")))
                return attestation
            case .longSignature:
                try tree.replace("\(attestation).sig", try tree.read("\(attestation).sig") + [0])
                return attestation
            case .misplaced:
                let path = "attestations/0000120/\(attestation.split(separator: "/")[2])"
                try tree.replace(path, try tree.read(attestation))
                return path
            case .headersBeyond:
                let bytes = try tree.read("headers/0000120.bin")
                try tree.replace("headers/0000120.bin", bytes + bytes.suffix(80))
                return "headers/0000120.bin"
            case .latestOfAnother:
                try tree.replace(
                    "latest.txt", "\(PublishedTree.shortTip) " + String(repeating: "0", count: 64) + "\n")
                return "latest.txt"
            case .latestLower:
                try tree.replace("latest.txt", "113 \(attestation.suffix(68).dropLast(4))\n")
                return ""
            case .authority:
                try tree.replace(
                    "authority.txt",
                    try tree.text("authority.txt").replacingOccurrences(of: "first: 100", with: "first: 0100")
                )
                return ""
            case .names:
                for name in [
                    "$(touch x)", "a b'\"", "-rf", "new\nline/x", "attestations/0000100/\n.txt", "*",
                ] {
                    try tree.replace(name, "x")
                }
                try FileManager.default.createSymbolicLink(
                    atPath: tree.path("snapshots/loop"), withDestinationPath: "..")
                return "$(touch x)"
            }
            return isRight ? "" : shard
        }

        /// The same signature to openssl: s becomes the order less s.
        private static func withHighS(_ der: [UInt8]) throws -> [UInt8] {
            let order: [UInt8] =
                [UInt8](repeating: 0xff, count: 15) + [
                    0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36,
                    0x41,
                    0x41,
                ]
            let r = der[2..<4 + Int(der[3])]
            let low = [UInt8](der.suffix(Int(der[5 + Int(der[3])])))
            let padded = [UInt8](repeating: 0, count: 32 - low.suffix(32).count) + low.suffix(32)
            var high = order
            var borrow = 0
            for i in (0..<32).reversed() {
                let digit = Int(order[i]) - Int(padded[i]) - borrow
                borrow = digit < 0 ? 1 : 0
                high[i] = UInt8(digit + borrow * 256)
            }
            let body = [UInt8](r) + [2, 33, 0] + high
            return [0x30, UInt8(body.count)] + body
        }
    }

    /// Every case with one of the shells: they take turns.
    @Test(arguments: zip(Spoilt.allCases, Spoilt.allCases.indices)) func agrees(spoilt: Spoilt, turn: Int)
        throws
    {
        let copy = try VerifyTests.Copy()
        let file = try spoilt.spoil(copy)
        let shell = HandAudit.allCases[turn % 2]
        let outcome = try Client.program().run(["verify", copy.tree.root])
        let audit = try shell.run([copy.tree.root])
        #expect(outcome.status == (spoilt.isRight ? 0 : 4), "\(outcome.said)")
        #expect(audit.status == (spoilt.isRight ? 0 : 4), "\(audit.said)")
        guard !file.isEmpty else { return }
        for outcome in [outcome, audit] {
            if spoilt.isRight {
                #expect(outcome.output.contains("unsigned  \(file)\n"), "\(outcome.said)")
            } else {
                #expect(outcome.wrong.contains { $0.contains(copy.tree.path(file)) }, "\(outcome.said)")
            }
        }
        #expect(!FileManager.default.fileExists(atPath: copy.tree.path("x")))
    }

    /// The script reads patches in groups: one that is wrong far up is found too.
    @Test(arguments: zip(HandAudit.allCases, [Spoilt.otherPatch, .section])) func aLaterGroup(
        shell: HandAudit, spoilt: Spoilt
    ) throws {
        let copy = try VerifyTests.Copy(try PublishedTree.atTip.get()[0])
        let paths = copy.tree.paths("patches", containing: "/0000217-")
        if spoilt == .section {
            try copy.tree.flip(paths[0])
        } else {
            try copy.tree.replace(
                paths[0], try copy.tree.read(copy.tree.paths("patches", containing: "/0000218-")[0]))
        }
        let outcome = try shell.run([copy.tree.root])
        #expect(outcome.status == 4 && outcome.wrong.count == 1, "\(outcome.said)")
        #expect(outcome.wrong[0].contains(copy.tree.path(paths[0])), "\(outcome.said)")
    }

    /// What cannot be written down cannot be checked: no verdict, whatever could not be written.
    @Test(arguments: HandAudit.allCases) func aFullDisk(shell: HandAudit) throws {
        let copy = try VerifyTests.Copy()
        try copy.tree.flip(copy.tree.paths("patches", containing: "/0000117-")[0])
        for blocks in [0, 1, 8, 64, 256] {
            let outcome = try shell.run([copy.tree.root], blocks: blocks)
            #expect(outcome.status == 1 && !outcome.output.contains("right"), "\(blocks): \(outcome.said)")
            guard blocks > 0 else { continue }
            #expect(outcome.errors.contains("cannot be written"), "\(blocks): \(outcome.said)")
        }
    }

    /// Over HTTP the newest epoch is fetched and all headers.
    @Test(arguments: HandAudit.allCases) func overHTTP(shell: HandAudit) throws {
        let site = try Site(try PublishedTree.atTip.get()[0])
        let right = try shell.run([site.url + "/", "--key", site.publicKey])
        #expect(right.status == 0 && right.errors.isEmpty, "\(right.said)")
        #expect(
            right.output.contains(
                "31 attestations, 31 files of MuHashes, 31 patches, 4 deltas, 1 snapshots with 16 shards, 331 headers\n"
            ))

        let spoilt = site.tree.paths("snapshots", containing: "/0000300-").filter { $0.hasSuffix(".zst") }[9]
        try site.tree.flip(spoilt)
        let wrong = try shell.run([site.url])
        #expect(wrong.status == 4 && wrong.wrong.count == 1, "\(wrong.said)")
        #expect(wrong.wrong.contains { $0.contains("\(site.url)/\(spoilt)") })
        // Another shard is as good as before, and only it is asked for.
        let before = site.served().count
        let one = try shell.run([site.url, "--shard", "2"])
        #expect(one.status == 0 && one.output.contains("1 snapshots with 1 shards"), "\(one.said)")
        #expect(
            site.served().dropFirst(before).filter { $0.contains("/shards/") }.map { $0.suffix(7) } == [
                "002.zst"
            ])

        try site.tree.remove(try site.tree.attestation(320) + ".sig")
        #expect(try shell.run([site.url, "--shard", "2"]).status == 4)
        try site.tree.remove("authority.txt")
        #expect(try shell.run([site.url]).status == 1)
    }

    /// Nobody signs headers: a host is asked for none of them, and for nothing else, where the newest attestation is not
    /// what the key signed.
    @Test(arguments: HandAudit.allCases) func noHeadersWithoutASignature(shell: HandAudit) throws {
        let site = try Site(try PublishedTree.atTip.get()[0])
        let newest = try site.tree.attestation(PublishedTree.tip)
        let signature = try site.tree.read("\(newest).sig")
        // Another attestation's: well formed, and by the same key.
        try site.tree.replace("\(newest).sig", try site.tree.read(site.tree.attestation(329) + ".sig"))
        for key in [[], ["--key", site.publicKey]] {
            let before = site.server.requests.count
            let outcome = try shell.run([site.url] + key)
            #expect(outcome.status == 4 && outcome.wrong.count == 1, "\(outcome.said)")
            #expect(
                outcome.output.contains("\(site.url)/\(newest): is not signed by the key \(site.publicKey)\n")
            )
            #expect(outcome.output.contains("(as the tree says itself)") == key.isEmpty)
            #expect(
                site.server.requests.dropFirst(before).map { $0.split(separator: " ")[1] }.sorted() == [
                    "/\(newest)", "/\(newest).sig", "/authority.pem", "/authority.txt", "/latest.txt",
                ])
        }
        // Every byte of it as it was, and no signature.
        try site.tree.remove("\(newest).sig")
        #expect(try shell.run([site.url]).status == 4 && !site.asked("headers/"))
        try site.tree.replace("\(newest).sig", signature)
        #expect(try shell.run([site.url, "--shard", "2"]).status == 0 && site.asked("headers/"))
    }

    /// A host may name any height.
    @Test(arguments: [9_999_999, 3_000_001, 2_999_999]) func aHeightWithoutEnd(height: Int) throws {
        let site = try Site(try PublishedTree.atTip.get()[0])
        try site.tree.replace("latest.txt", "\(height) " + String(repeating: "0", count: 64) + "\n")
        let outcome = try HandAudit.allCases[height % 2].run([site.url])
        #expect(outcome.status == 4 && outcome.wrong.count == 1, "\(outcome.said)")
        #expect(!site.asked("headers/") && site.asked("attestations/") == (height < 3_000_000))
        #expect(
            outcome.output.contains("no network has blocks above 3000000") == (height > 3_000_000),
            "\(outcome.said)")
    }

    /// Whose key signed the newest attestation can still make up headers: the first file that is wrong is the last one.
    @Test func headersThatAreMadeUp() throws {
        let site = try Site(try PublishedTree.atTip.get()[0])
        // Linked and with work, but not from the network's genesis block on.
        let headers = try site.tree.read("headers/0000000.bin")
        var first = TestHeaders.genesis
        first[76] += 1
        while (try? HeaderChain(parsing: first, from: 0)) == nil { first[76] += 1 }
        try site.tree.replace("headers/0000000.bin", first + TestHeaders.chain(49, on: first))
        let other = try HandAudit.dash.run([site.url])
        #expect(other.status == 4 && other.wrong.count == 1, "\(other.said)")
        #expect(other.wrong[0].contains("begins with another block than the network does"), "\(other.said)")
        #expect(site.served().filter { $0.hasPrefix("headers/") } == ["headers/0000000.bin"])
        // verify says the same of a copy.
        let copy = try Client.program().run("verify", site.tree.root)
        #expect(copy.wrong.contains { $0.contains("begins with another block than the network does") })

        // A file that ends early leads nowhere.
        try site.tree.replace("headers/0000000.bin", headers)
        try site.tree.replace("headers/0000100.bin", try site.tree.read("headers/0000100.bin").prefix(800))
        let before = site.served().count
        let short = try HandAudit.busybox.run([site.url])
        #expect(short.status == 4 && short.wrong.count == 1, "\(short.said)")
        #expect(
            site.served().dropFirst(before).filter { $0.hasPrefix("headers/") } == [
                "headers/0000000.bin", "headers/0000050.bin", "headers/0000100.bin",
            ])
    }

    /// A server that sends without end fills no disk.
    @Test func aServerWithoutEnd() throws {
        let server = try HostileServer { socket in
            guard socket.receiveRequest() != nil, socket.send("HTTP/1.1 200 OK\r\n\r\n") else { return }
            while socket.send(String(repeating: "x", count: 1 << 16)) {}
        }
        defer { server.stop() }
        let outcome = try HandAudit.dash.run([server.base])
        #expect(outcome.status == 4, "\(outcome.said)")
    }
}

extension Site {
    /// Whether anything was asked for whose path begins so, there or not.
    fileprivate func asked(_ prefix: String) -> Bool {
        server.requests.contains { $0.split(separator: " ")[1].hasPrefix("/\(prefix)") }
    }
}
