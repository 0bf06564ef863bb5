import Concord
import ConcordPublish
import Foundation
import TestSupport
import Testing

/// `concord verify` of a tree on the disk.
@Suite(.waits) struct VerifyTests {
    /// A copy to spoil, of blocks 100 to 126 with epochs of twenty blocks unless another is given.
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
        let attestations, muhashes, patches, deltas, snapshots, shards, headers: Int
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
            #expect(report.muhashes == 331 && report.deltas == 33)
            #expect(report.snapshots == 7 && report.shards == 112 && report.key == published.publicKey)
        }
        let deep = try Client.program().run("verify", try PublishedTree.atTip.get()[0].tree.root, "--deep")
        #expect(deep.status == 0 && deep.output.hasSuffix("everything is right\n"), "\(deep.said)")
    }

    enum Part: String, CaseIterable {
        case shard, filter, patch, delta, muhashes, manifest, attestation, signature, header, latest, pem

        func path(_ tree: PlainTree) throws -> String {
            switch self {
            case .shard: tree.paths("snapshots", containing: "/0000100-").filter { $0.hasSuffix(".zst") }[9]
            case .filter: tree.paths("snapshots", containing: "/0000100-").filter { $0.hasSuffix(".gcs") }[9]
            case .patch: tree.paths("patches", containing: "/0000117-")[0]
            case .delta: tree.paths("deltas", containing: "/0000100-")[0]
            case .muhashes: tree.paths("muhashes", containing: "/0000116-")[0]
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
            case .header: copy.tree.path("headers/0000120.bin")
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
        #expect(torrents.count == 4)
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
        #expect(wrong.count { $0.contains("shard 005") } == 2)
    }

    /// Where the tree says that it begins later, or a host removed what shows what deltas should be.
    @Test func belowTheFirstHeightAndDeltasAlone() throws {
        let copy = try Copy()
        try copy.tree.replace(
            "authority.txt",
            try copy.tree.text("authority.txt").replacingOccurrences(of: "first: 100", with: "first: 120"))
        #expect(try copy.verifyBoth(naming: copy.tree.path(try copy.tree.attestation(113))).status == 4)
        let other = try Copy()
        for folder in ["patches", "snapshots", "muhashes"] { try other.tree.remove(folder) }
        #expect(try other.verifyBoth().status == 0)
        let delta = other.tree.paths("deltas", containing: "/0000110-")[0]
        try other.tree.flip(delta)
        #expect(try other.verifyBoth(naming: other.tree.path(delta)).status == 4)
    }

    /// What is said of the set between two snapshots: only the coins tell there too.
    @Test(arguments: ["coins", "amount", "muhash", "muhashes"]) func aLieBetweenSnapshots(field: String)
        throws
    {
        let copy = try Copy()
        let key = try SigningKey(readingFrom: copy.published.keyFile)
        try copy.tree.resign(from: 113, with: key) {
            switch field {
            case "coins": $0.statement.coins += 1
            case "amount": $0.statement.amount -= 1
            case "muhash": $0.statement.muhash = Site.oneDigitChanged($0.statement.muhash)
            default: $0.statement.muhashes = Site.oneDigitChanged($0.statement.muhashes)
            }
        }
        let path = try copy.tree.attestation(113)
        let plain = try copy.verify()
        // The file of the MuHashes is another one then.
        #expect(plain.status == (field == "muhashes" ? 4 : 0), "\(plain.said)")
        let deep = try copy.verify("--deep")
        #expect(deep.wrong.contains { $0.contains("\(path): says other `\(field)` than") }, "\(deep.said)")
        #expect(deep.wrong.count == (field == "muhashes" ? 2 : 1), "\(deep.said)")
    }
}

extension VerifyTests.Copy {
    /// Changes a coin's amount in a snapshot, and signs anew everything that follows from it; what is said of the set stays.
    func resign(from start: Int) throws {
        let key = try SigningKey(readingFrom: published.keyFile)
        let old = try tree.read(
            TreePath.muhashes(try tree.said(start).blockID, try tree.said(start).parameters))
        let (manifest, _) = try tree.replace(shard: 5, ofSnapshot: start) { $0[0].amount += 1 }
        try tree.replace(
            TreePath.muhashes(try tree.said(start).blockID, try tree.said(start).parameters), old)
        try tree.resign(from: start, with: key) { $0.statement.snapshotRoot = manifest.root }
    }
}
