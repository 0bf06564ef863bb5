import Concord
import Foundation
import TestSupport
import Testing

/// Files and folders of a tree that are missing, misplaced, of another kind or not to be read: `audit.sh` and
/// `concord verify` agree case by case.
@Suite(.waits) struct TreeShapeTests {
    enum Shape: String, CaseIterable {
        case strayFiles, otherFolders, epochWithoutSnapshot, noLowestManifest
        case patchBelow, noPatches, noSnapshots
        case patchesFile, snapshotsFile, headersFile, attestationsFile, epochFile
        case authorityFolder, authorityPipe, first
        case longShard, longPatch

        var isRight: Bool {
            [.strayFiles, .otherFolders, .epochWithoutSnapshot, .noLowestManifest].contains(self)
        }

        /// Changes the tree. Returns the files that nobody signed, or one that is wrong.
        func apply(_ tree: PlainTree) throws -> [String] {
            let manifest = tree.paths("snapshots/", containing: "/0000100-").first {
                $0.hasSuffix("manifest.txt")
            }
            switch self {
            case .strayFiles:
                let folders = [
                    "attestations", "attestations/0000100", "muhashes", "muhashes/0000100", "patches",
                    "patches/0000100", "deltas", "deltas/0000100", "snapshots", "headers",
                ]
                return try folders.map {
                    try tree.replace("\($0)/index.html", "x")
                    return "\($0)/index.html"
                }
            case .otherFolders:
                let attestation = try tree.attestation(113)
                return try ["0000120", "foo"].flatMap { folder in
                    try ["", ".sig"].map {
                        let name = attestation.split(separator: "/")[2]
                        let path = "attestations/\(folder)/\(name)\($0)"
                        try tree.replace(path, try tree.read(attestation + $0))
                        return path
                    }
                }
            case .epochWithoutSnapshot:
                let block = try tree.attestation(113).split(separator: "/")[2].dropLast(4)
                return try ["manifest.txt", "shards/000.zst", "snapshot.torrent", "snapshot.magnet"].map {
                    try tree.replace("snapshots/\(block)/\($0)", "x")
                    return "snapshots/\(block)/\($0)"
                }
            case .noLowestManifest:
                let path = try #require(manifest)
                try tree.remove(path)
                return tree.paths("snapshots", containing: "/0000100-")
            case .patchBelow:
                try tree.remove(try #require(manifest))
                let patch = tree.paths("patches", containing: "/0000107-")[0]
                try tree.replace(patch, "evil")
                return [patch]
            case .noPatches, .noSnapshots:
                let folder = self == .noPatches ? "patches" : "snapshots"
                try tree.remove(folder)
                return [folder]
            case .patchesFile: return try tree.replaceFolder("patches", wrong: "patches")
            case .snapshotsFile: return try tree.replaceFolder("snapshots", wrong: "snapshots")
            case .headersFile: return try tree.replaceFolder("headers", wrong: "latest.txt")
            case .attestationsFile:
                return try tree.replaceFolder("attestations", wrong: "headers/0000100.bin")
            case .epochFile:
                return try tree.replaceFolder("attestations/0000120", wrong: "headers/0000120.bin")
            case .authorityFolder:
                try tree.remove("authority.txt")
                try tree.replace("authority.txt/x", "x")
                return []
            case .authorityPipe:
                try tree.remove("authority.txt")
                try Program.installed("mkfifo").print(tree.path("authority.txt"))
                return []
            case .first:
                let text = try tree.text("authority.txt")
                try tree.replace("authority.txt", text.replacing("first: 100", with: "first: 105"))
                return []
            case .longShard, .longPatch:
                let path =
                    self == .longShard
                    ? tree.paths("snapshots", containing: "/0000100-").filter { $0.hasSuffix(".zst") }[9]
                    : tree.paths("patches", containing: "/0000117-")[0]
                // A skippable frame, with more bytes than a file of either kind may have.
                let filling = [UInt8](repeating: 0, count: 17_200_000)
                let size = (0..<4).map { UInt8(filling.count >> (8 * $0) & 0xff) }
                try tree.replace(path, [0x50, 0x2a, 0x4d, 0x18] + size + filling + tree.read(path))
                return [path]
            }
        }
    }

