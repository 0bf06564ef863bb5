import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

/// `concord verify` of a tree on the disk.
@Suite(.waits) struct VerifyTests {
    /// A copy to spoil, of blocks 100 to 126 with epochs of ten blocks unless another is given.
    struct Copy {
        let scratch: Scratch
        let tree: PlainTree
        let published: PublishedTree

        init(_ published: PublishedTree) throws {
            scratch = try Scratch()
            self.published = published
            tree = PlainTree(scratch.path("tree"))
            try published.tree.link(to: tree.root)
        }

        init() throws { try self.init(try PublishedTree.short.get()[0]) }

        func verify(_ arguments: String...) throws -> Program.Outcome {
            try Client.program().run(["verify", tree.root] + arguments)
        }

        /// What `verify` says, with `audit.sh` held to it: the same verdict, and a file that both name.
        func verifyBoth(
            naming words: String? = nil, shells: [HandAudit] = HandAudit.allCases, _ arguments: String...
        ) throws -> Program.Outcome {
            let outcome = try Client.program().run(["verify", tree.root] + arguments)
            for shell in shells {
                let audit = try shell.run([tree.root] + arguments)
                #expect(audit.status == (outcome.status == 0 ? 0 : 4), "\(shell): \(audit.said)")
                #expect(audit.errors.isEmpty && audit.wrong.isEmpty == outcome.wrong.isEmpty)
                guard let words else { continue }
                #expect(audit.wrong.contains { $0.contains(words) }, "\(shell): \(audit.said)")
                #expect(outcome.wrong.contains { $0.contains(words) }, "\(outcome.said)")
            }
            return outcome
        }
    }

    struct Report: Decodable {
        let authority, network, key: String
        let height: Int?
        let attestations, patches, snapshots, shards, headers: Int
        let problems, unsigned: [String]
    }

