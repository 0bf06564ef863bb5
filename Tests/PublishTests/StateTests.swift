import Concord
import Foundation
import TestSupport
import Testing

/// What the publisher keeps for itself: a journal that must not be contradicted, values that can be made again.
@Suite(.waits) struct StateTests {
    let reference: ReferenceTree
    let publication: Publication
    let answers: [ChainFixture.Answer]

    init() throws {
        reference = try ReferenceTree.of(.regtestRich)
        answers = try ChainFixture.regtestRich.answers()
        publication = try Publication(
            .regtestRich, datadir: reference.publication.datadir, key: reference.publication.key)
        try publication.publish()
    }

    private func attestation(_ height: Int) -> String {
        "attestations/\(digits(height - height % 50))/\(digits(height))-\(answers[height].block).txt"
    }

    private func value(_ height: Int) -> String { "muhash/\(digits(height))-\(answers[height].block).bin" }

    private func remove(_ paths: String...) throws {
        for path in paths { try FileManager.default.removeItem(atPath: path) }
    }

    /// An attestation that was lost is made again, with the time that the journal noted: the very same bytes.
    @Test(arguments: [330, 310])
    func aLostAttestationIsMadeAgain(height: Int) throws {
        let path = attestation(height)
        let tree = try publication.tree.look().files.mapValues(\.digest)
        try remove(publication.tree.path(path), publication.tree.path(path + ".sig"))
        let outcome = try publication.publish()
        #expect(outcome.output.contains(" 1 new signatures\n"), "\(outcome.output)")
        #expect(try publication.tree.look().files.mapValues(\.digest) == tree)
    }

    @Test func aLostSignatureIsMadeAgain() throws {
        let tree = try publication.tree.look().files.mapValues(\.digest)
        try remove(publication.tree.path(attestation(330) + ".sig"))
        try publication.publish()
        #expect(try publication.tree.look().files.mapValues(\.digest) == tree)
    }

    @Test(arguments: [330, 310])
    func aSecondStatementForABlockIsNeverSigned(height: Int) throws {
        let path = attestation(height)
        try remove(publication.tree.path(path), publication.tree.path(path + ".sig"))
        let name = digits(height - height % 50) + ".txt"
        let file = publication.journal.path(name)
        let text = try publication.journal.text(name)
        let digest = SHA256.hash(try reference.tree.statement(path)).hex
        #expect(text.contains(digest))
        let other = String(repeating: "5", count: 64)
        try Data(text.replacing(digest, with: other).utf8).write(to: URL(fileURLWithPath: file))

        let tree = try publication.tree.look()
        let journal = try publication.journal.look()
        let outcome = try publication.run()
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        for part in [file, "height \(height)", answers[height].block, other, digest, "Nothing was signed"] {
            #expect(outcome.errors.contains(part), "\(outcome.errors)")
        }
        #expect(try publication.tree.look() == tree)
        #expect(try publication.journal.look() == journal)
    }

    /// What was being appended when the power went was not signed yet.
    @Test func aHalfWrittenLineOfTheJournalIsDropped() throws {
        let publication = try Publication(
            .regtestRich, datadir: reference.publication.datadir, key: reference.publication.key)
        try publication.publish("--to", "310")
        let file = try #require(FileHandle(forWritingAtPath: publication.journal.path("0000300.txt")))
        try file.seekToEnd()
        try file.write(contentsOf: Data("311 07114bf5d65b6f88".utf8))
        try file.close()
        try publication.publish()
        try expectSame(publication.tree, reference.tree)
        let lines = try publication.journal.text("0000300.txt").split(separator: "\n")
        #expect(lines.count == 31 && lines.allSatisfy { $0.split(separator: " ").count == 4 })
    }

    enum Damage: CaseIterable, Sendable {
        case deleted, flipped, truncated, empty, long
    }

