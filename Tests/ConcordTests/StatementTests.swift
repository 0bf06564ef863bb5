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
        muhashes: 0909090909090909090909090909090909090909090909090909090909090909
        patch: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
        deltas: none
        history: 1:0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b
        snapshot: none

        """

    /// Of a height that ends a span of 10.
    static let tenText = with("deltas", list([10]), in: with("history", list([1, 10]), in: text))
        .replacing("840123", with: "840130")
    static let hundredText = with(
        "deltas", list([10, 100]), in: with("history", list([1, 10, 100]), in: text)
    )
    .replacing("840123", with: "840200")
    static let epochText = with("deltas", list([10, 100]), in: with("history", "none", in: text))
        .replacing("840123", with: "840000")
        .replacing("snapshot: none", with: "snapshot: " + Digest(every: 0x0b).hex)

    /// Items of a list, each with its own digest.
    static func list(_ spans: [Int]) -> String {
        spans.map { "\($0):\(Digest(every: UInt8($0)).hex)" }.joined(separator: " ")
    }

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
        #expect(statement.muhashes == Digest(every: 9) && statement.patchRoot == Digest(every: 10))
        #expect(statement.deltas == [] && statement.history == [Digest(every: 11)])
        #expect(statement.ancestor(1) == Digest(every: 11) && statement.ancestor(10) == nil)
        #expect(statement.root(ofSpan: 1) == Digest(every: 10) && statement.root(ofSpan: 10) == nil)
        #expect(statement.snapshotRoot == nil)
        #expect(statement.epochStart == 840_000 && !statement.isEpochStart)
        #expect(statement.blockID == BlockID(height: 840_123, hash: statement.block))

        let epoch = try Self.parse(Self.epochText)
        #expect(epoch.text == Self.epochText)
        #expect(epoch.isEpochStart && epoch.snapshotRoot == Digest(every: 11) && epoch.history == [])
        #expect(epoch.root(ofSpan: 100) == Digest(every: 100) && epoch.ancestor(1) == nil)
        let hundred = try Self.parse(Self.hundredText)
        #expect(hundred.text == Self.hundredText)
        #expect(hundred.ancestor(10) == Digest(every: 10) && hundred.ancestor(100) == Digest(every: 100))
        #expect(hundred.changeFiles.map(\.span) == [1, 10, 100])
        #expect(hundred.changeFiles[2].heights == 840_101...840_200)
    }

    @Test func rootsAreNotReversed() throws {
        let root = "00112233445566778899aabbccddeeff" + String(repeating: "00", count: 16)
        let statement = try Self.parse(Self.with("patch", root))
        #expect(statement.patchRoot.bytes[1] == 0x11)
    }

    @Test func everyFaultIsRefused() {
        TextFaults(text: Self.text) { _ = try Self.parse($0) }.checkAll()
        TextFaults(text: Self.epochText) { _ = try Self.parse($0) }.checkAll()
        TextFaults(text: Self.hundredText) { _ = try Self.parse($0) }.checkAll()
    }

    @Test(arguments: [
        ("network", "mainnet"), ("network", "test"), ("network", "Main"), ("network", "testnet3"),
        ("shards", "0"), ("shards", "3"), ("shards", "1023"), ("shards", "8192"),
        ("shards", "18446744073709551615"),
        ("epoch", "0"), ("epoch", "100001"), ("height", "10000000"), ("height", "840120"),
        ("height", "0840123"),
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

    /// Lists have the spans of their height, and no others.
    @Test func listsOfOtherSpansAreRefused() throws {
        let texts = [
            (Self.text, [], [1]), (Self.tenText, [10], [1, 10]),
            (Self.hundredText, [10, 100], [1, 10, 100]),
            (Self.epochText, [10, 100], []),
        ]
        for (text, deltas, history) in texts {
            #expect(try Self.parse(text).text == text)
            for other in [
                [], [1], [10], [100], [1, 10], [10, 100], [1, 100], [1, 10, 100], [10, 1], [100, 10], [2],
                [10, 10],
            ] {
                let list = other.isEmpty ? "none" : Self.list(other)
                if other != deltas {
                    #expect(throws: ParseError.self) { try Self.parse(Self.with("deltas", list, in: text)) }
                }
                if other != history {
                    #expect(throws: ParseError.self) { try Self.parse(Self.with("history", list, in: text)) }
                }
            }
        }
        let good = Self.list([10, 100])
        for bad in [
            good.replacing(" ", with: "  "), good.replacing(" ", with: ","), " " + good, good.uppercased(),
            good.replacing("10:", with: "010:"), good.replacing("10:", with: "+10:"),
            good.replacing(":", with: ""),
            good.replacing(":", with: ": "), good + " none", "none " + good, String(good.dropLast()),
            good + "0",
        ] {
            #expect(bad != good)
            #expect(throws: ParseError.self, "\(bad)") {
                try Self.parse(Self.with("deltas", bad, in: Self.hundredText))
            }
        }
    }

    /// Which spans there are hangs on the epoch alone.
    @Test(arguments: [
        (1, []), (5, []), (10, []), (11, []), (15, []), (20, [10]), (50, [10]), (100, [10]), (150, [10]),
        (200, [10, 100]), (1000, [10, 100]), (1001, []), (100_000, [10, 100]),
    ])
    func spans(epoch: Int, expected: [Int]) {
        #expect(TreeParameters(shards: 1, epoch: epoch).spans == expected)
    }

    /// A snapshot root stands at epoch heights, and nowhere else.
    @Test func snapshotsBelongToEpochHeights() {
        let root = Digest(every: 0x0b).hex
        let wrong = ParseError.Reason.malformed("has a snapshot root where none belongs, or lacks one")
        for text in [Self.with("snapshot", root), Self.with("snapshot", "none", in: Self.epochText)] {
            let error = #expect(throws: ParseError.self) { try Self.parse(text) }
            #expect(error?.reason == wrong)
        }
        for text in [
            Self.with("height", "840001", in: Self.epochText),
            Self.with("height", "839999", in: Self.epochText),
            Self.with("height", "840000"), Self.with("height", "0"),
        ] {
            #expect(throws: ParseError.self) { try Self.parse(text) }
        }
        let none = Self.with("deltas", "none", in: Self.epochText)
        #expect(throws: Never.self) { try Self.parse(Self.with("epoch", "1", in: none)) }
        #expect(throws: Never.self) { try Self.parse(Self.with("height", "0", in: none)) }
    }

    @Test func anEarlierFormatIsNamed() {
        let old = Self.text.split(separator: "\n").filter {
            !$0.hasPrefix("muhashes") && !$0.hasPrefix("deltas")
        }.map { $0 + "\n" }.joined()
        let error = #expect(throws: ParseError.self) { try Self.parse(old) }
        #expect(error?.reason == .malformed(Statement.earlierFormat))
    }

    @Test func differencesAreNamedInOrder() throws {
        let statement = try Self.parse(Self.text)
        #expect(statement.differences(from: statement) == [])
        var other = statement
        other.history = [.zero]
        other.coins += 1
        other.muhash = .zero
        #expect(statement.differences(from: other) == ["coins", "muhash", "history"])
        #expect(
            try statement.differences(from: Self.parse(Self.epochText))
                == ["height", "deltas", "history", "snapshot"])
    }
}