    @Test func everythingIsRight() throws {
        for published in try PublishedTree.atTip.get() {
            let outcome = try Client.program().run(
                "verify", published.tree.root, "--key", published.publicKey)
            #expect(
                outcome.status == 0 && outcome.output.hasSuffix("everything is right\n")
                    && outcome.errors.isEmpty)
            let json = try Client.program().run("verify", published.tree.root, "--json")
            let report: Report = try json.json()
            #expect(json.status == 0 && report.problems.isEmpty && report.unsigned.isEmpty)
            #expect(report.attestations == 331 && report.patches == 331 && report.headers == 331)
            #expect(report.snapshots == 7 && report.shards == 112 && report.key == published.publicKey)
        }
        let deep = try Client.program().run("verify", try PublishedTree.atTip.get()[0].tree.root, "--deep")
        #expect(deep.status == 0 && deep.output.hasSuffix("everything is right\n"), "\(deep.said)")
    }

    enum Part: String, CaseIterable {
        case shard, patch, manifest, attestation, signature, header, latest, pem

        func path(_ tree: PlainTree) throws -> String {
            switch self {
            case .shard: tree.paths("snapshots", containing: "/0000110-")[9]
            case .patch: tree.paths("patches", containing: "/0000117-")[0]
            case .manifest:
                tree.paths("snapshots", containing: "/0000120-").first { $0.hasSuffix("manifest.txt") } ?? ""
            case .attestation: try tree.attestation(113)
            case .signature: try tree.attestation(114) + ".sig"
            case .header: "headers/0000100.bin"
            case .latest: "latest.txt"
            case .pem: "authority.pem"
            }
        }

        /// Under which shell `audit.sh` meets it: they take turns, for each takes seconds.
        var shells: (flipped: HandAudit, missing: HandAudit) {
            Self.allCases.firstIndex(of: self).map { $0 % 2 == 0 } == true
                ? (.dash, .busybox) : (.busybox, .dash)
        }

        /// How the file is named to people: a signature by what it signs.
        func shown(_ tree: PlainTree) throws -> String {
            let path = try path(tree)
            return self == .signature ? String(path.dropLast(4)) : path
        }
    }

    @Test(arguments: Part.allCases) func oneBit(part: Part) throws {
        let copy = try Copy()
        let path = try part.path(copy.tree)
        let shown = try part.shown(copy.tree)
        try copy.tree.flip(path)
        let outcome = try copy.verifyBoth(naming: copy.tree.path(shown), shells: [part.shells.flipped])
        #expect(outcome.status == 4, "\(outcome.said)")
        #expect(outcome.output.contains("things are wrong") || outcome.output.contains("thing is wrong"))
        // What an attestation that is not valid would have signed is signed by nobody.
        if part != .attestation, part != .signature {
            #expect(!outcome.output.contains("unsigned"), "\(outcome.said)")
        }
    }

    @Test(arguments: Part.allCases) func missing(part: Part) throws {
        let copy = try Copy()
        let path = try part.path(copy.tree)
        try copy.tree.remove(path)
        let words =
            switch part {
            // The next one does not go on where the one before ended.
            case .header: copy.tree.path("headers/0000110.bin")
            // Headers and the next statement name its block.
            case .attestation: try copy.tree.attestation(114)
            default: copy.tree.path(path)
            }
        #expect(try copy.verifyBoth(naming: words, shells: [part.shells.missing]).status == 4)
    }

    @Test func filesThatNobodySigned() throws {
        let copy = try Copy()
        let extra = [
            "attestations/0000120/README", "snapshots/extra.zst", "more/x", ".hidden",
            "patches/0000120/0000127-00.zst",
        ]
        for path in extra { try copy.tree.replace(path, "x") }
        try FileManager.default.createSymbolicLink(
            atPath: copy.tree.path("snapshots/link"), withDestinationPath: "/etc")
        let outcome = try copy.verify("--json")
        let report: Report = try outcome.json()
        #expect(
            Set(report.unsigned) == Set(extra + ["snapshots/link"]) && report.problems.isEmpty, "\(report)")
        #expect(outcome.status == 0)
        for words in [try copy.verifyBoth(), try HandAudit.dash.run([copy.tree.root])] {
            for path in extra + ["snapshots/link"] { #expect(words.output.contains("unsigned  \(path)\n")) }
        }
    }

    /// Nobody signs a torrent, and a tree needs none.
    @Test func torrents() throws {
        let copy = try Copy()
        let torrents = copy.tree.paths("snapshots", containing: "/snapshot.")
        #expect(torrents.count == 6)
        for (i, path) in torrents.enumerated() {
            if i % 2 == 0 { try copy.tree.flip(path) } else { try copy.tree.remove(path) }
        }
        let outcome = try copy.verify()
        #expect(outcome.status == 0 && outcome.output.hasSuffix("everything is right\n"), "\(outcome.said)")
        #expect(!outcome.output.contains("unsigned"), "\(outcome.said)")
        // Of a block that nobody attests it is foreign.
        let path = torrents[0].replacing("/0000100-", with: "/0000400-")
        try copy.tree.replace(path, "x")
        #expect(try copy.verify().output.contains("unsigned  \(path)\n"))
    }

    @Test func anotherKey() throws {
        let copy = try Copy()
        let other = try PublishedTree.short.get()[1].publicKey
        let outcome = try copy.verifyBoth(naming: copy.tree.path("authority.txt"), "--key", other)
        // The first cause, not every file that it is the cause of.
        #expect(
            outcome.status == 4 && outcome.wrong.count == 1 && outcome.output.contains("1 thing is wrong"))
        let own = copy.published.publicKey
        let line = "WRONG  \(copy.tree.path("authority.txt")): names the key \(own), you gave \(other): "
        #expect(outcome.wrong[0].hasPrefix(line))
        let audit = try HandAudit.dash.run([copy.tree.root, "--key", other])
        #expect(
            audit.wrong.count == 1 && audit.wrong[0].hasPrefix(line)
                && audit.output.hasSuffix("1 thing is wrong\n"))
        for bad in ["", "02", other + "00", String(other.dropLast()) + "g"] {
            #expect(try copy.verify("--key=\(bad)").status == 64)
        }
    }

    @Test func noTreeAtAll() throws {
        let scratch = try Scratch()
        for path in [scratch.folder, scratch.path("missing")] {
            let outcome = try Client.program().run("verify", path)
            #expect(
                outcome.status == 1 && outcome.errors.contains("\(path)/authority.txt"), "\(outcome.said)")
            for shell in HandAudit.allCases { #expect(try shell.run([path]).status == 1) }
        }
    }

    /// The owner of the key signs a set in which one coin is worth more: only the coins themselves tell.
    @Test func signedButWrong() throws {
        let copy = try Copy()
        try copy.resign(from: 120)
        #expect(try copy.verifyBoth().status == 0)
        let plain = try copy.verify("--json")
        let report: Report = try plain.json()
        #expect(plain.status == 0 && report.problems.isEmpty, "\(report)")

        let deep = try copy.verify("--deep")
        #expect(deep.status == 4)
        let wrong = deep.output.split(separator: "\n").filter { $0.hasPrefix("WRONG  ") }
        #expect(!wrong.isEmpty && wrong.allSatisfy { $0.contains("snapshots/0000120-") }, "\(deep.said)")
        #expect(wrong.contains { $0.contains("MuHash") } && wrong.contains { $0.contains("snapshot before") })
        #expect(wrong.contains { $0.contains("satoshi") })
    }
}