    /// A running value that is damaged or gone costs time, and nothing else: an earlier one is used.
    @Test(arguments: Damage.allCases)
    func aDamagedRunningValueIsMadeAgain(damage: Damage) throws {
        let path = publication.state.path(value(330))
        var bytes = try publication.state.read(value(330))
        let good = bytes
        switch damage {
        case .deleted: break
        case .flipped: bytes[200] ^= 1
        case .truncated: bytes.removeLast(100)
        case .empty: bytes = []
        case .long: bytes.append(0)
        }
        let tree = try publication.tree.look()
        try remove(path)
        if damage != .deleted { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
        let outcome = try publication.publish()
        #expect(outcome.output.contains("\nheight  330\n"))
        #expect(damage == .deleted || outcome.errors.contains(path), "\(outcome.errors)")
        #expect(try publication.tree.look() == tree)
        #expect(try publication.state.read(value(330)) == good)
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
    }

    /// All running values gone, or the whole state: the chain is gone through again, and nothing is signed or changed.
    @Test(arguments: ["muhash", "scan", ""])
    func aLostStateChangesNothing(folder: String) throws {
        let tree = try publication.tree.look()
        let journal = try publication.journal.look().files.mapValues(\.digest)
        try remove(publication.state.path(folder))
        let outcome = try publication.publish("--json")
        let result = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput)) as? [String: Any]
        #expect(result?["signatures"] as? Int == 0 && result?["height"] as? Int == 330)
        #expect(try publication.tree.look() == tree)
        if folder != "" { #expect(try publication.journal.look().files.mapValues(\.digest) == journal) }
        #expect(publication.journal.files().count == 7)
    }

    /// A patch or a snapshot that the tree has lost is made again by the run that needs it.
    @Test func aLostSnapshotIsMadeAgain() throws {
        let manifest = "snapshots/\(digits(300))-\(answers[300].block)/manifest.txt"
        let tree = try publication.tree.look().files.mapValues(\.digest)
        try remove(publication.tree.path(manifest))
        try publication.publish()
        #expect(try publication.tree.look().files.mapValues(\.digest) == tree)
    }

    /// The files that nobody signs are put right by the next run, even if there is nothing new.
    @Test(arguments: [
        ("latest.txt", nil), ("latest.txt", ""),
        ("latest.txt", "9999999 " + String(repeating: "0", count: 64) + "\n"),
        ("latest.txt", "321 395ff27c9545da3234075ba641514e936b3714349b683d9db932c6044fcf6306\n"),
        ("headers/0000300.bin", nil), ("headers/0000300.bin", "short"), ("authority.txt", nil),
        ("authority.pem", "x"),
        ("FORMAT.md", ""), ("audit.sh", "x"),
    ])
    func unsignedFilesAreMended(path: String, text: String?) throws {
        let tree = try publication.tree.look().files.mapValues(\.digest)
        try remove(publication.tree.path(path))
        if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: publication.tree.path(path))) }
        #expect(try publication.publish().output.hasPrefix("nothing new: "))
        #expect(try publication.tree.look().files.mapValues(\.digest) == tree)
    }

    /// An attestation in the tree that says something else than the chain: nothing is signed.
    @Test func aTreeThatContradictsTheChainIsRefused() throws {
        // Signed when the undo record of height 330 said that a coin of the snapshot before had another value; its
        // checksum is right.
        let own = try Publication(.regtestRich, key: publication.key)
        try own.publish("--to", "329")
        let files = try own.coreFiles()
        let tip = answers[330].block
        let block = try files.block(at: 330, below: tip)
        let undo = try #require(block.undo)
        var record = Array(undo.bytes.dropLast(32))
        let place = try #require(Self.amountOffset(record))
        record[place] ^= 1
        let parent = try #require(Digest(reversedHex: block.parent))
        try files.write(record + CoreFiles.checksum(parent, record).bytes, "rev", undo.file, at: undo.offset)
        try own.publish()

        let look = try own.tree.look()
        let arguments = own.arguments(["--state", own.scratch.path("fresh.state")])
        let outcome = try Publication.program().run(arguments + ["--datadir", publication.datadir])
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        for part in [
            "muhashes/0000300/0000330-\(tip).bin", "in 1 of 16 shards", "nothing was signed",
        ] {
            #expect(outcome.errors.contains(part), "\(outcome.errors)")
        }
        #expect(try own.tree.look() == look)
    }

    /// The last byte of the first coin's compressed amount in an undo record.
    private static func amountOffset(_ record: [UInt8]) -> Int? {
        guard record[0] > 0, record[0] < 253, record[1] > 0, record[1] < 253 else { return nil }
        var at = 2
        for number in 0..<3 {
            while record[at] >= 0x80 { at += 1 }
            if number == 2 { return at }
            at += 1
        }
        return nil
    }
}
