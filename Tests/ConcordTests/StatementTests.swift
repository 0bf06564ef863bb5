import TestSupport
import Testing

@testable import Concord

@Suite struct StatementTests {
    static let text = """
        concord/1 statement
        network: main
        shards: 1024
        epoch: 1000
        height: 840123
        block: 0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5
        parent: 0000000000000000000172014ba58d66455762add0512355ad651207918494ab
        coins: 176948713
        amount: 1968781250000000
        muhash: 5c8d4fe0ab1c23456789abcdef0123456789abcdef0123456789abcdef012345
        patch: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
        history: 0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b
        snapshot: none

        """

    static let epochText = text.replacing("840123", with: "840000")
        .replacing("snapshot: none", with: "snapshot: " + Digest(every: 0x0b).hex)

    static func parse(_ bytes: [UInt8]) throws(ParseError) -> Statement {
        var lines = FieldLines(bytes)
        let statement = try Statement(parsing: &lines)
        try lines.finish()
        return statement
    }

    static func parse(_ text: String) throws(ParseError) -> Statement { try parse(Array(text.utf8)) }

    static func with(_ field: String, _ value: String, in text: String = text) -> String {
        text.split(separator: "\n").map { $0.hasPrefix(field + ": ") ? "\(field): \(value)\n" : $0 + "\n" }
            .joined()
    }

    @Test func textComesBack() throws {
        let statement = try Self.parse(Self.text)
        #expect(statement.text == Self.text)
        #expect(statement.digest == SHA256.hash(Self.text))
        #expect(
            statement.network == .main && statement.parameters == TreeParameters(shards: 1024, epoch: 1000))
        #expect(statement.height == 840_123 && statement.coins == 176_948_713)
        #expect(statement.amount == 1_968_781_250_000_000)
        // Hashes and MuHash are printed as Bitcoin Core does, roots as sha256sum does.
        #expect(statement.block.bytes[0] == 0xa5 && statement.block.bytes[31] == 0)
        #expect(statement.parent.bytes[0] == 0xab)
        #expect(statement.muhash.bytes[0] == 0x45)
        #expect(statement.patchRoot == Digest(every: 10) && statement.history == Digest(every: 11))
        #expect(statement.snapshotRoot == nil)
        #expect(statement.epochStart == 840_000 && !statement.isEpochStart)
        #expect(statement.blockID == BlockID(height: 840_123, hash: statement.block))

        let epoch = try Self.parse(Self.epochText)
        #expect(epoch.text == Self.epochText)
        #expect(epoch.isEpochStart && epoch.snapshotRoot == epoch.history)
    }

    @Test func rootsAreNotReversed() throws {
        let root = "00112233445566778899aabbccddeeff" + String(repeating: "00", count: 16)
        let statement = try Self.parse(Self.with("patch", root))
        #expect(statement.patchRoot.bytes[1] == 0x11)
    }

    @Test func everyFaultIsRefused() {
        TextFaults(text: Self.text) { _ = try Self.parse($0) }.checkAll()
        TextFaults(text: Self.epochText) { _ = try Self.parse($0) }.checkAll()
    }

    @Test(arguments: [
        ("network", "mainnet"), ("network", "test"), ("network", "Main"), ("network", "testnet3"),
        ("shards", "0"), ("shards", "3"), ("shards", "1023"), ("shards", "8192"),
        ("shards", "18446744073709551615"),
        ("epoch", "0"), ("epoch", "100001"), ("height", "10000000"), ("height", "0840123"),
        ("amount", "2100000000000001"), ("coins", "18446744073709551616"),
        ("snapshot", "None"), ("snapshot", "nil"), ("snapshot", "none."),
        ("snapshot", String(repeating: "0B", count: 32)),
    ])
    func wrongValuesAreRefused(field: String, value: String) {
        #expect(throws: ParseError.self) { try Self.parse(Self.with(field, value)) }
    }

    @Test(arguments: [
        ("network", "regtest"), ("network", "testnet4"), ("network", "signet"), ("shards", "1"),
        ("shards", "4096"),
        ("epoch", "100000"), ("height", "9999999"), ("amount", "2100000000000000"), ("amount", "0"),
        ("coins", "0"),
        ("coins", "18446744073709551615"),
    ])
    func valuesAtTheEdgesComeBack(field: String, value: String) throws {
        let text = Self.with(field, value)
        #expect(try Self.parse(text).text == text)
    }

    /// A snapshot root stands at epoch heights, and nowhere else, and is the history there.
    @Test func snapshotsBelongToEpochHeights() {
        let root = Digest(every: 0x0b).hex
        let wrong = ParseError.Reason.malformed("has a snapshot root where none belongs, or lacks one")
        for text in [
            Self.with("snapshot", root), Self.with("snapshot", "none", in: Self.epochText),
            Self.with("height", "840001", in: Self.epochText),
            Self.with("height", "839999", in: Self.epochText),
            Self.with("height", "840000"), Self.with("height", "0"),
            Self.with("history", Digest(every: 0x0c).hex, in: Self.epochText),
            Self.with("snapshot", Digest(every: 0x0c).hex, in: Self.epochText),
        ] {
            let error = #expect(throws: ParseError.self) { try Self.parse(text) }
            #expect(error?.reason == wrong)
        }
        #expect(throws: Never.self) { try Self.parse(Self.with("epoch", "1", in: Self.epochText)) }
        #expect(throws: Never.self) { try Self.parse(Self.with("height", "0", in: Self.epochText)) }
    }

    @Test func historyIsAChainOfHashes() {
        let (history, block, root) = (Digest(every: 1), Digest(every: 2), Digest(every: 3))
        #expect(
            Statement.history(after: history, block: block, patchRoot: root)
                == SHA256.hash(history.bytes + block.bytes + root.bytes))
    }

    @Test func differencesAreNamedInOrder() throws {
        let statement = try Self.parse(Self.text)
        #expect(statement.differences(from: statement) == [])
        var other = statement
        other.history = .zero
        other.coins += 1
        other.muhash = .zero
        #expect(statement.differences(from: other) == ["coins", "muhash", "history"])
        #expect(try statement.differences(from: Self.parse(Self.epochText)) == ["height", "snapshot"])
    }
}
