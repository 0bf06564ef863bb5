import Testing

@testable import Concord

/// The vectors at the end of FORMAT.md, line by line, both ways where there are two.
@Suite struct FormatExampleVectorTests {
    @Test func everyLineHolds() throws {
        let lines = try FormatDocument()["vectors"].split(separator: "\n")
        #expect(lines.count > 40)
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            try #require(words.count >= 3)
            try Self.check(words[0], Array(words.dropFirst()), "\(line)")
        }
    }

    private static func bytes(_ hex: String) throws -> [UInt8] {
        hex == "-" ? [] : try #require([UInt8](hex: hex))
    }

    private static func check(_ kind: String, _ words: [String], _ line: Comment) throws {
        switch kind {
        case "compactsize", "varint":
            let number = try #require(UInt64(words[0]))
            let isVarInt = kind == "varint"
            let written = FormatExampleTests.Step.bytes {
                if isVarInt { $0.appendVarInt(number) } else { $0.appendCompactSize(number) }
            }
            #expect(written.hex == words[1], line)
            let read = try written.withUnsafeBytes { bytes in
                var cursor = ByteCursor(bytes)
                let read = try isVarInt ? cursor.readVarInt() : cursor.readCompactSize()
                try cursor.finish()
                return read
            }
            #expect(read == number, line)
        case "amount":
            let (amount, compressed) = (try #require(UInt64(words[0])), try #require(UInt64(words[1])))
            #expect(Amount.compress(amount) == compressed, line)
            #expect(Amount.decompress(compressed) == amount, line)
        case "script":
            let script = try bytes(words[0])
            let compressed = FormatExampleTests.Step.bytes { out in
                script.withUnsafeBytes { ScriptCompression.append($0, to: &out) }
            }
            #expect(compressed.hex == words[1], line)
            try compressed.withUnsafeBytes { bytes in
                var cursor = ByteCursor(bytes)
                let read = try ScriptCompression.read(from: &cursor)
                try cursor.finish()
                var decompressed = ByteBuffer()
                let isGood = ScriptCompression.decompress(read, into: &decompressed)
                let same = [UInt8](decompressed.bytes) == script
                #expect(isGood && same, line)
            }
        case "shard":
            let shards = try #require(Int(words[0]))
            let parameters = try #require(TreeParameters(checking: shards, epoch: 1))
            let shard = try bytes(words[1]).withUnsafeBytes { parameters.shard(of: $0) }
            #expect(TreePath.shardDigits(shard) == words[2], line)
        case "muhash":
            var set = MuHash()
            for coin in words[0].split(separator: "+") where coin != "-" {
                set.insert(Num3072(hashing: SHA256.hash(try bytes(String(coin)))))
            }
            #expect(set.digest().reversedHex == words[1], line)
        case "empty":
            let shards = try #require(Int(words[0]))
            #expect(FormatExampleTests.emptyPatchRoot(shards: shards).hex == words[1], line)
            #expect(FormatExampleTests.emptySnapshotRoot(shards: shards).hex == words[2], line)
        default:
            Issue.record("no such kind of vector: \(line)")
        }
    }
}
