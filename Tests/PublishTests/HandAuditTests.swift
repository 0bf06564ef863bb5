import TestSupport
import Testing

/// `audit.sh` finds nothing wrong with trees of the built publisher. What is spoilt: `VerifyTests`.
@Suite(.waits) struct HandAuditTests {
    @Test(arguments: HandAudit.allCases) func everythingIsRight(shell: HandAudit) throws {
        let tree = try ReferenceTree.of(.regtestRich).tree
        let outcome = try shell.run([tree.root])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.output)\(outcome.errors)")
        let summary =
            "331 attestations, 331 files of MuHashes, 331 patches, 33 deltas, 7 snapshots with 112 shards, 331 headers\n"
        #expect(outcome.output.contains(summary) && !outcome.output.contains("unsigned"))
        let answer = try ChainFixture.regtestRich.answers()[330]
        #expect(
            outcome.output.contains(
                "bestblock \(answer.block), txouts \(answer.coins), muhash \(answer.muhash)"))
    }

    @Test(arguments: HandAudit.allCases) func aLaterBeginningAndAWitness(shell: HandAudit) throws {
        let reference = try ReferenceTree.of(.regtestRich)
        let publication = try Publication(.regtestRich, datadir: reference.publication.datadir)
        try publication.publish("--attest-only", "--first", "200")
        let outcome = try shell.run([publication.tree.root, "--key", publication.publicKey.uppercased()])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.output)\(outcome.errors)")
        #expect(
            outcome.output.contains(
                "131 attestations, 0 files of MuHashes, 0 patches, 0 deltas, 0 snapshots with 0 shards, 331 headers\n"
            ))
        #expect(outcome.output.hasSuffix("\neverything that was checked is right\n"))
    }

    /// One process that ends for want of a tool says which.
    @Test(arguments: ["zstd", "openssl", "awk", "xargs"]) func aToolIsMissing(tool: String) throws {
        for shell in HandAudit.allCases {
            let outcome = try shell.run(["/"], without: tool)
            #expect(
                outcome.status == 1 && outcome.errors.contains("the program \(tool)"), "\(outcome.errors)")
        }
    }

    @Test(arguments: HandAudit.allCases) func usage(shell: HandAudit) throws {
        let tree = try ReferenceTree.of(.regtestRich).tree.root
        let key = try ReferenceTree.of(.regtestRich).publication.publicKey
        for bad in [
            ["--fly"], [tree, tree], ["--key"], ["--key="], ["--key", "02", tree],
            ["--key", key + "00", tree],
            ["--key", key.dropLast() + "g", tree], ["--key", "05" + key.dropFirst(2), tree],
            ["--key", "02" + String(repeating: "f", count: 64), tree], ["--shard", "16", tree],
            ["--shard", "-1", tree], ["--shard", "00", tree], ["--shard", "x", tree],
            ["--", tree, tree], [tree, "--", tree], ["--", ""],
            ["http://127.0.0.1/a b"], ["http://127.0.0.1/?a"], ["http://127.0.0.1/\"\noutput = \"x"],
        ] {
            let outcome = try shell.run(bad)
            #expect(
                outcome.status == 64 && outcome.output.isEmpty, "\(bad): \(outcome.output)\(outcome.errors)")
        }
        #expect(try shell.run(["--help"]).status == 0)
        #expect(try shell.run(["--shard", "0", "--", tree]).status == 0)
    }
}
