import Concord
import Foundation
import TestSupport
import Testing

/// What a tree says and holds, against what Bitcoin Core says of the same chain.
@Suite(.waits) struct CoreAnswersTests {
    @Test func everyHeightOfRegtest() throws { try Self.compareEveryHeight(.regtestRich) }

    @Test(.needsMainnet) func everyHeightOfMainnet() throws { try Self.compareEveryHeight(.mainnet4312) }

    static func compareEveryHeight(_ fixture: ChainFixture) throws {
        let tree = try ReferenceTree.of(fixture).tree
        let (answers, roots) = (try fixture.answers(), try fixture.roots())
        let attestations = tree.attestations()
        #expect(answers.count == roots.count && attestations.count == answers.count)
        var parent = String(repeating: "0", count: 64)
        for (height, (answer, row)) in zip(answers, roots).enumerated() {
            let paths = attestations[height] ?? []
            let path = try #require(paths.count == 1 ? paths[0] : nil, "height \(height)")
            let said = try tree.fields(path)
            #expect(ChainFixture.Answer(said) == answer)
            #expect(row.answer == answer)
            #expect(
                ["muhashes", "patch", "deltas", "history", "snapshot"].map { said[$0] }
                    == [row.muhashes, row.patch, row.deltas, row.history, row.snapshot], "height \(height)")
            // The rest of the statement, and the names of the files.
            #expect(said["parent"] == parent)
            parent = answer.block
            #expect(
                [said["network"], said["shards"], said["epoch"]]
                    == [fixture.network, "\(fixture.shards)", "\(fixture.epoch)"])
            let epoch = digits(height - height % fixture.epoch)
            let name = "\(digits(height))-\(answer.block)"
            #expect(path == "attestations/\(epoch)/\(name).txt")
            #expect(FileManager.default.fileExists(atPath: tree.path("\(path).sig")))
            #expect(FileManager.default.fileExists(atPath: tree.path("patches/\(epoch)/\(name).zst")))
            #expect(FileManager.default.fileExists(atPath: tree.path("muhashes/\(epoch)/\(name).bin")))
        }
        let last = try #require(answers.last)
        #expect(try tree.text("latest.txt") == "\(last.height) \(last.block)\n")
    }

    /// The tree has the files of the layout and no others, and every header of the chain.
    @Test func theLayoutOfRegtest() throws {
        let fixture = ChainFixture.regtestRich
        let reference = try ReferenceTree.of(fixture)
        let answers = try fixture.answers()
        var expected: Set = [
            "latest.txt", "authority.txt", "authority.pem", "FORMAT.md", "audit.sh", "index.html",
        ]
        for answer in answers {
            let height = try #require(Int(answer.height))
            let epoch = digits(height - height % fixture.epoch)
            let name = "\(digits(height))-\(answer.block)"
            expected.formUnion([
                "attestations/\(epoch)/\(name).txt", "attestations/\(epoch)/\(name).txt.sig",
                "patches/\(epoch)/\(name).zst", "muhashes/\(epoch)/\(name).bin", "headers/\(epoch).bin",
            ])
            for span in [10, 100] where height > 0 && height % span == 0 && span < fixture.epoch {
                expected.insert("deltas/\(epoch)/\(name)-\(span).zst")
            }
            guard height % fixture.epoch == 0 else { continue }
            for file in ["manifest.txt", "snapshot.torrent", "snapshot.magnet"] {
                expected.insert("snapshots/\(name)/\(file)")
            }
            for shard in 0..<fixture.shards {
                let digits = "00\(String(shard, radix: 16))"
                expected.formUnion([
                    "snapshots/\(name)/shards/\(digits).zst", "snapshots/\(name)/filters/\(digits).gcs",
                ])
            }
        }
        #expect(Set(reference.tree.files()) == expected)
        #expect(
            try reference.tree.text("authority.txt") == """
                concord/1 authority
                name: alpha
                network: regtest
                key: \(reference.publication.publicKey)
                shards: 16
                epoch: 50
                first: 0

                """)

        let blocks = try reference.publication.coreFiles()
        let best = Set(answers.map(\.block))
        let headers = blocks.blocks.filter { best.contains($0.hash) }.sorted { $0.height < $1.height }
            .map { Array($0.record.bytes.prefix(80)) }
        #expect(headers.count == answers.count)
        for start in stride(from: 0, to: answers.count, by: fixture.epoch) {
            #expect(
                try reference.tree.read("headers/\(digits(start)).bin")
                    == Array(headers[start...].prefix(fixture.epoch).joined()))
        }
    }

    @Test func shardsOfRegtestAreThoseOfCoresDumps() throws {
        try Self.compareShards(ReferenceTree.of(.regtestRich).unpacked, .regtestRich, atLeast: 5)
    }

    @Test(.needsMainnet) func shardsOfMainnetAreThoseOfCoresDumps() throws {
        try Self.compareShards(ReferenceTree.of(.mainnet4312).unpacked, .mainnet4312, atLeast: 4)
    }

    /// Other parameters put a snapshot on the other heights that there are dumps of.
    @Test(arguments: [(106, 1), (107, 1024), (110, 64)])
    func shardsOfOtherTreesAreThoseOfCoresDumps(epoch: Int, shards: Int) throws {
        var publication = try Publication(.regtestRich)
        (publication.epoch, publication.shards) = (epoch, shards)
        try publication.publish("--to", "\(epoch == 110 ? 330 : epoch)", "--level", "1")
        let unpacked = try publication.tree.unpack(into: publication.scratch.path("unpacked"))
        try Self.compareShards(unpacked, .regtestRich, shards: shards, atLeast: epoch == 110 ? 2 : 1)
    }

    static func compareShards(
        _ unpacked: PlainTree, _ fixture: ChainFixture, shards: Int? = nil, atLeast least: Int
    ) throws {
        var compared = 0
        for height in try fixture.dumpHeights() {
            let block = try fixture.answers()[height].block
            let folder = "snapshots/\(digits(height))-\(block)/shards"
            let files = unpacked.files(under: folder)
            if files.isEmpty { continue }
            let dump = try fixture.dump(of: height)
            #expect(dump.block.reversed().hex == block)
            let expected = try dump.shards(shards ?? fixture.shards)
            #expect(files.count == expected.count)
            for (file, bytes) in zip(files, expected) {
                #expect(try unpacked.read(file) == bytes, "\(file)")
            }
            compared += 1
        }
        #expect(compared >= least)
    }
}

/// Seven digits, as in file names.
func digits(_ height: Int) -> String {
    String(repeating: "0", count: 7 - "\(height)".count) + "\(height)"
}
