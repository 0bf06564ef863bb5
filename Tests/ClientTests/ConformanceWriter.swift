import Concord
import ConcordPublish
import ConcordTree
import Foundation
import TestSupport

/// Makes the trees of `Tests/Conformance`: a good one, and what others differ in from it. The files of a case take the places
/// of the good tree's.
struct ConformanceWriter {
    struct Case {
        let name: String
        /// Whether files and hashes are right; whether the coins are, where that was looked at.
        let verify, deep: Bool
        /// The file that is to be named; - where nothing is wrong.
        let path: String
        let reason: String
        var files: [String: [UInt8]?] = [:]
    }

    static let parameters = TreeParameters(shards: 4, epoch: 200)

    let tree: MadeTree
    /// The branch that was left.
    private let left: MadeChain
    private(set) var cases: [Case] = []

    /// Of 231 blocks, two epochs, with a branch of two blocks that was left.
    init(_ key: SigningKey) throws {
        let chain = MadeChain(tip: 230, outputs: 3)
        left = chain.forked(at: 226, tip: 228, salt: 5)
        tree = try MadeTree(
            [(left, MadeTree.time), (chain, MadeTree.time + 60)],
            name: "vectors", key: key, parameters: Self.parameters)
        try addAll()
    }

    private func block(_ height: Int) -> BlockID { tree.chain.blockID(at: height) }
    private func patch(_ height: Int) -> String { TreePath.patch(block(height), Self.parameters) }
    private func delta(_ height: Int, _ span: Int) -> String {
        TreePath.changes(block(height), span: span, Self.parameters)
    }
    private func muhashes(_ height: Int) -> String { TreePath.muhashes(block(height), Self.parameters) }
    private func attestation(_ height: Int) -> String { TreePath.attestation(block(height), Self.parameters) }

    /// A case that needs nothing signed.
    private mutating func add(
        _ name: String, _ path: String, _ reason: String, isRight: Bool = false,
        _ change: ([UInt8]) -> [UInt8]?
    ) throws {
        guard let bytes = tree.files[path] else { throw TestError("no \(path)") }
        cases.append(
            Case(
                name: name, verify: isRight, deep: isRight, path: isRight ? "-" : path, reason: reason,
                files: [path: change(bytes)]))
    }

    /// A case in which the key signs something else.
    private mutating func sign(
        _ name: String, _ height: Int, verify: Bool, path: String? = nil, _ reason: String,
        _ change: (inout MadeTree, inout Statement) throws -> Void
    ) throws {
        var changed = tree
        var statement = try tree.attestation(of: block(height)).statement
        try change(&changed, &statement)
        try changed.attest(statement)
        // Those above it, up to the end of the epoch, name what is there now.
        var digests: [Int: Digest] = [:]
        for next in Self.parameters.epochStart(
            of: height)...min(Self.parameters.epochStart(of: height) + 199, 230)
        {
            var statement = try changed.attestation(of: block(next)).statement
            if next > height {
                statement.history = Self.parameters.historySpans(at: next).map { digests[next - $0] ?? .zero }
                try changed.attest(statement, time: MadeTree.time + 60)
            }
            digests[next] = statement.digest
        }
        if (200...226).contains(height) {
            // The branch that was left stands on it too.
            var parent = digests[226] ?? .zero
            for next in 227...228 {
                var statement = try changed.attestation(of: left.blockID(at: next)).statement
                statement.history = [parent]
                try changed.attest(statement, time: MadeTree.time)
                parent = statement.digest
            }
        }
        let files = changed.files.filter { tree.files[$0.key] != $0.value }
        cases.append(
            Case(
                name: name, verify: verify, deep: false, path: path ?? attestation(height), reason: reason,
                files: files.mapValues { $0 }))
    }

    private static func flipped(_ bytes: [UInt8], _ place: Int) -> [UInt8] {
        var bytes = bytes
        bytes[place] ^= 1
        return bytes
    }

