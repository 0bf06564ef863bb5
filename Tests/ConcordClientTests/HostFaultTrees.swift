import Concord
import TestSupport

@testable import ConcordClient

// Hosts of trees that are not as they were published.
extension HostFault {
    private static let page = Array("<!DOCTYPE html><title>Welcome</title>".utf8)

    /// Other bytes than were published.
    static let contents = [
        HostFault(
            "bit flipped at the start", bytes { flipped($0, 0) }, "none", "malformed authority"),
        HostFault(
            "bit flipped in the hint", bytes(.latest) { flipped($0, 40) }, "none", "absent attestation"),
        HostFault(
            "bit flipped at the end", bytes { flipped($0, $0.count - 1) }, "none", "malformed authority"),
        HostFault(
            "bit flipped in attestations", bytes(.attestation) { flipped($0, $0.count / 2) }, "none",
            "notSigned attestation"),
        HostFault(
            "bit flipped in signatures", bytes(.signature) { flipped($0, $0.count / 2) }, "none",
            "notSigned attestation"),
        HostFault(
            "bit flipped in headers", bytes(.headers) { flipped($0, $0.count - 50) }, "noHeaders",
            "header headers"),
        HostFault(
            "bit flipped in manifests", bytes(.manifest) { flipped($0, $0.count / 2) }, "65",
            fetch: "no manifest: malformed", "malformed manifest", mirror: "malformed manifest"),
        HostFault(
            "bit flipped in shards", bytes(.shard) { flipped($0, $0.count / 2) }, "65",
            fetch: "no shard: mismatch", "mismatch shard"),
        HostFault(
            "bit flipped in patches", bytes(.patch) { flipped($0, $0.count / 2) }, "65",
            fetch: "no patch: mismatch", "mismatch patch"),
        HostFault(
            "bit flipped in MuHashes", bytes(.muhashes) { flipped($0, $0.count / 2) }, "65",
            fetch: "no muhashes: malformed", "malformed muhashes"),
        // A client takes the new snapshot.
        HostFault(
            "bit flipped in deltas", bytes(.delta) { flipped($0, $0.count / 2) }, "65", "mismatch delta",
            mirror: "no delta: mismatch"),
        HostFault(
            "bit flipped in filters", bytes(.filter) { flipped($0, $0.count / 2) }, "65", "",
            mirror: "no filter: mismatch"),
        HostFault(
            "another file", changed { tree in tree.changed(.all) { _ in tree.files["FORMAT.md"] ?? [] } },
            "none", "tooLarge authority"),
        HostFault(
            "a page", bent { ($1.status, $1.body, $1.headers) = (200, page, [:]) }, "none", "page authority"),
        HostFault(
            "a page for shards", bent(.shard) { ($1.status, $1.body, $1.headers) = (200, page, [:]) }, "65",
            fetch: "no shard: page", "page shard"),
        HostFault(
            "empty", answers { _ in ScriptedAnswer(200) }, "none", "malformed authority"),
        HostFault(
            "attestations swapped", changed { $0.swapped(.attestation) }, "none", "notSigned attestation"),
        HostFault(
            "signatures swapped", changed { $0.swapped(.signature) }, "none", "notSigned attestation"),
        HostFault(
            "headers swapped", changed { $0.swapped(.headers) }, "noHeaders", "header headers"),
        HostFault(
            "manifests swapped", changed { $0.swapped(.manifest) }, "65", fetch: "no manifest: mismatch",
            "mismatch manifest"),
        HostFault(
            "shards swapped", changed { $0.swapped(.shard) }, "65", fetch: "no shard: mismatch",
            "mismatch shard"),
        HostFault(
            "patches swapped", changed { $0.swapped(.patch) }, "65", fetch: "no patch: mismatch",
            "mismatch patch"),
        HostFault(
            "deltas swapped", changed { $0.swapped(.delta) }, "65", "mismatch delta",
            mirror: "no delta: mismatch"),
        HostFault(
            "MuHashes swapped", changed { $0.swapped(.muhashes) }, "65", fetch: "no muhashes: mismatch",
            "mismatch muhashes"),
        HostFault(
            "the shortest filter for all shards",
            // Swapped ones would be too long or another, by which comes first.
            changed { tree in
                let filters = tree.files.filter { Files.filter.contains($0.key) }.values
                let shortest = filters.min { ($0.count, $0.hex) < ($1.count, $1.hex) } ?? []
                return tree.changed(.filter) { _ in shortest }
            }, "65", "", mirror: "no filter: mismatch"),
        HostFault(
            "signature of zeros", bytes(.signature) { $0.map { _ in 0 } }, "none", "notSigned attestation"),
        HostFault(
            "signature too long", bytes(.signature) { $0 + [UInt8](repeating: 0, count: 80) }, "none",
            "tooLarge signature"),
        HostFault(
            "attestation too long", bytes(.attestation) { $0 + [UInt8](repeating: 0x20, count: 3000) },
            "none", "tooLarge attestation"),
    ]

