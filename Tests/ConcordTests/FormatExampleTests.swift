import Foundation
import Testing

@testable import Concord

/// The numbers of FORMAT.md, worked out again: its blocks of text are made from the project's own types and compared
/// as a whole, and the commands in it are run.
@Suite struct FormatExampleTests {
    static let parameters = TreeParameters(shards: 16, epoch: 50)

    let document: FormatDocument

    init() throws {
        document = try FormatDocument()
    }

    /// A block that creates one coin, and what comes of it.
    struct Step {
        let height: Int
        let block: Digest
        let outpoint: Outpoint
        let script: [UInt8]
        let amount: UInt64 = 5_000_000_000

        var code: UInt32 { UInt32(height) * 2 + 1 }
        var shard: Int { script.withBytes { FormatExampleTests.parameters.shard(of: $0) } }

        /// The coin in shard form, in the pieces that the document explains.
        var pieces: [[UInt8]] {
            [
                outpoint.txid.bytes, [1], Self.bytes { $0.appendCompactSize(UInt64(outpoint.index)) },
                Self.bytes { $0.appendVarInt(UInt64(code)) },
                Self.bytes { $0.appendVarInt(Amount.compress(amount)) },
                Self.bytes { $0.appendVarInt(UInt64(script.count + 6)) }, script,
            ]
        }

        var group: [UInt8] { pieces.flatMap(\.self) }
        var section: [UInt8] { [0] + group }

        var index: PatchIndex {
            var entries = [PatchIndex.Entry](repeating: .empty, count: FormatExampleTests.parameters.shards)
            entries[shard] = PatchIndex.Entry(length: UInt32(section.count), digest: SHA256.hash(section))
            return PatchIndex(entries)
        }

        var preimage: [UInt8] {
            Self.bytes {
                $0.append(outpoint.txid)
                $0.append(outpoint.index)
                $0.append(code)
                $0.append(amount)
                $0.appendCompactSize(UInt64(script.count))
                $0.append(script)
            }
        }

        static func bytes(_ body: (inout ByteBuffer) -> Void) -> [UInt8] {
            var buffer = ByteBuffer()
            body(&buffer)
            return [UInt8](buffer.bytes)
        }
    }

    static let first = Step(
        height: 1,
        block: Digest(reversedHex: "45ce0ea3bea8a9afa9c320028d784f4900f768bf0014056c402e7b0f1e0985fe")!,
        outpoint: Outpoint(
            txid: Digest(reversedHex: "2b8d7d5f1b3c9ac9291cd35753597a53059f7602dac1ecabb3313aea75fc4d39")!,
            index: 0),
        script: [0x51])
    static let second = Step(
        height: 2,
        block: Digest(reversedHex: "24aa5debc52633dc96b27cd8a776ec01dadb9fbaea15db0a668aee9b925da7c7")!,
        outpoint: Outpoint(
            txid: Digest(reversedHex: "ae683955dd12256b0c11ee8b06758bcf26f018d2cb2768b1cc758987581165e7")!,
            index: 0),
        script: [UInt8](hex: "08f5b165224a58b7917551")!)

    static func emptySnapshotRoot(shards: Int) -> Digest {
        Manifest(.init(repeating: line([], script: nil), count: shards)).root
    }

    /// A line of a manifest: of a shard with these bytes, and a coin with this script.
    static func line(_ shard: [UInt8], script: [UInt8]?) -> Manifest.Shard {
        Manifest.Shard(
            ShardContents(
                coins: script == nil ? 0 : 1, bytes: UInt64(shard.count), digest: SHA256.hash(shard)),
            filter: filter(script.map { [$0] } ?? []).withBytes(Manifest.Filter.init))
    }

    /// In a snapshot of the block of height 2.
    static func filter(_ scripts: [[UInt8]]) -> [UInt8] {
        var builder = ShardFilter.Builder(block: second.block)
        for script in scripts { script.withBytes { builder.add($0) } }
        return Step.bytes { builder.finish(to: &$0) }
    }