extension VerifyTests.Copy {
    /// Changes a coin's amount in a snapshot, and signs anew everything that follows from it.
    func resign(from start: Int) throws {
        let key = try SigningKey(readingFrom: published.keyFile)
        let first = try tree.attestation(start)
        let folder = "snapshots/\(first.split(separator: "/")[2].dropLast(4))"

        // A coin of 50 bitcoin: compressed amount 50 is one byte, as are 51 bitcoin.
        let shardNumber = 5
        let shardPath = "\(folder)/shards/00\(shardNumber).zst"
        var bytes = try Program.installed("zstd").print("-dcq", tree.path(shardPath))
        try Self.makeRicher(&bytes)
        try tree.replace(shardPath, try Program.installed("zstd").print("-cq", input: bytes))
        let manifest = try Manifest(parsing: try tree.read("\(folder)/manifest.txt"), shards: 16)
        var shards = manifest.shards
        shards[shardNumber].digest = SHA256.hash(bytes)
        let changed = Manifest(shards)
        try tree.replace("\(folder)/manifest.txt", changed.text)

        var history = changed.root
        for height in start...(tree.attestations().keys.max() ?? start) {
            let path = try tree.attestation(height)
            var attestation = try Attestation(parsing: try tree.read(path))
            if height == start {
                attestation.statement.snapshotRoot = history
            } else {
                history = Statement.history(
                    after: history, block: attestation.statement.block,
                    patchRoot: attestation.statement.patchRoot)
            }
            attestation.statement.history = history
            try tree.replace(path, attestation.text)
            try tree.replace("\(path).sig", try key.sign(attestation.digest))
        }
    }

    /// The first coin of the shard gets another amount, of as many bytes.
    private static func makeRicher(_ bytes: inout [UInt8]) throws {
        // txid, count, index (all below 253 here), then VARINT(height · 2 + coinbase), then the amount.
        guard bytes[32] < 253, bytes[33] < 253 else { throw TestError("another coin first") }
        var offset = 34
        while bytes[offset] >= 0x80 { offset += 1 }
        offset += 1
        // The last digit of seven bits: the tenth power and a digit. Any change is another amount.
        while bytes[offset] >= 0x80 { offset += 1 }
        bytes[offset] ^= 0x20
    }
}
