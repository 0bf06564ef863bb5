import TestSupport
import Testing

@testable import Concord

@Suite struct TreePathTests {
    static let hash = BlockIDTests.hash
    static let block = BlockID(height: 840_123, hash: Digest(reversedHex: hash)!)
    static let parameters = TreeParameters(shards: 1024, epoch: 1000)

    @Test func pathsAreThoseOfTheFormat() {
        let (block, parameters) = (Self.block, Self.parameters)
        #expect(TreePath.latest == "latest.txt")
        #expect(TreePath.authority == "authority.txt" && TreePath.authorityPEM == "authority.pem")
        let attestation = TreePath.attestation(block, parameters)
        #expect(attestation == "attestations/0840000/0840123-\(Self.hash).txt")
        #expect(TreePath.signature(attestation) == attestation + ".sig")
        #expect(TreePath.attestationFolder(epochOf: 840_123, parameters) == "attestations/0840000")
        #expect(TreePath.patch(block, parameters) == "patches/0840000/0840123-\(Self.hash).zst")
        #expect(TreePath.manifest(block) == "snapshots/0840123-\(Self.hash)/manifest.txt")
        #expect(TreePath.shard(0, of: block) == "snapshots/0840123-\(Self.hash)/shards/000.zst")
        #expect(TreePath.shard(1023, of: block) == "snapshots/0840123-\(Self.hash)/shards/3ff.zst")
        #expect(TreePath.torrent(block) == "snapshots/0840123-\(Self.hash)/snapshot.torrent")
        #expect(TreePath.magnet(block) == "snapshots/0840123-\(Self.hash)/snapshot.magnet")
        #expect(TreePath.headers(epochOf: 840_123, parameters) == "headers/0840000.bin")
        #expect(TreePath.headers(epochOf: 999, parameters) == "headers/0000000.bin")
    }

    @Test func namesComeBack() {
        let name = TreePath.name(Self.block)
        #expect(name == "0840123-\(Self.hash)")
        #expect(TreePath.block(named: name) == Self.block)
        for height in [0, 1, 999_999, 9_999_999] {
            let block = BlockID(height: height, hash: Self.block.hash)
            #expect(TreePath.block(named: TreePath.name(block)) == block)
        }
    }

    @Test(arguments: [
        "", "-", "840123-\(hash)", "00840123-\(hash)", "0840123\(hash)", "0840123--\(hash)",
        "0840123-\(hash)-",
        "0840123-\(hash).txt", "0840123-\(hash.uppercased())", "0840123-\(hash)0",
        "0840123-\(hash.dropLast())",
        "+840123-\(hash)", "-840123-\(hash)", " 840123-\(hash)", "084012x-\(hash)", "0840123-", "-\(hash)",
        "../0840123-\(hash)", "08４0123-\(hash)", "0840123-\(hash)\n", "0840123-\(hash)\u{0}",
    ])
    func otherNamesAreNoBlocks(name: String) {
        #expect(TreePath.block(named: name) == nil)
    }

    @Test func filesOfABlock() {
        let parameters = Self.parameters
        let start = BlockID(height: 840_000, hash: Self.block.hash)
        let attestation = TreePath.attestation(Self.block, parameters)
        for path in [attestation, attestation + ".sig", TreePath.patch(Self.block, parameters)] {
            #expect(TreePath.block(ofFile: path, parameters) == Self.block)
            #expect(TreePath.block(ofFile: path.replacing("/0840000/", with: "/0841000/"), parameters) == nil)
        }
        let files = { (block: BlockID) in
            [
                TreePath.manifest(block), TreePath.torrent(block), TreePath.magnet(block),
                TreePath.shard(0, of: block), TreePath.shard(1023, of: block),
            ]
        }
        for path in files(start) { #expect(TreePath.block(ofFile: path, parameters) == start) }
        // There are snapshots at epoch heights only, and so many shards.
        for path in files(Self.block) + [TreePath.shard(1024, of: start)] {
            #expect(TreePath.block(ofFile: path, parameters) == nil)
        }
    }

    @Test func heightsAndShardsHaveTheirDigits() {
        #expect(TreePath.digits(0) == "0000000" && TreePath.digits(9_999_999) == "9999999")
        #expect(
            TreePath.height(digits: "0000000") == 0
                && TreePath.height(digits: "9999999") == TreePath.maxHeight)
        #expect(TreePath.height(digits: "000000") == nil && TreePath.height(digits: "00000000") == nil)
        #expect(
            TreePath.shardDigits(0) == "000" && TreePath.shardDigits(15) == "00f"
                && TreePath.shardDigits(4095) == "fff")
    }
}
