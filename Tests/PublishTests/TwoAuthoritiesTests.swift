import Concord
import Foundation
import TestSupport
import Testing

/// What two authorities of one chain agree on, and what ordinary tools say of it.
@Suite(.waits) struct TwoAuthoritiesTests {
    @Test func authoritiesDifferInTheMetadataOnly() throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let fixture = ChainFixture.regtestRich
        var one = try Publication(fixture, datadir: reference.publication.datadir)
        var two = try Publication(fixture, datadir: reference.publication.datadir)
        (one.name, two.name) = ("Bravo.one", "charlie_2")
        try one.publish("--level", "1", "--note", "a note of bravo's")
        try two.publish("--level", "19")

        #expect(one.tree.files() == two.tree.files() && one.tree.files() == reference.tree.files())
        for path in one.tree.files() where path.hasPrefix("attestations/") && path.hasSuffix(".txt") {
            let statement = try reference.tree.statement(path)
            for (publication, note) in [(one, "note: a note of bravo's\n"), (two, "")] {
                let text = try publication.tree.text(path)
                let fields = try publication.tree.fields(path)
                let metadata = """

                    authority: \(publication.name)
                    key: \(publication.publicKey)
                    time: \(fields["time"] ?? "")
                    software: \(fields["software"] ?? "")
                    \(note)
                    """
                #expect(text == statement + metadata)
                let time = try #require(fields["time"])
                #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
            }
        }
        for path in one.tree.files()
        where path.hasSuffix("manifest.txt") || path.hasSuffix(".bin")
            || path.hasSuffix(".gcs")
        {
            #expect(try one.tree.read(path) == two.tree.read(path))
        }

        let unpacked = try [one, two].map { try $0.tree.unpack(into: $0.scratch.path("unpacked")) }
        let names = reference.unpacked.files()
        #expect(unpacked.allSatisfy { $0.files() == names })
        for path in names {
            let bytes = try reference.unpacked.read(path)
            #expect(try unpacked[0].read(path) == bytes && unpacked[1].read(path) == bytes, "\(path)")
        }
        // Otherwise the levels had been ignored, and nothing was shown.
        let packed = names.map { $0 + ".zst" }
        #expect(try packed.contains { try one.tree.read($0) != two.tree.read($0) })
    }

    /// One shell, as an auditor would do it.
    @Test func opensslAcceptsEverySignature() throws {
        let tree = try ReferenceTree.of(.regtestRich).tree
        let script = """
            n=0
            for file in attestations/*/*.txt; do
                openssl dgst -sha256 -verify authority.pem -signature "$file.sig" "$file" >/dev/null || exit 1
                n=$((n + 1))
            done
            echo $n
            """
        let printed = try Program.installed("sh").print("-c", script, in: tree.root)
        #expect(String(decoding: printed, as: UTF8.self) == "331\n")

        let name = try #require(tree.attestations()[330]?.first)
        var other = try tree.read(name)
        other[100] ^= 1
        let scratch = try Scratch()
        try scratch.write(other, to: "other.txt")
        let refused = try Program.installed("openssl").run(
            "dgst", "-sha256", "-verify", tree.path("authority.pem"), "-signature", tree.path(name + ".sig"),
            scratch.path("other.txt"))
        #expect(!refused.isSuccess)
    }

    /// One shell as well: every line of every manifest against `zstd -dc | sha256sum` and `wc -c`.
    @Test func sha256sumGivesTheManifestsDigests() throws {
        let tree = try ReferenceTree.of(.regtestRich).tree
        let script = """
            for folder in snapshots/*; do
                while read shard coins bytes digest filterBytes filterDigest; do
                    file="$folder/shards/$shard.zst"
                    [ "$(zstd -dcq "$file" | sha256sum)" = "$digest  -" ] || { echo "$file digest"; exit 1; }
                    [ "$(zstd -dcq "$file" | wc -c)" -eq "$bytes" ] || { echo "$file bytes"; exit 1; }
                    file="$folder/filters/$shard.gcs"
                    [ "$(sha256sum <"$file")" = "$filterDigest  -" ] || { echo "$file digest"; exit 1; }
                    [ "$(wc -c <"$file")" -eq "$filterBytes" ] || { echo "$file bytes"; exit 1; }
                done < "$folder/manifest.txt"
                wc -l < "$folder/manifest.txt"
            done
            """
        let outcome = try Program.installed("sh").run("-c", script, in: tree.root)
        #expect(
            outcome.isSuccess && outcome.output == String(repeating: "16\n", count: 7), "\(outcome.output)")
        let fixture = ChainFixture.regtestRich
        for (height, answer) in try fixture.answers().enumerated() where height % fixture.epoch == 0 {
            let lines = try tree.text("snapshots/\(digits(height))-\(answer.block)/manifest.txt").split(
                separator: "\n")
            #expect(lines.reduce(0) { $0 + (Int($1.split(separator: " ")[1]) ?? 0) } == Int(answer.coins))
        }
    }

    @Test(.needsMainnet) func manifestsOfMainnetAreOfItsShards() throws {
        let reference = try ReferenceTree.of(.mainnet4312)
        let fixture = ChainFixture.mainnet4312
        for (height, answer) in try fixture.answers().enumerated() where height % fixture.epoch == 0 {
            let folder = "snapshots/\(digits(height))-\(answer.block)"
            let lines = try reference.tree.text("\(folder)/manifest.txt").split(separator: "\n")
            #expect(lines.count == fixture.shards)
            var coins = 0
            for line in lines {
                let words = line.split(separator: " ")
                let bytes = try reference.unpacked.read("\(folder)/shards/\(words[0])")
                #expect(words[2] == "\(bytes.count)" && words[3] == SHA256.hash(bytes).hex)
                coins += Int(words[1]) ?? 0
            }
            #expect(coins == Int(answer.coins))
        }
    }
}