    private static func flipped(_ bytes: [UInt8], _ place: Int) -> [UInt8] {
        var bytes = bytes
        if bytes.indices.contains(place) { bytes[place] ^= 4 }
        return bytes
    }

    /// Another state or tree than it should be.
    static let states = [
        HostFault("older", { $0.cut(to: 50).site }, "50", ""),
        HostFault("older than known", { $0.cut(to: 30).site }, "47", "behind latest", mirror: "refused"),
        HostFault(
            "of another key", changed { try $0.signed(as: "mallory") }, "none", "otherKey authority"),
        HostFault(
            "of another key, by name", changed { try $0.signed(as: "alice") }, "none", "otherKey authority"),
        HostFault(
            "latest ahead of all",
            changed { tree in
                var tree = tree
                tree.point(to: BlockID(height: 66, hash: Digest(every: 7)))
                return tree
            }, "none", "absent attestation"),
        HostFault(
            "latest of another block",
            changed { tree in
                var tree = tree
                tree.point(to: BlockID(height: 65, hash: Digest(every: 7)))
                return tree
            }, "none", "absent attestation"),
        HostFault(
            "latest of another height",
            changed { tree in
                var tree = tree
                tree.point(to: BlockID(height: 64, hash: tree.chain.newest.hash))
                return tree
            }, "none", "absent attestation"),
        HostFault(
            "latest far ahead",
            changed { tree in
                var tree = tree
                tree.point(to: BlockID(height: 9_999_999, hash: Digest(every: 7)))
                return tree
            }, "none", "absent attestation"),
        HostFault(
            "latest behind",
            changed { tree in
                var tree = tree
                tree.point(to: tree.chain.blockID(at: 60))
                return tree
            }, "60", ""),
        HostFault(
            "latest in capitals",
            bytes(.latest) { Array(String(decoding: $0, as: UTF8.self).uppercased().utf8) }, "none",
            "malformed latest"),
        HostFault("authority begins above", changed { try $0.saying { $0.first = 80 } }, "65", ""),
        HostFault("authority begins later", changed { try $0.saying { $0.first = 60 } }, "65", ""),
        HostFault(
            "authority of another network", changed { try $0.saying { $0.network = .main } }, "65", "",
            mirror: "conflict"),
        HostFault(
            "authority of other epochs",
            changed { try $0.saying { $0.parameters = TreeParameters(shards: 4, epoch: 25) } }, "none",
            "absent attestation", mirror: "conflict"),
        HostFault(
            "authority of other shards",
            changed { try $0.saying { $0.parameters = TreeParameters(shards: 8, epoch: 20) } }, "none",
            "otherTree attestation", mirror: "conflict"),
        HostFault(
            "headers made up",
            changed { tree in
                var tree = tree
                let chain = tree.chain
                tree.serve(
                    headers: chain.cut(to: 61).headers
                        + TestHeaders.chain(4, on: chain.header(at: 61), salt: 3))
                return tree
            }, "noHeaders", "leadsElsewhere headers"),
    ]

