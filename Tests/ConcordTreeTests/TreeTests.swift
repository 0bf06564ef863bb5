import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct TreeTests {
    let scratch: Scratch
    let tree: Tree

    init() throws {
        scratch = try Scratch()
        tree = Tree(scratch.folder)
    }

    @Test func latestNamesABlock() throws {
        let block = BlockID(height: 7, hash: Digest(every: 9))
        try scratch.write("\(block)\n".utf8, to: "latest.txt")
        #expect(try tree.latest() == block)
        try scratch.write("<html>".utf8, to: "latest.txt")
        let error = #expect(throws: FileError.self) { try tree.latest() }
        #expect(error?.path == scratch.path("latest.txt"))
        try scratch.write([UInt8](repeating: 0x30, count: 129), to: "latest.txt")
        #expect(throws: FileError.self) { try tree.latest() }
        try scratch.remove("latest.txt")
        let missing = #expect(throws: FileError.self) { try tree.latest() }
        #expect(missing?.isMissing == true)
    }

    @Test func aManifestIsHeldToItsRoot() throws {
        let parameters = TreeParameters(shards: 2, epoch: 10)
        let block = BlockID(height: 10, hash: Digest(every: 9))
        let manifest = Manifest([
            .init(
                ShardContents(coins: 0, bytes: 0, digest: .zero), filter: .init(bytes: 1, digest: .zero)),
            .init(
                ShardContents(coins: 1, bytes: 40, digest: .zero), filter: .init(bytes: 3, digest: .zero)),
        ])
        try scratch.write(manifest.text.utf8, to: TreePath.manifest(block))
        #expect(try tree.manifest(of: block, parameters: parameters, root: manifest.root) == manifest)
        let error = #expect(throws: FileError.self) {
            try tree.manifest(of: block, parameters: parameters, root: .zero)
        }
        #expect(error?.message.contains("its root is \(manifest.root.hex)") == true)
        #expect(throws: FileError.self) {
            try tree.manifest(
                of: block, parameters: TreeParameters(shards: 4, epoch: 10), root: manifest.root)
        }
    }

    /// The attestation of the tests of Concord, whose key is the private key 1.
    @Test func anAttestationIsHeldToItsName() throws {
        let text = """
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

            authority: alice
            key: 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798
            time: 2026-11-22T11:00:00Z
            software: concord/0.1.0
            note: a note

            """
        let signature = hex(
            """
            3045022100e4821326cff1ab300f87aedfc883d05aa49213701041c734a33c3a38ac5884af
            02202f93da050e1ec96809e47a5f2d684118a139468fece69e46ea9c008508390900
            """)
        let signed = try Attestation(parsing: Array(text.utf8))
        let (block, parameters) = (signed.statement.blockID, signed.statement.parameters)
        let path = TreePath.attestation(block, parameters)
        try scratch.write(text.utf8, to: path)
        let unsigned = #expect(throws: FileError.self) {
            try tree.attestation(of: block, parameters: parameters, key: signed.key)
        }
        #expect(unsigned?.isMissing == true)
        try scratch.write(signature, to: TreePath.signature(path))
        #expect(
            try tree.attestation(of: block, parameters: parameters, key: signed.key).attestation == signed)
        // Under another block's name, and among the files of a tree partitioned otherwise.
        let other = BlockID(height: 840_124, hash: block.hash)
        let halves = TreeParameters(shards: 512, epoch: 1000)
        for (block, parameters) in [(other, parameters), (block, halves)] {
            let path = TreePath.attestation(block, parameters)
            try scratch.write(text.utf8, to: path)
            try scratch.write(signature, to: TreePath.signature(path))
            let error = #expect(throws: FileError.self) {
                try tree.attestation(of: block, parameters: parameters, key: signed.key)
            }
            #expect(error?.message.contains("attests another block") == true)
        }
        try scratch.write(signature + [0, 0], to: TreePath.signature(path))
        #expect(throws: FileError.self) {
            try tree.attestation(of: block, parameters: parameters, key: signed.key)
        }
    }
}
