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
            #expect(FormatExampleTests.emptyMuHashes(shards: shards).hex == words[3], line)
            let genesis = Statement(genesisOf: .main, TreeParameters(shards: shards, epoch: 1000))
            #expect(
                genesis.patchRoot.hex == words[1] && genesis.snapshotRoot?.hex == words[2]
                    && genesis.muhashes.hex == words[3] && genesis.coins == 0 && genesis.amount == 0, line)
        case "ranges":
            let shards = try #require(Int(words[0]))
            let parameters = try #require(TreeParameters(checking: shards, epoch: 1))
            #expect(parameters.ranges == Int(words[1]), line)
        case "steps":
            let numbers = words.prefix(3).compactMap { Int($0) }
            let parameters = try #require(TreeParameters(checking: 1, epoch: numbers[0]))
            let steps = parameters.steps(from: numbers[1], to: numbers[2])
            #expect(steps.map { "\($0.height):\($0.span)" }.joined(separator: ",") == words[3], line)
        case "filter":
            let block = try #require(Digest(reversedHex: words[0]))
            let scripts =
                try words[1] == "-"
                ? [] : words[1].split(separator: "+").map { try bytes($0 == "." ? "-" : String($0)) }
            var builder = ShardFilter.Builder(block: block)
            for script in scripts + scripts { script.withBytes { builder.add($0) } }
            let made = FormatExampleTests.Step.bytes { builder.finish(to: &$0) }
            #expect(made.hex == words[2], line)
            let read = try ShardFilter(parsing: made, block: block, coins: UInt64(scripts.count))
            #expect(read.count == scripts.count && !read.mayHave(scripts).contains(false), line)
        default:
            Issue.record("no such kind of vector: \(line)")
        }
    }
}