    private mutating func addAll() throws {
        cases.append(Case(name: "good", verify: true, deep: true, path: "-", reason: "all of it is right"))
        // MuHashes of shards.
        try add("muhashes-missing", muhashes(113), "a block's data are all there or none is") { _ in nil }
        try add("muhashes-short", muhashes(113), "its length is 32 · (G + n)") { $0.dropLast() }
        try add("muhashes-long", muhashes(113), "its length is 32 · (G + n)") { $0 + [0] }
        try add("muhashes-node", muhashes(113), "a node is that of its entries") { Self.flipped($0, 5) }
        let otherMuHashes = tree.files[muhashes(114)]
        try add("muhashes-of-another-block", muhashes(113), "entries come to the signed root") { _ in
            otherMuHashes
        }
        try add("muhashes-entry", muhashes(113), "entries come to the signed root") { Self.flipped($0, 150) }
        // Directories.
        let sections = try patchSections(unpacked(patch(113)), shards: 4)
        let plain = PlainPatchFile(sections) { Self.frame($0) }
        try add(
            "directory-other-frames", patch(113), "which sections share a frame is the publisher's choice",
            isRight: true
        ) { _ in
            PlainPatchFile(sections, groups: [0..<2, 2..<4]) { Self.frame($0) }.bytes()
        }
        try add("directory-missing", patch(113), "a patch begins with its directory") {
            Array($0.dropFirst(8 + plain.size))
        }
        try add("directory-magic", patch(113), "the magic is 184d2a5c") { _ in plain.bytes(magic: 0x184d_2a5e)
        }
        try add("directory-size", patch(113), "the size follows from the number of shards") { _ in
            plain.bytes(size: plain.size - 32)
        }
        for (name, place, change) in [
            ("first-index", 0, -1), ("index", 1, 3), ("section", 3, -2), ("last-section", 5, 1),
            ("length", 6, 7),
        ] {
            try add("directory-offset-\(name)", patch(113), "offsets lead to frames") { _ in
                var numbers = plain.numbers
                numbers[place] += change
                return plain.bytes(numbers: numbers)
            }
        }
        try add("directory-two-ranges", patch(113), "no frame has sections of two ranges") { _ in
            PlainPatchFile(sections, groups: [0..<1, 1..<3, 3..<4]) { Self.frame($0) }.bytes()
        }
        try add("directory-nodes", patch(113), "the nodes come to the signed root") { _ in
            var plain = plain
            plain.nodes.swapAt(0, 1)
            return plain.bytes()
        }
        func framed(_ frame: [UInt8]) -> [UInt8] {
            var plain = plain
            plain.sectionFrames[2].bytes = frame
            return plain.bytes()
        }
        let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]
        let good = plain.sectionFrames[2].bytes
        for (name, frame, reason) in [
            ("skippable-before", skippable + good, "exactly one frame is between two offsets"),
            ("skippable-behind", good + skippable, "exactly one frame is between two offsets"),
            ("two", Self.frame([]) + good, "exactly one frame is between two offsets"),
            ("no-content-size", Self.stream(sections[2]), "frames name the size of their contents"),
            ("other-content", Self.frame(Self.flipped(sections[2], 0)), "a section is the one of its entry"),
            (
                "padded", Self.padded(good, blocks: 1000), "a frame has at most m + m/64 + 1,024 bytes"
            ),
        ] as [(String, [UInt8], String)] {
            try add("frame-\(name)", patch(113), reason) { _ in framed(frame) }
        }
        try add("patch-missing", patch(113), "a block's data are all there or none is") { _ in nil }
        try add("patch-bit", patch(113), "any bit") { Self.flipped($0, $0.count - 3) }
        try add("delta-missing", delta(110, 10), "a block's data are all there or none is") { _ in nil }
        try add("delta-bit", delta(100, 100), "any bit") { Self.flipped($0, $0.count - 3) }
        let other = tree.files[delta(120, 10)]
        try add("delta-of-another-block", delta(110, 10), "its root is the signed one") { _ in other }
        // Snapshots.
        let snapshot = block(200)
        try add("filter-missing", TreePath.filter(2, of: snapshot), "every shard has its filter") { _ in nil }
        try add("filter-bit", TreePath.filter(2, of: snapshot), "its digest is in the manifest") {
            Self.flipped($0, 4)
        }
        try add("filter-long", TreePath.filter(2, of: snapshot), "its length is in the manifest") { $0 + [0] }
        try add("manifest-old-columns", TreePath.manifest(snapshot), "a line has six columns") { bytes in
            Array(
                String(decoding: bytes, as: UTF8.self).split(separator: "\n").flatMap {
                    $0.split(separator: " ").prefix(4).joined(separator: " ") + "\n"
                }.map(String.init).joined().utf8)
        }
        let shard = try unpacked(TreePath.shard(1, of: snapshot))
        try add(
            "shard-other-frames", TreePath.shard(1, of: snapshot),
            "how a shard is packed is the publisher's choice", isRight: true
        ) { _ in
            Self.frame(Array(shard.prefix(40))) + skippable + Self.stream(Array(shard.dropFirst(40)))
        }
        try add(
            "shard-skippable-alone", TreePath.shard(1, of: snapshot),
            "a file has a frame that is not skippable"
        ) { _ in skippable }
        try add("shard-bit", TreePath.shard(1, of: snapshot), "its digest is in the manifest") { _ in
            Self.frame(Self.flipped(shard, 40))
        }
        // Statements.
        try sign("history-of-another", 113, verify: false, "history names the ancestor's statement") {
            $1.history[0] = SHA256.hash("another")
        }
        try sign("history-of-ten", 120, verify: false, "every item of history is right") {
            $1.history[1] = SHA256.hash("another")
        }
        try sign("genesis-coins", 0, verify: false, "the genesis block leaves the set empty") {
            $1.coins += 1
        }
        let leftBlock = left.blockID(at: 227)
        try sign("parent-of-a-branch", 228, verify: false, "the parent is the header's") {
            changed, statement in
            statement.parent = leftBlock.hash
            statement.history[0] = try changed.attestation(of: leftBlock).statement.digest
        }
        for (name, change) in [
            ("coins", { $0.coins += 1 }), ("amount", { $0.amount += 1 }),
            ("muhash", { $0.muhash = SHA256.hash("another") }),
        ] as [(String, (inout Statement) -> Void)] {
            try sign(
                "state-\(name)", 113, verify: true, "the patch applied to the parent's set gives `\(name)`"
            ) {
                change(&$1)
            }
        }
        let (chain, parameters) = (tree.chain, Self.parameters)
        try sign(
            "state-muhashes", 113, verify: true, "the patch applied to the parent's set gives `muhashes`"
        ) { changed, statement in
            let path = TreePath.muhashes(chain.blockID(at: 113), parameters)
            var entries = try ShardMuHashes(parsing: changed.files[path] ?? [], parameters).entries
            entries.swapAt(0, 1)
            let muhashes = ShardMuHashes(entries, parameters)
            changed.files[path] = TestSupport.bytes { muhashes.append(to: &$0) }
            statement.muhashes = muhashes.root
        }
        try sign(
            "delta-not-net", 110, verify: true, path: delta(110, 10),
            "a delta is the net change of its blocks"
        ) { changed, statement in
            changed.files[TreePath.changes(chain.blockID(at: 110), span: 10, parameters)] =
                changed.files[TreePath.patch(chain.blockID(at: 110), parameters)]
            statement.deltas[0] = statement.patchRoot
        }
        try sign(
            "patch-height", 113, verify: false, path: patch(113), "a created coin has its block's height"
        ) { changed, statement in
            let path = TreePath.patch(chain.blockID(at: 113), parameters)
            changed.files[path] = changed.files[TreePath.patch(chain.blockID(at: 114), parameters)]
            statement.patchRoot = try changed.attestation(of: chain.blockID(at: 114)).statement.patchRoot
        }
        try sign(
            "amount-overflow", 230, verify: true, "the patch applied to the parent's set gives `amount`"
        ) { changed, statement in
            // 5,000 coins of 21 million bitcoin: more satoshi than a number of 64 bits holds.
            let script: [UInt8] = [0x51]
            let shard = script.withBytes(parameters.shard)
            var sections = [[UInt8]](repeating: [0], count: 4)
            sections[shard] = section(
                created: (0..<5000).map {
                    TestCoin(
                        outpoint: Outpoint(txid: Digest(every: 7), index: $0), code: 2 * 230,
                        amount: Amount.most, script: script)
                })
            let path = TreePath.patch(chain.blockID(at: 230), parameters)
            changed.files[path] = PlainPatchFile(sections) { Self.frame($0) }.bytes()
            statement.patchRoot = try TestSupport.patch(sections).withBytes {
                try PatchIndex(checking: $0, shards: 4)
            }
            .root
        }
        try sign(
            "filter-of-nothing", 200, verify: true, path: TreePath.filter(2, of: snapshot),
            "a filter is that of the shard's scripts"
        ) { changed, statement in
            var shards = try Manifest(parsing: changed.files[TreePath.manifest(snapshot)] ?? [], shards: 4)
                .shards
            changed.files[TreePath.filter(2, of: snapshot)] = [0]
            shards[2].filter = [UInt8](repeating: 0, count: 1).withBytes(Manifest.Filter.init)
            let manifest = Manifest(shards)
            changed.files[TreePath.manifest(snapshot)] = Array(manifest.text.utf8)
            statement.snapshotRoot = manifest.root
        }
        try sign(
            "shards-swapped", 200, verify: true, path: TreePath.shard(1, of: snapshot),
            "each coin's script belongs to its shard"
        ) { changed, statement in
            var shards = try Manifest(parsing: changed.files[TreePath.manifest(snapshot)] ?? [], shards: 4)
                .shards
            shards.swapAt(1, 2)
            for path in [TreePath.shard, TreePath.filter] as [(Int, BlockID) -> String] {
                let (one, two) = (path(1, snapshot), path(2, snapshot))
                (changed.files[one], changed.files[two]) = (changed.files[two], changed.files[one])
            }
            let manifest = Manifest(shards)
            changed.files[TreePath.manifest(snapshot)] = Array(manifest.text.utf8)
            statement.snapshotRoot = manifest.root
        }
        // What points to it, and what nobody signed.
        let latest = block(229)
        try add("latest-of-no-block", TreePath.latest, "it names an attested block") { _ in
            Array("229 \(String(repeating: "0", count: 64))\n".utf8)
        }
        try add("latest-lower", TreePath.latest, "it is a hint", isRight: true) { _ in
            Array("\(latest)\n".utf8)
        }
        try add("pem-without-lf", TreePath.authorityPEM, "its bytes are those of the key's PEM") {
            $0.dropLast()
        }
        try add(
            "headers-cut", TreePath.headers(epochOf: 200, parameters),
            "latest.txt names a block that the headers lead to"
        ) {
            $0.dropLast(80)
        }
        cases[cases.count - 1] = cases[cases.count - 1].naming(TreePath.latest)
        try add("signature-bit", TreePath.signature(attestation(113)), "the signature is by the key") {
            Self.flipped($0, $0.count - 1)
        }
        try add("signature-gone", TreePath.signature(attestation(113)), "an attestation has its signature") {
            _ in nil
        }
        cases.append(
            Case(
                name: "foreign", verify: true, deep: true, path: "-",
                reason: "files without a place are foreign, not wrong",
                files: [
                    "deltas/0000000/\(TreePath.name(block(113)))-10.zst": [1],
                    "snapshots/\(TreePath.name(block(113)))/manifest.txt": [1], "more.txt": [1],
                    "attestations/0000000/\(TreePath.name(block(113))).later.txt": [1],
                ]))
    }

    private func unpacked(_ path: String) throws -> [UInt8] {
        try Program.installed("zstd").print("-dcq", input: tree.files[path] ?? [])
    }

    /// One frame that names its size, with contents as they are.
    static func frame(_ bytes: [UInt8]) -> [UInt8] {
        let compressor = ZstdCompressor(level: 1)
        return TestSupport.bytes { out in _ = bytes.withBytes { compressor.appendFrame($0, to: &out) } }
    }

    /// One that does not.
    static func stream(_ bytes: [UInt8]) -> [UInt8] {
        let compressor = ZstdCompressor(level: 1)
        return TestSupport.bytes { out in
            bytes.withBytes {
                compressor.append(UnsafeRawBufferPointer(rebasing: $0.prefix(1)), isLast: false, to: &out)
                compressor.append(UnsafeRawBufferPointer(rebasing: $0.dropFirst(1)), isLast: true, to: &out)
            }
        }
    }

    /// A frame with empty blocks in front of its own.
    static func padded(_ frame: [UInt8], blocks: Int) -> [UInt8] {
        // RFC 8878, section 3.1.1.1: the descriptor says how long the header is.
        let (isSingle, sizeFlag) = (frame[4] & 0x20 != 0, Int(frame[4] >> 6))
        let header = 5 + (isSingle ? 0 : 1) + (sizeFlag == 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag)
        return frame.prefix(header) + [UInt8](repeating: 0, count: 3 * blocks) + frame.dropFirst(header)
    }

    /// Writes the archive and the list.
    func write(into folder: String) throws {
        let scratch = try Scratch()
        for (path, bytes) in tree.files
        where path != "index.html" && path != "FORMAT.md" && path != "audit.sh" {
            try scratch.write(bytes, to: "trees/good/\(path)")
        }
        for one in cases {
            for (path, bytes) in one.files {
                if let bytes { try scratch.write(bytes, to: "trees/\(one.name)/\(path)") }
            }
        }
        let tar = try Program.installed("tar").print(
            "-c", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-C",
            scratch.folder, "trees")
        let packed = try Program.installed("zstd").print("-19", "-cq", input: tar)
        try Data(packed).write(to: URL(fileURLWithPath: "\(folder)/trees.tar.zst"))
        var text = ""
        for one in cases {
            text += "case: \(one.name)\nverify: \(one.verify ? "right" : "wrong")\n"
            text += "deep: \(one.deep ? "right" : "wrong")\npath: \(one.path)\nbecause: \(one.reason)\n"
            for path in one.files.filter({ $0.value == nil }).keys.sorted() { text += "removed: \(path)\n" }
            text += "\n"
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/trees.txt"))
    }
}

extension ConformanceWriter.Case {
    fileprivate func naming(_ path: String) -> Self {
        Self(name: name, verify: verify, deep: deep, path: path, reason: reason, files: files)
    }
}