    static func emptyMuHashes(shards: Int) -> Digest {
        let parameters = TreeParameters(shards: shards, epoch: 1)
        return ShardMuHashes(.init(repeating: MuHash().digest(), count: shards), parameters).root
    }

    static func emptyPatchRoot(shards: Int) -> Digest {
        PatchIndex([PatchIndex.Entry](repeating: .empty, count: shards)).root
    }

    /// What the block of height 2 does, from its bytes in the document.
    func changes() throws -> (totals: BlockChanges.Totals, muhash: MuHash, patch: [UInt8]) {
        let block = try #require([UInt8](hex: document["block.hex"].filter { $0 != "\n" }))
        var changes = BlockChanges()
        let totals = try block.withUnsafeBytes { block in
            try [UInt8(0)].withUnsafeBytes { undo in
                try changes.process(
                    block: block, undo: undo, height: 2, network: .regtest, parameters: Self.parameters)
            }
        }
        return (totals, changes.elements.total(), [UInt8](changes.patch.bytes))
    }

    @Test func theBlockIsTheOneThatIsAttested() throws {
        let header = try changes().totals.header
        #expect(header.hash == Self.second.block)
        #expect(header.parent == Self.first.block)
        let digits = document["block.hex"].split(separator: "\n")
        #expect(digits.dropLast().allSatisfy { $0.count == 64 })
    }