    /// Every case with one of the shells: they take turns.
    @Test(arguments: zip(Shape.allCases, Shape.allCases.indices)) func agrees(shape: Shape, turn: Int)
        throws
    {
        let copy = try VerifyTests.Copy()
        let files = try shape.apply(copy.tree)
        let verified = try Client.program().run("verify", copy.tree.root)
        #expect(try Client.program().run("verify", copy.tree.root, "--deep").status == verified.status)
        let audited = try HandAudit.allCases[turn % 2].run([copy.tree.root])
        for outcome in [verified, audited] {
            #expect(outcome.status == (shape.isRight ? 0 : 4), "\(outcome.said)")
            let lines = outcome.output.split(separator: "\n")
            if shape.isRight {
                let unsigned = lines.filter { $0.hasPrefix("unsigned  ") }.map { $0.dropFirst(10) }
                #expect(Set(unsigned) == Set(files.map { $0[...] }), "\(outcome.said)")
                #expect(
                    outcome.output.contains(" 27 attestations, 27 files of MuHashes, 27 patches, 3 deltas, "),
                    "\(outcome.said)")
            } else {
                #expect(
                    files.allSatisfy { file in outcome.wrong.contains { $0.contains(copy.tree.path(file)) } },
                    "\(outcome.said)")
            }
        }
    }

    /// Neither right nor wrong.
    @Test(arguments: [
        "authority.txt", "authority.pem", "latest.txt", "headers/0000100.bin", "headers",
        "attestations/0000100", "patches", "patches/0000120", "snapshots", "patch", "shard", "signature",
        "foreign", "unreachable",
    ])
    func whatCannotBeRead(what: String) throws {
        let copy = try VerifyTests.Copy()
        try copy.tree.replace("foreign/x", "x")
        let path =
            switch what {
            case "patch": copy.tree.paths("patches", containing: "/0000117-")[0]
            case "shard":
                copy.tree.paths("snapshots", containing: "/0000100-").filter { $0.hasSuffix(".zst") }[9]
            case "signature": try copy.tree.attestation(114) + ".sig"
            case "unreachable": "snapshots"
            default: what
            }
        // A file of its own: those of the copy are links.
        if let bytes = try? copy.tree.read(path) { try copy.tree.replace(path, bytes) }
        let mode = {
            try FileManager.default.setAttributes([.posixPermissions: $0], ofItemAtPath: copy.tree.path(path))
        }
        try mode(what == "unreachable" ? 0o444 : 0)
        defer { try? mode(0o755) }
        let verify = try Program.unprivileged([try Client.program().path, "verify", copy.tree.root])
        let verified = try Program(at: verify[0]).run(Array(verify.dropFirst()))
        let shell = HandAudit.allCases[what.count % 2]
        for outcome in [verified, try shell.run([copy.tree.root], isPrivileged: false)] {
            #expect(
                outcome.status == 1 && outcome.errors.contains(copy.tree.root)
                    && outcome.errors.contains(path)
                    && outcome.wrong.isEmpty, "\(outcome.said)")
        }
    }

    /// What a file system has at the top of a volume, where a tree may begin: not to be read, and nobody's.
    @Test func atTheTopOfAFileSystem() throws {
        let copy = try VerifyTests.Copy()
        for name in [
            "lost+found", ".Trash-1000", "System Volume Information", "$RECYCLE.BIN", ".zfs/snapshot/a",
        ] {
            try copy.tree.replace("\(name)/x", "x")
        }
        try copy.tree.replace(".nfs0123", "x")
        // As a file it is like anything else.
        try copy.tree.replace(".snapshot", "x")
        // Parts of a tree may have a file system of their own.
        let closed =
            ["lost+found"] + ["attestations", "patches", "snapshots", "headers"].map { "\($0)/lost+found" }
        for name in closed { try copy.tree.replace("\(name)/x", "x") }
        let mode = { (mode: Int) in
            for name in closed {
                try FileManager.default.setAttributes(
                    [.posixPermissions: mode], ofItemAtPath: copy.tree.path(name))
            }
        }
        try mode(0)
        defer { try? mode(0o755) }
        let verify = try Program.unprivileged([try Client.program().path, "verify", copy.tree.root])
        let verified = try Program(at: verify[0]).run(Array(verify.dropFirst()))
        for outcome in [verified]
            + (try HandAudit.allCases.map { try $0.run([copy.tree.root], isPrivileged: false) })
        {
            #expect(outcome.status == 0, "\(outcome.said)")
            let unsigned = outcome.output.split(separator: "\n").filter { $0.hasPrefix("unsigned  ") }
            #expect(
                unsigned.map { $0.dropFirst(10) } == [
                    "$RECYCLE.BIN/", ".Trash-1000/", ".nfs0123", ".snapshot", ".zfs/",
                    "System Volume Information/", "attestations/lost+found/", "headers/lost+found/",
                    "lost+found/",
                    "patches/lost+found/", "snapshots/lost+found/",
                ], "\(outcome.said)")
        }
    }

    /// A link that leads to itself is no folder, and no failure of this machine.
    @Test(arguments: ["attestations/loop", "patches/loop", "snapshots/loop", "headers/loop", "loop"])
    func aLinkToItself(path: String) throws {
        let copy = try VerifyTests.Copy()
        try FileManager.default.createSymbolicLink(
            atPath: copy.tree.path(path), withDestinationPath: "loop")
        let outcome = try copy.verifyBoth(shells: [.dash])
        #expect(outcome.status == 0 && outcome.output.contains("unsigned  \(path)\n"), "\(outcome.said)")
    }

    /// Where a person looks on, the script says how far it is; elsewhere it says nothing more.
    @Test func progressOnATerminal() throws {
        let tree = try PublishedTree.atTip.get()[0].tree.root
        let scratch = try Scratch()
        let outcome = try Program.installed("script").run(
            ["-qec", "sh '\(HandAudit.script)' --shard 1 '\(tree)'", "/dev/null"],
            environment: ["TMPDIR": scratch.folder], timeout: 600)
        for words in [
            "checking headers/0000100.bin", "checking attestations: 300 of 331", "checking patches: ",
        ] {
            #expect(outcome.output.contains(words), "\(outcome.said)")
        }
        #expect(outcome.status == 0)
    }

    /// Over HTTP, where nothing can be listed.
    @Test(arguments: ["patches", "snapshots"]) func halfOfTheDataOverHTTP(missing: String) throws {
        let site = try Site(try PublishedTree.atTip.get()[0])
        try site.tree.remove(missing)
        let outcome = try HandAudit.dash.run([site.url, "--shard", "2"])
        #expect(
            outcome.status == 4 && outcome.wrong.allSatisfy { $0.contains("/\(missing)/") }, "\(outcome.said)"
        )
    }
}

extension PlainTree {
    /// A file in the place of a folder. Returns what is wrong then.
    fileprivate func replaceFolder(_ folder: String, wrong: String) throws -> [String] {
        try replace(folder, "x")
        return [wrong]
    }
}
