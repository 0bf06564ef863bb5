import Concord
import ConcordFiles
import ConcordPublish
import TestSupport
import Testing

@testable import ConcordClient

/// What authorities signed is remembered as they signed it.
@Suite struct AttestationLogTests {
    let scratch: Scratch
    let folder: Folder
    let alice = SigningKey.generate()
    let bob = SigningKey.generate()

    init() throws {
        scratch = try Scratch()
        folder = try Folder(scratch.folder)
    }

    static func signed(
        _ key: SigningKey, _ height: Int, coins: UInt64 = 1, time: Int64? = nil
    ) throws -> SignedAttestation {
        var statement = StatementWayTests.chain()[height - 100]
        statement.coins = coins
        let attestation = Attestation(
            statement: statement, authority: try #require(AuthorityName("a")), key: key.publicKey,
            time: time ?? Int64(height), software: "test")
        return try SignedAttestation(
            checking: Array(attestation.text.utf8), signature: key.sign(attestation.digest),
            key: key.publicKey)
    }

    @Test func whatWasSeenIsRecalledByBlockAndKey() throws {
        let (first, second) = (try Self.signed(alice, 101), try Self.signed(alice, 102))
        let other = try Self.signed(bob, 101)
        try AttestationLog(in: folder).remember([first, second, other])
        // Another program run.
        let memory = try AttestationLog(in: folder)
        #expect(try memory.recall(first.statement.blockID, of: alice.publicKey) == [first])
        #expect(try memory.recall(first.statement.blockID, of: bob.publicKey) == [other])
        #expect(try memory.recall(second.statement.blockID, of: bob.publicKey) == [])
        #expect(try memory.newest(of: alice.publicKey, before: .max) == second)
        #expect(try memory.newest(of: bob.publicKey, before: .max) == other)
        #expect(try memory.contradicted() == [])
    }

    /// What the first version wrote goes on, with no work to hold another chain to.
    @Test func withoutWork() throws {
        let block = try Self.signed(alice, 101).statement.blockID
        try Program.installed("sqlite3").print(
            folder.path("memory.sqlite"),
            """
            CREATE TABLE agreed(network TEXT PRIMARY KEY, height INT, block BLOB, time INT);
            INSERT INTO agreed VALUES('main', 201, x'\(block.hash.hex)', 7)
            """)
        #expect(
            try AttestationLog(in: folder).agreed(on: .main)
                == AttestationLog.Agreed(block: block, time: 7, work: 0))
        let next = AttestationLog.Agreed(block: block, time: 8, work: 9)
        try AttestationLog(in: folder).remember(next, on: .main)
        #expect(try AttestationLog(in: folder).agreed(on: .main) == next)
    }

    /// Newest is what was signed last, and not what is highest: a branch may have been left for a lower one.
    @Test func theNewestIsTheLastSigned() throws {
        let memory = try AttestationLog(in: folder)
        let low = try Self.signed(alice, 101, time: 900)
        try memory.remember([try Self.signed(alice, 109, time: 800), low, try Self.signed(alice, 103)])
        #expect(try memory.newest(of: alice.publicKey, before: .max) == low)
        // What is dated ahead hides nothing.
        #expect(try memory.newest(of: alice.publicKey, before: 850)?.statement.height == 209)
    }

    /// Whoever signed them, and whether they came together or one by one.
    @Test func twoStatementsOfOneBlock() throws {
        let memory = try AttestationLog(in: folder)
        let (one, two) = (try Self.signed(alice, 105), try Self.signed(alice, 105, coins: 2, time: 2000))
        try memory.remember([one])
        try memory.remember([try Self.signed(alice, 105, time: 1000)])
        #expect(try memory.contradicted() == [])
        #expect(try memory.recall(one.statement.blockID, of: alice.publicKey) == [one])
        try memory.remember([two])
        #expect(try memory.recall(one.statement.blockID, of: alice.publicKey) == [one, two])
        #expect(try memory.contradicted() == [one.statement.blockID])
        try memory.remember([try Self.signed(alice, 107), try Self.signed(bob, 107, coins: 3)])
        #expect(try memory.contradicted().map(\.height) == [205, 207])
    }

    @Test func theNewestAgreedBlock() throws {
        let block = StatementWayTests.chain()[4].blockID
        let agreed = AttestationLog.Agreed(block: block, time: 1_700_000_000, work: UInt128(1) << 90)
        try AttestationLog(in: folder).remember(agreed, on: .regtest)
        let memory = try AttestationLog(in: folder)
        #expect(try memory.agreed(on: .regtest) == agreed)
        #expect(try memory.agreed(on: .main) == nil)
        let other = StatementWayTests.chain()[2].blockID
        try memory.remember(AttestationLog.Agreed(block: other, time: 1_700_000_001, work: 5), on: .regtest)
        #expect(try memory.agreed(on: .regtest)?.block == other)
    }

    /// It is not believed more than a host.
    @Test func somebodyChangedIt() throws {
        let signed = try Self.signed(alice, 101)
        try AttestationLog(in: folder).remember([signed])
        var bytes = try scratch.read("memory.sqlite")
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: "coins: 1\n".utf8) })
        bytes[place + 7] = UInt8(ascii: "2")
        try scratch.write(bytes, to: "memory.sqlite")
        let memory = try AttestationLog(in: folder)
        let error = #expect(throws: FileError.self) {
            try memory.recall(signed.statement.blockID, of: alice.publicKey)
        }
        #expect(error?.message.contains("that its key did not sign") == true)

        try scratch.write("no database at all, but text instead", to: "memory.sqlite")
        let garbage = #expect(throws: FileError.self) { try AttestationLog(in: folder) }
        #expect(garbage?.message.contains("move it away") == true)
    }
}
