import Foundation
import TestSupport
import Testing

@testable import Concord

/// `Tests/Conformance/encodings.txt`: what is read comes back as the same bytes, and the rest is refused.
@Suite struct ConformanceEncodingTests {
    struct Record: Sendable, CustomTestStringConvertible {
        let kind: String
        let words: [String]
        let outcome: String
        let hex: String
        var bytes: [UInt8] { hex == "-" ? [] : [UInt8](hex: hex) ?? [] }
        var testDescription: String { "\(kind) \(outcome) \(hex.prefix(80))" }
    }

    static let records: [Record] = {
        let path = "\(ChainFixture.repository)/Tests/Conformance/encodings.txt"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { line in
            let words = line.split(separator: " ").map(String.init)
            return Record(
                kind: words[0], words: Array(words[1..<words.count - 2]),
                outcome: words[words.count - 2], hex: words[words.count - 1])
        }
    }()

    @Test func thereAreMany() {
        #expect(Self.records.count > 150)
        #expect(Set(Self.records.map(\.kind)).count == 10)
    }

    @Test(arguments: records) func everyRecord(record: Record) throws {
        try #require(record.hex == "-" || [UInt8](hex: record.hex) != nil)
        let result = Result { try Self.again(record) }
        switch record.outcome {
        case "ok": #expect(try result.get() == record.bytes)
        case "refused":
            let error = #expect(throws: (any Error).self) { try result.get() }
            #expect(error is ParseError || error is SignatureError, "\(String(describing: error))")
        default: Issue.record("\(record.outcome) is no outcome")
        }
    }

    /// Reads a record and writes it.
    private static func again(_ record: Record) throws -> [UInt8] {
        let bytes = record.bytes
        func number(_ place: Int) throws -> Int { try #require(Int(record.words[place])) }
        switch record.kind {
        case "compactsize", "varint":
            let isVarInt = record.kind == "varint"
            let value = try bytes.withBytes { raw throws(ParseError) in
                var cursor = ByteCursor(raw)
                let value = try isVarInt ? cursor.readVarInt() : cursor.readCompactSize()
                try cursor.finish()
                return value
            }
            return TestSupport.bytes { isVarInt ? $0.appendVarInt(value) : $0.appendCompactSize(value) }
        case "statement":
            var lines = FieldLines(bytes)
            let statement = try Statement(parsing: &lines)
            try lines.finish()
            return Array(statement.text.utf8)
        case "manifest": return Array(try Manifest(parsing: bytes, shards: number(0)).text.utf8)
        case "muhashes":
            let parameters = TreeParameters(shards: try number(0), epoch: 1)
            let muhashes = try ShardMuHashes(parsing: bytes, parameters)
            return TestSupport.bytes { muhashes.append(to: &$0) }
        case "filter":
            let block = try #require(Digest(reversedHex: record.words[1]))
            let count = try ShardFilter(parsing: bytes, block: block, coins: UInt64(number(0))).count
            return try bytes.withBytes { raw in
                var cursor = ByteCursor(raw)
                _ = try cursor.readCompactSize()
                var reader = GolombSet.Reader(
                    UnsafeRawBufferPointer(rebasing: raw[cursor.offset...]), ShardFilter.code, count: count)
                var values: [UInt64] = []
                while let value = try reader.next() { values.append(value) }
                return TestSupport.bytes {
                    $0.appendCompactSize(count)
                    ShardFilter.code.encode(values, to: &$0)
                }
            }
        case "shard": return try coins(bytes)
        case "section":
            return try bytes.withBytes { raw in
                var section = try PatchSection(raw)
                var spent: [Outpoint] = []
                while let outpoint = try section.nextSpent() { spent.append(outpoint) }
                var groups = GroupEncoder()
                var out = ByteBuffer()
                out.appendSpent(spent[...], \.self)
                while let (outpoint, coin) = try section.nextCreated() {
                    groups.add(txid: outpoint.txid, index: outpoint.index, body: coin.body, to: &out)
                }
                groups.finishGroup(to: &out)
                return [UInt8](out.bytes)
            }
        case "directory":
            let parameters = TreeParameters(shards: try number(0), epoch: 1)
            let directory = try bytes.withBytes { try PatchDirectory(parsing: $0, parameters) }
            guard try directory.end == number(1) else { throw ParseError(.outOfOrder, at: 0) }
            return TestSupport.bytes { directory.append(to: &$0) }
        default:
            _ = try Signature.parse(bytes)
            return bytes
        }
    }

    private static func coins(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withBytes { raw in
            var cursor = GroupCursor()
            var groups = GroupEncoder()
            var out = ByteBuffer()
            var script = ByteBuffer()
            var offset = 0
            while let coin = try cursor.next(in: raw, at: &offset, isLast: true) {
                guard ScriptCompression.decompress(coin.script, into: &script) else {
                    throw ParseError(.malformed("no point"), at: offset)
                }
                groups.add(txid: cursor.txid, index: coin.index, body: coin.body, to: &out)
            }
            groups.finishGroup(to: &out)
            return [UInt8](out.bytes)
        }
    }
}