    @Test func theCoinIsExplained() throws {
        let step = Self.second
        let words = [
            "txid, internal order", "one coin", "output index \(step.outpoint.index)",
            "VARINT \(step.code): height \(step.height) · 2 + 1, a coinbase",
            "VARINT \(Amount.compress(step.amount)): \(step.amount) satoshi, compressed",
            "VARINT \(step.script.count + 6): a script of \(step.script.count) bytes", "the script",
        ]
        #expect(document["coin"] == Self.explained(step.pieces, words))
        // The same as the encoder's, and it reads as the coin.
        #expect(
            step.group.dropFirst(33)
                == Step.bytes { out in
                    step.script.withUnsafeBytes {
                        out.appendCoin(
                            index: step.outpoint.index, code: step.code, amount: step.amount, script: $0)
                    }
                }[...])
    }

    @Test func thePatchIsTheBlocks() throws {
        let (totals, _, patch) = try changes()
        let index = Self.second.index
        var lines = index.entries.map { Step.bytes(appending($0)).hex }
        for shard in 0..<Self.parameters.shards {
            lines.append(shard == Self.second.shard ? Self.second.section.hex : "00")
        }
        #expect(document["patch.hex"] == lines.joined(separator: "\n") + "\n")
        #expect(lines.joined() == patch.hex)
        #expect(totals.patchRoot == index.root)
        let checked = try patch.withUnsafeBytes {
            try PatchIndex(checking: $0, shards: Self.parameters.shards)
        }
        #expect(checked.root == index.root)
        #expect(document["empty-entry"] == Step.bytes(appending(.empty)).hex + "\n")
    }

    private func appending(_ entry: PatchIndex.Entry) -> (inout ByteBuffer) -> Void {
        {
            $0.append(entry.length)
            $0.append(entry.digest)
        }
    }

    @Test func thePathLeadsToTheRoot() {
        var level = Self.second.index.entries.map { entry in
            Step.bytes(appending(entry)).withUnsafeBytes(MerkleTree.leaf)
        }
        var place = Self.second.shard
        var text = "leaf   \(level[place].hex)\n"
        while level.count > 1 {
            text += (place & 1 == 0 ? "right  " : "left   ") + level[place ^ 1].hex + "\n"
            level = stride(from: 0, to: level.count, by: 2).map { MerkleTree.node(level[$0], level[$0 + 1]) }
            place /= 2
            text += (level.count > 1 ? "node   " : "root   ") + level[place].hex + "\n"
        }
        #expect(document["path"] == text)
        #expect(level == [Self.second.index.root])
    }

    /// With frames that hold their contents unpacked.
    @Test func theDirectoryLeadsToEveryPart() throws {
        let (_, _, patch) = try changes()
        let index = Self.second.index
        func frame(_ contents: ArraySlice<UInt8>) -> [UInt8] {
            let header = contents.count << 3 | 1
            return [
                0x28, 0xb5, 0x2f, 0xfd, 0x20, UInt8(contents.count), UInt8(header & 255), UInt8(header >> 8),
                0,
            ]
                + contents
        }
        let ranges = (0..<4).map { frame(patch[144 * $0..<144 * ($0 + 1)]) }
        let sections = (0..<4).map { frame(patch[index.offsets[4 * $0]..<index.offsets[4 * $0 + 4]]) }
        var offset = PatchDirectory.size(Self.parameters)
        let offsets = (ranges + sections).map { frame in
            defer { offset += frame.count }
            return offset
        }
        let directory = PatchDirectory(
            Self.parameters, indexOffsets: Array(offsets[..<4]),
            sectionOffsets: offsets[4...].flatMap { [Int](repeating: $0, count: 4) }, end: offset,
            nodes: index.nodes(4))
        let bytes = Step.bytes { directory.append(to: &$0) }
        #expect(document["directory.hex"].filter { $0 != "\n" } == bytes.hex)
        #expect(try bytes.withBytes { try PatchDirectory(parsing: $0, Self.parameters) } == directory)
        #expect(directory.root == index.root)
    }

    @Test func statementsNameThoseBeforeThem() throws {
        let before = try (0...1).map { height in
            var lines = FieldLines(Array(document["statement.\(height)"].utf8))
            return try Statement(parsing: &lines)
        }
        #expect(before.map(\.text) == (0...1).map { document["statement.\($0)"] })
        #expect(before[1].history == [before[0].digest] && before[1].block == Self.first.block)
        #expect(before[0].snapshotRoot == Self.emptySnapshotRoot(shards: 16))
        #expect(try statement().history == [before[1].digest])
    }

    @Test func theElementsAreHashed() throws {
        var text = ""
        var muhash = MuHash()
        for step in [Self.first, Self.second] {
            let key = SHA256.hash(step.preimage)
            let words = [UInt64](unsafeUninitializedCapacity: 48) { buffer, count in
                ChaCha20.keystream(key: key, into: buffer.baseAddress!)
                count = 48
            }
            let keystream = Step.bytes { for word in words { $0.append(word) } }
            text += "height \(step.height)  preimage   \(step.preimage.hex)\n"
            text += "          key        \(key.hex)\n"
            text += "          keystream  \(SHA256.hash(keystream).hex)\n"
            muhash.insert(Num3072(hashing: key))
        }
        #expect(document["muhash"] == text)
        var both = try changes().muhash
        both.insert(
            Self.first.script.withUnsafeBytes {
                Num3072(
                    coin: Self.first.outpoint, code: Self.first.code, amount: Self.first.amount, script: $0)
            })
        #expect(both.digest() == muhash.digest())
    }

    /// The statement of height 2, from the two coins.
    func statement() throws -> Statement {
        var (totals, muhash, _) = try changes()
        var entries = [Digest](repeating: MuHash().digest(), count: 16)
        for step in [Self.first, Self.second] {
            entries[step.shard] = Num3072(hashing: SHA256.hash(step.preimage)).digest
        }
        muhash.insert(Num3072(hashing: SHA256.hash(Self.first.preimage)))
        totals.amount += Int64(Self.first.amount)
        return Statement(
            network: .regtest, parameters: Self.parameters, height: 2, block: totals.header.hash,
            parent: totals.header.parent, coins: UInt64(1 + totals.coins), amount: UInt64(totals.amount),
            muhash: muhash.digest(), muhashes: ShardMuHashes(entries, Self.parameters).root,
            patchRoot: totals.patchRoot, deltas: [], history: [SHA256.hash(document["statement.1"])],
            snapshotRoot: nil)
    }

    @Test func theAttestationSaysSo() throws {
        let bytes = Array(document["attestation.txt"].utf8)
        let attestation = try Attestation(parsing: bytes)
        #expect(try attestation.statement == statement())
        #expect(Array(attestation.text.utf8) == bytes)
        #expect(document["authority.pem"] == attestation.key.pem)
        let signature = try #require([UInt8](hex: document["signature.hex"].dropLast()))
        _ = try SignedAttestation(checking: bytes, signature: signature, key: attestation.key)
    }

    @Test func theGenesisStatementIsTheMainNetworks() throws {
        let parameters = Network.main.defaultParameters
        let snapshot = Self.emptySnapshotRoot(shards: parameters.shards)
        let statement = Statement(
            network: .main, parameters: parameters, height: 0,
            block: try #require(Digest(reversedHex: Network.main.genesis)), parent: .zero, coins: 0,
            amount: 0,
            muhash: MuHash().digest(), muhashes: Self.emptyMuHashes(shards: parameters.shards),
            patchRoot: Self.emptyPatchRoot(shards: parameters.shards), deltas: [], history: [],
            snapshotRoot: snapshot)
        #expect(document["genesis"] == statement.text)
    }

    @Test func theSpendIsOfTheFirstCoin() throws {
        let outpoint = Self.first.outpoint
        let pieces = [[1], outpoint.txid.bytes, [1], [UInt8(outpoint.index)]]
        let words = [
            "one group of spent outpoints", "txid, internal order", "one outpoint",
            "output index \(outpoint.index); no created coins follow",
        ]
        #expect(document["spend"] == Self.explained(pieces, words))
        try pieces.flatMap(\.self).withUnsafeBytes { bytes in
            var section = try PatchSection(bytes)
            #expect(try section.nextSpent() == outpoint)
            #expect(try section.nextSpent() == nil)
            #expect(try section.nextCreated() == nil)
        }
    }

    @Test func theDeltaHasBothCoins() throws {
        let lines = document["delta"].split(separator: "\n").map { $0.prefix { $0 != " " } }
        let bytes = try #require([UInt8](hex: lines.joined()))
        #expect(lines[1...2].joined() == Self.second.group.hex)
        var script = ByteBuffer()
        try bytes.withBytes {
            try PatchCheck.check(
                $0, heights: 1...10, shard: 4, of: Self.parameters, script: &script)
        }
    }

    @Test func theManifestHasTheShardsAndFilters() {
        var shards = [Manifest.Shard](repeating: Self.line([], script: nil), count: 16)
        for step in [Self.first, Self.second] {
            shards[step.shard] = Self.line(step.group, script: step.script)
        }
        let lines = Manifest(shards).text.split(separator: "\n").filter { $0.split(separator: " ")[1] == "1" }
        #expect(document["manifest"] == lines.joined(separator: "\n") + "\n")
        #expect(
            document["filters"]
                == [Self.second, Self.first].map {
                    "\(TreePath.shardDigits($0.shard)) \(Self.filter([$0.script]).hex)\n"
                }.joined())
    }

    @Test func theGroupHasTwoCoins() throws {
        let lines = document["group"].split(separator: "\n").map { $0.prefix { $0 != " " } }
        let bytes = try #require([UInt8](hex: lines.joined()))
        let coins = try Self.coins(bytes)
        #expect(coins.map(\.index) == [0, 300] && coins.map(\.code) == [3, 2])
        #expect(coins.map(\.amount) == [5_000_000_000, 100_000_000])
    }

    private static func coins(_ bytes: [UInt8]) throws -> [(index: UInt32, code: UInt32, amount: UInt64)] {
        try bytes.withBytes { raw in
            var cursor = GroupCursor()
            var offset = 0
            var script = ByteBuffer()
            var coins: [(index: UInt32, code: UInt32, amount: UInt64)] = []
            while let coin = try cursor.next(in: raw, at: &offset, isLast: true) {
                guard ScriptCompression.decompress(coin.script, into: &script) else {
                    throw ParseError(.malformed("no point"), at: offset)
                }
                coins.append((coin.index, coin.code, coin.amount))
            }
            return coins
        }
    }

    /// What the document says that readers refuse, they refuse.
    @Test func theFormsToRefuse() throws {
        let lines = document["refused"].split(separator: "\n")
        #expect(lines.count > 15)
        for line in lines {
            let words = line.components(separatedBy: "  ")[0].split(separator: " ")
            let bytes =
                try words[words.count - 1] == "-" ? [] : #require([UInt8](hex: words[words.count - 1]))
            #expect(throws: ParseError.self, "\(line)") {
                switch words[0] {
                case "shard": _ = try Self.coins(bytes)
                case "section":
                    try bytes.withBytes {
                        var section = try PatchSection($0)
                        while try section.nextSpent() != nil {}
                        while try section.nextCreated() != nil {}
                    }
                default:
                    let coins = try #require(UInt64(words[1]))
                    _ = try ShardFilter(parsing: bytes, block: Self.second.block, coins: coins)
                }
            }
        }
    }

    /// What stands between the blocks, too: its numbers in their order.
    @Test func theWordsBetweenNameTheseNumbers() throws {
        let step = Self.second
        let double = step.script.withUnsafeBytes { SHA256.double($0) }
        let shard = TreePath.shardDigits(step.shard)
        let other = TreePath.shardDigits(Self.first.shard)
        let expected =
            ["2", "16", "50", "3"] + ["80"]
            + [[double.bytes[0]].hex.filter(\.isNumber), String(step.shard), "16", shard]
            + ["16", "15", "00", shard, "00"]
            + [shard, "005", "006", "007", "000", "003", "008", "00"]
            + ["0", "1", "0", "1"] + ["256", "256", "384"] + ["2", shard, other, "256", "1"] + ["1", "15"] + [
                "6979"
            ]
            + ["106", "1", other] + ["10", "10", shard, "2", "3"]
        #expect(document.numbersBetween("## Worked example", "## Vectors") == expected)
    }

    static func explained(_ pieces: [[UInt8]], _ words: [String]) -> String {
        zip(pieces, words).map { bytes, words in
            bytes.hex + String(repeating: " ", count: 66 - 2 * bytes.count) + words + "\n"
        }.joined()
    }
}

