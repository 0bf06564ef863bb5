import Concord
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What is refused, with what message, and that nothing is left behind.
@Suite(.waits) struct RefusalTests {
    let reference: ReferenceTree

    init() throws {
        reference = try ReferenceTree.of(.regtestRich)
    }

    /// A run that must fail on this machine's account, saying all of `parts`; `tree` stays as it was.
    private func expectRefused(
        _ publication: Publication, _ more: [String] = [], saying parts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try publication.tree.look()
        let outcome = try Publication.program().run(publication.arguments(more))
        #expect(outcome.status == 1, sourceLocation: sourceLocation)
        #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
        #expect(outcome.errors.hasPrefix("error: "), sourceLocation: sourceLocation)
        #expect(
            outcome.errors.hasSuffix("\n") && !outcome.errors.dropLast().contains("\n"),
            sourceLocation: sourceLocation)
        for part in parts {
            #expect(outcome.errors.contains(part), "\(outcome.errors)", sourceLocation: sourceLocation)
        }
        #expect(try publication.tree.look() == before, sourceLocation: sourceLocation)
        #expect(
            !publication.state.files().contains { $0.contains(".tmp") || $0.hasPrefix("journal") },
            sourceLocation: sourceLocation)
    }

    private func fresh() throws -> Publication {
        try Publication(.regtestRich, datadir: reference.publication.datadir)
    }

    @Test func aKeyThatOthersCanRead() throws {
        let publication = try fresh()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: publication.key)
        try expectRefused(
            publication, saying: [publication.key, "mode 0644", "run: chmod 600 \(publication.key)"])
        #expect(publication.state.files().isEmpty)
    }

    @Test func aSecretThatIsMounted() throws {
        let publication = try fresh()
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: publication.key)
        try publication.publish("--to", "0", "--key-readable")
        let key = Array(try String(contentsOfFile: publication.key, encoding: .utf8).utf8)
        let typed = try Publication.program().run(
            publication.arguments(["--to", "1", "--key", "-", "--json"]), input: key)
        #expect(typed.status == 0 && typed.output.contains(publication.publicKey), "\(typed.errors)")
        let nothing = try Publication.program().run(publication.arguments(["--key", "-"]))
        #expect(nothing.status == 1 && nothing.errors.contains("standard input: "), "\(nothing.errors)")
    }

    /// No permission is not absence: bitcoind's folders are for its user alone.
    @Test(arguments: ["blocks", "blocks/xor.dat", "blocks/blk00000.dat", ""])
    func aDataDirectoryThatIsClosed(part: String) throws {
        let publication = try Publication(.regtestRich)
        let path = "\(publication.datadir)/\(part)"
        let mode = {
            try FileManager.default.setAttributes([.posixPermissions: $0], ofItemAtPath: path)
        }
        if part == "blocks/xor.dat" { try Data(count: 8).write(to: URL(fileURLWithPath: path)) }
        try mode(0)
        defer { try? mode(0o755) }
        let words = try Program.unprivileged([try Publication.program().path] + publication.arguments())
        let outcome = try Program(at: words[0]).run(Array(words.dropFirst()))
        #expect(outcome.status == 1, "\(outcome.errors)")
        for part in ["Permission denied", "\(publication.datadir)/", "setfacl", "--node"] {
            #expect(outcome.errors.contains(part), "\(outcome.errors)")
        }
        #expect(!outcome.errors.contains("has no"))
    }

    /// Read by everybody, whatever the umask, for a web server is somebody else; what is private by nobody.
    @Test func aStrictUmask() throws {
        let publication = try fresh()
        let run = [try Publication.program().path] + publication.arguments(["--to", "51"])
        let outcome = try Program(at: "/bin/sh").run(["-c", "umask 077; exec \"$@\"", "sh"] + run)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let modes = { (folder: String) in
            try Program.installed("find").print(folder, "-printf", "%y %m\\n")
        }
        let tree = Set(
            String(decoding: try modes(publication.tree.root), as: UTF8.self).split(separator: "\n"))
        #expect(tree == ["d 755", "f 644"])
        let state = try FileManager.default.attributesOfItem(atPath: publication.state.root)
        #expect(state[.posixPermissions] as? Int == 0o700)
        let key = publication.scratch.path("new.pem")
        try Program(at: "/bin/sh").print(
            "-c", "umask 0; exec \"$@\"", "sh", try Publication.program().path, "keygen", "--key", key)
        #expect(try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int == 0o600)
    }

    @Test func aKeyThatIsNotThere() throws {
        let publication = try fresh()
        try expectRefused(
            publication, ["--key", "/none/key.pem"], saying: ["/none/key.pem", "No such file"])
    }

    @Test func anotherNetwork() throws {
        let publication = try fresh()
        for network in ["main", "signet", "testnet4"] {
            try expectRefused(
                publication, ["--network", network],
                saying: [
                    "\(publication.datadir)/blocks", "holds blocks of the network regtest",
                    "give --network regtest",
                ])
        }
        // What such a run kept is of another network: the next one, with the right one, does not know it.
        try publication.publish("--to", "60")
    }

    @Test func aFolderThatIsNoDataDirectory() throws {
        let publication = try fresh()
        let empty = publication.scratch.path("empty")
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: empty + "/blocks", withIntermediateDirectories: true)
        for folder in [empty, "/none", publication.key] {
            try expectRefused(
                publication, ["--datadir", folder],
                saying: [folder, "has no «blocks» folder", "data directory of a Bitcoin Core node"])
        }
        try Data("key".utf8).write(to: URL(fileURLWithPath: "\(empty)/blocks/xor.dat"))
        try expectRefused(publication, ["--datadir", empty], saying: ["holds no blk*.dat files"])
    }

    @Test func theTreeOfAnotherKey() throws {
        let publication = try fresh()
        try publication.publish("--to", "60")
        let other = try fresh()
        let state = ["--state", publication.scratch.path("other.state")]
        try expectRefusedTree(
            publication, ["--key", other.key] + state,
            saying: [
                "authority.txt", publication.publicKey, other.publicKey, "give that key, or another --tree",
            ])
        for more in [["--epoch", "100"], ["--shards", "32"]] {
            try expectRefusedTree(
                publication, more + state,
                saying: [
                    "authority.txt", "regtest with 16 shards and epochs of 50 blocks",
                    "give these, or another --tree",
                ])
        }
    }

    private func expectRefusedTree(_ publication: Publication, _ more: [String], saying parts: [String])
        throws
    {
        let state = try publication.state.look()
        let tree = try publication.tree.look()
        let outcome = try Publication.program().run(publication.arguments(more))
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        for part in parts { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
        #expect(try publication.tree.look() == tree)
        #expect(try publication.state.look() == state)
    }

    /// A data directory of the test's own, changed before the first run, or behind height 120 between two runs.
    private func damaged(
        _ publishFirst: Bool, _ change: (Publication, CoreFiles) throws -> Void
    ) throws -> Publication {
        let publication = try Publication(.regtestRich)
        if publishFirst { try publication.publish("--to", "120") }
        try change(publication, publication.coreFiles())
        return publication
    }

    private var tip: String { get throws { try ChainFixture.regtestRich.answers()[330].block } }

    @Test(arguments: ["blk", "rev"], [false, true])
    func aMissingFile(kind: String, publishFirst: Bool) throws {
        let publication = try damaged(publishFirst) { _, files in
            try FileManager.default.removeItem(atPath: files.path(kind, 7))
        }
        let files = try reference.publication.coreFiles()
        let lost = files.blocks.filter { $0.record.file == 7 }
        let first = try #require(lost.map(\.height).min())
        try expectFailure(
            publication, publishFirst,
            saying: kind == "blk"
                ? [
                    "\(publication.datadir)/blocks", "blk00008.dat", "ends at height \(first - 1)",
                    "restore it", "-reindex",
                ]
                : ["rev00007.dat", "no undo record for the block of height", "restore the file", "-reindex"])
    }

    @Test func theFirstFileOfAPrunedNode() throws {
        let publication = try damaged(false) { _, files in
            try FileManager.default.removeItem(atPath: files.path("blk", 0))
            try FileManager.default.removeItem(atPath: files.path("rev", 0))
        }
        try expectRefused(publication, saying: ["lacks the block of height 0", "pruned", "prune=0"])
    }

    @Test func theKeyOfAnotherFolder() throws {
        let publication = try damaged(false) { _, files in
            try Data([1, 2, 3, 4, 5, 6, 7, 8]).write(to: URL(fileURLWithPath: files.folder + "/xor.dat"))
        }
        try expectRefused(publication, saying: ["no block of the network regtest", "xor.dat"])
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(publication.datadir)/blocks/xor.dat"))
        try expectRefused(publication, saying: ["xor.dat", "is 3 bytes long, a key has 8"])
    }

    enum Place: CaseIterable, Sendable {
        case header, transactions, undo
    }

    @Test(arguments: Place.allCases, [false, true])
    func damagedBytes(place: Place, publishFirst: Bool) throws {
        let block = try reference.publication.coreFiles().block(at: 210, below: tip)
        let undo = try #require(block.undo)
        let publication = try damaged(publishFirst) { _, files in
            switch place {
            // The exponent of the target.
            case .header: try files.flip("blk", block.record.file, at: block.record.offset + 75)
            case .transactions: try files.flip("blk", block.record.file, at: block.record.offset + 300)
            case .undo: try files.flip("rev", undo.file, at: undo.offset + undo.count / 2)
            }
        }
        let number = block.record.file
        let parts: [String] =
            switch place {
            case .header:
                ["lacks the block \(block.hash)", CoreFiles.name("blk", number), "ends at height 209"]
            case .transactions:
                [CoreFiles.name("blk", number), "the block of height 210 at byte \(block.record.offset)"]
            case .undo: [CoreFiles.name("rev", number), "no undo record for the block of height 210"]
            }
        try expectFailure(publication, publishFirst, saying: parts + ["restore", "-reindex"])
    }

    /// A disk that decays changes neither a file's length nor its times, so that the saved scan is believed. Here the
    /// scan is told the new times.
    @Test(arguments: Place.allCases)
    func bytesThatDecayAfterTheScan(place: Place) throws {
        let block = try reference.publication.coreFiles().block(at: 210, below: tip)
        let undo = try #require(block.undo)
        let publication = try damaged(true) { publication, files in
            let (kind, offset) =
                switch place {
                case .header: ("blk", block.record.offset + 75)
                case .transactions: ("blk", block.record.offset + 300)
                // Past the counts: a height, an amount or a script, which no parser misses.
                case .undo: ("rev", undo.offset + undo.count - 3)
                }
            let path = files.path(kind, block.record.file)
            let before = try FileStamp(path)
            let date = try #require(
                FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
            try files.flip(kind, block.record.file, at: offset)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
            try before.forge(
                FileStamp(path), in: publication.state.path("scan/\(block.record.file)"),
                isFirst: kind == "blk")
        }
        try expectFailure(publication, true, saying: ["height 210"])
    }

    /// What was damaged when it was scanned is read again once it is restored, whatever times the copy has.
    @Test func aRestoredFileIsScannedAgain() throws {
        let publication = try Publication(.regtestRich)
        let files = try publication.coreFiles()
        let block = try files.block(at: 210, below: tip)
        let path = files.path("blk", block.record.file)
        let date = try #require(
            FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
        for isDamaged in [true, false] {
            try files.flip("blk", block.record.file, at: block.record.offset + 75)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
            if isDamaged {
                try expectRefused(publication, saying: ["lacks the block \(block.hash)"])
            } else {
                let outcome = try publication.run()
                #expect(outcome.isSuccess, "\(outcome.errors)")
            }
        }
    }

    /// A run that publishes up to the damage, and says where it is; what was published is whole and stays.
    private func expectFailure(_ publication: Publication, _ publishedFirst: Bool, saying parts: [String])
        throws
    {
        let before = try publication.tree.look()
        let outcome = try publication.run()
        #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome)")
        for part in parts { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
        let after = try publication.tree.look()
        let changed = after.differences(from: before).filter { before.files[$0] != nil }
        #expect(Set(changed).isSubset(of: ["latest.txt", "index.html", "headers/0000100.bin"]))
        // Heights below 210 only, and all of them what they are in the whole chain's tree.
        for path in after.files.keys {
            #expect(!path.hasPrefix(".tmp"))
            guard path.hasPrefix("attestations/"), path.hasSuffix(".txt") else { continue }
            #expect(try publication.tree.statement(path) == reference.tree.statement(path))
            #expect(after.files[path + ".sig"] != nil)
        }

        // With the files as they should be, the run goes on.
        try publication.fixture.unpack(into: publication.datadir)
        try publication.publish()
        #expect(publication.tree.files() == reference.tree.files())
        for height in [0, 209, 210, 330] {
            let path = try #require(publication.tree.attestations()[height]?.first)
            #expect(try publication.tree.statement(path) == reference.tree.statement(path))
        }
    }

    @Test func wrongUsage() throws {
        let publication = try fresh()
        let cases: [(arguments: [String], says: String)] = [
            (["--shards", "3"], "--shards is a power of two"),
            (["--shards", "8192"], "--shards is a power of two"),
            (["--epoch", "0"], "--epoch is 1 to"), (["--level", "23"], "--level is 1 to 22"),
            (["--to=-1"], "--to is a height"), (["--to", "10000000"], "--to is a height"),
            (["--to", "x"], "--to"),
            (["--network", "mainnet"], "main, testnet4, signet, regtest"), (["--name", "a b"], "a name is"),
            (["--name", ""], "a name is"), (["--note", "é"], "--note is"), (["--note", ""], "--note is"),
            (["--nonsense"], "--nonsense"),
        ]
        for (arguments, says) in cases {
            let outcome = try Publication.program().run(publication.arguments(arguments))
            #expect(outcome.status == 64 && outcome.output.isEmpty, "\(arguments)")
            #expect(outcome.errors.contains(says), "\(outcome.errors)")
        }
        for arguments in [["run"], ["run", "--tree", "x"], ["nonsense"], ["keygen"]] {
            #expect(try Publication.program().run(arguments).status == 64, "\(arguments)")
        }
        #expect(publication.tree.files().isEmpty && publication.state.files().isEmpty)
        for arguments in [["--help"], ["run", "--help"], ["--version"]] {
            let outcome = try Publication.program().run(arguments)
            #expect(outcome.isSuccess && !outcome.output.isEmpty && outcome.errors.isEmpty)
        }
    }
}

/// When a file, or anything about it, was changed last, in nanoseconds since 1970.
private struct FileStamp {
    let statusChanged: Int64

    init(_ path: String) throws {
        var status = stat()
        try #require(stat(path, &status) == 0)
        #if canImport(Darwin)
            let time = status.st_ctimespec
        #else
            let time = status.st_ctim
        #endif
        statusChanged = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Puts the later time in place of this one in a saved scan, which holds those of a block file, then those of its
    /// undo file, and ends in the SHA-256 of all before. Both files may have the same time.
    func forge(_ later: FileStamp, in path: String, isFirst: Bool) throws {
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)).dropLast(32))
        let (old, new) = (Self.bytes(statusChanged), Self.bytes(later.statusChanged))
        let places = bytes.ranges(of: old)
        let place = try #require(
            isFirst ? places.first : places.last, "the scan does not hold the file's time")
        bytes.replaceSubrange(place, with: new)
        try Data(bytes + SHA256.hash(bytes).bytes).write(to: URL(fileURLWithPath: path))
    }

    private static func bytes(_ time: Int64) -> [UInt8] { withUnsafeBytes(of: time.littleEndian, Array.init) }
}