    /// An upload that was cut short, or in the wrong order.
    static let uploads = [
        HostFault(
            "no authority.txt", changed { $0.without(.authority) }, "none", "absent authority"),
        HostFault(
            "no latest.txt", changed { $0.without(.latest) }, "none", "absent latest", mirror: "absent latest"
        ),
        HostFault(
            "no attestations", changed { $0.without(.attestation) }, "none", "absent attestation"),
        HostFault(
            "no signatures", changed { $0.without(.signature) }, "none", "absent signature"),
        HostFault(
            "no headers", changed { $0.without(.headers) }, "noHeaders", "absent headers"),
        HostFault(
            "no manifests", changed { $0.without(.manifest) }, "65", fetch: "no manifest: absent",
            "absent manifest", mirror: "refused"),
        HostFault(
            "no shards", changed { $0.without(.shard) }, "65", fetch: "no shard: absent", "absent shard"),
        HostFault(
            "no patches", changed { $0.without(.patch) }, "65", fetch: "no patch: absent", "absent patch"),
        HostFault("no deltas", changed { $0.without(.delta) }, "65", "", mirror: "no delta: absent"),
        HostFault("no filters", changed { $0.without(.filter) }, "65", "", mirror: "no filter: absent"),
        HostFault(
            "no MuHashes", changed { $0.without(.muhashes) }, "65", fetch: "no muhashes: absent",
            "absent muhashes"),
        HostFault(
            "the newest signature is missing", changed { $0.lacking(TreePath.signature($0.path(at: 65))) },
            "none", "absent signature"),
        HostFault(
            "the newest attestation is missing", changed { $0.lacking($0.path(at: 65)) }, "none",
            "absent attestation"),
        HostFault(
            "an attestation is missing", changed { $0.lacking($0.path(at: 63)) }, "65",
            fetch: "no attestation: absent", "absent attestation", mirror: "absent attestation"),
        HostFault(
            "a patch is missing",
            changed { $0.lacking(TreePath.patch($0.chain.blockID(at: 63), $0.parameters)) }, "65",
            fetch: "no patch: absent", "absent patch"),
        HostFault(
            "a shard is missing", changed { $0.lacking(TreePath.shard(2, of: $0.chain.blockID(at: 60))) },
            "65", fetch: "no shard: absent", "absent shard"),
        HostFault(
            "the newest headers are missing",
            changed { $0.lacking(TreePath.headers(epochOf: 60, $0.parameters)) }, "noHeaders",
            "absent headers"),
        HostFault(
            "headers of before",
            changed { tree in
                let path = TreePath.headers(epochOf: 60, tree.parameters)
                var tree = tree
                tree.files[path] = tree.files[path]?.dropLast(160)
                return tree
            }, "noHeaders", "leadsElsewhere headers"),
    ]

    /// zstd, and what zstd lets pass.
    static let compressed = [
        HostFault(
            "shards with a frame more", bytes(.shard) { $0 + frame([1, 2, 3]) }, "65",
            fetch: "no shard: mismatch", "mismatch shard"),
        HostFault("shards with an empty frame more", bytes(.shard) { $0 + frame([]) }, "65", ""),
        HostFault(
            "shards with bytes more", bytes(.shard) { $0 + [1, 2, 3, 4] }, "65", fetch: "no shard: mismatch",
            "mismatch shard"),
        HostFault("shards behind a skippable frame", bytes(.shard) { skippable + $0 }, "65", ""),
        HostFault("shards before a skippable frame", bytes(.shard) { $0 + skippable }, "65", ""),
        HostFault(
            "shards of zeros without end", bytes(.shard) { _ in bomb }, "65", fetch: "no shard: mismatch",
            "mismatch shard"),
        HostFault(
            "patches of zeros without end", bytes(.patch) { _ in bomb }, "65", fetch: "no patch: mismatch",
            "mismatch patch"),
        HostFault(
            "patches with a frame more", bytes(.patch) { $0 + frame([1, 2, 3]) }, "65",
            fetch: "no patch: mismatch", "mismatch patch"),
        HostFault(
            "patches with bytes more", bytes(.patch) { $0 + [1, 2, 3, 4] }, "65", fetch: "no patch: mismatch",
            "mismatch patch"),
        HostFault(
            "shards not compressed", bytes(.shard) { _ in [UInt8](repeating: 9, count: 500) }, "65",
            fetch: "no shard: mismatch", "mismatch shard"),
        HostFault(
            "shards of another tree", bytes(.shard) { _ in frame([UInt8](repeating: 9, count: 500)) }, "65",
            fetch: "no shard: mismatch", "mismatch shard"),
    ]

    private static let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
    private static let bomb = frame([UInt8](repeating: 0, count: 64 << 20))

    private static func frame(_ content: [UInt8]) -> [UInt8] { MadeTree.frame(content) }
}

extension MadeTree {
    /// The same tree, which says something else of itself.
    fileprivate func saying(_ change: (inout AuthorityFile) -> Void) throws -> MadeTree {
        var tree = self
        var authority = try AuthorityFile(parsing: files[TreePath.authority] ?? [])
        change(&authority)
        tree.files[TreePath.authority] = Array(authority.text.utf8)
        return tree
    }

    func lacking(_ path: String) -> MadeTree {
        var tree = self
        tree.files[path] = nil
        return tree
    }
}