/// FORMAT.md, and the blocks that it names `example:NAME`.
struct FormatDocument {
    static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "../../site-template/FORMAT.md"
    ).standardized.path

    let lines: [String]
    let blocks: [(name: String, text: String)]

    init() throws {
        lines = try String(contentsOfFile: Self.path, encoding: .utf8).components(separatedBy: "\n")
        var blocks: [(name: String, text: String)] = []
        var isInside = false
        for line in lines {
            if line.hasPrefix("```") {
                isInside.toggle()
                if isInside { blocks.append((String(line.dropFirst(3)), "")) }
            } else if isInside {
                blocks[blocks.count - 1].text += line + "\n"
            }
        }
        self.blocks = blocks.compactMap { name, text in
            name.hasPrefix("example:") ? (String(name.dropFirst("example:".count)), text) : nil
        }
    }

    /// The only block of this name; empty where there is none.
    subscript(name: String) -> String {
        let found = blocks.filter { $0.name == name }
        return found.count == 1 ? found[0].text : ""
    }

    /// The runs of digits outside blocks, from one heading to another.
    func numbersBetween(_ start: String, _ end: String) -> [String] {
        guard let first = lines.firstIndex(of: start), let last = lines.firstIndex(of: end) else { return [] }
        var isInside = false
        var words: [Substring] = []
        for line in lines[first..<last] {
            if line.hasPrefix("```") { isInside.toggle() }
            if !isInside { words += line.split { !("0"..."9").contains($0) } }
        }
        return words.map(String.init)
    }
}
