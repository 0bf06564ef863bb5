import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

@Suite struct PatchFileTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    static let sections: [[UInt8]] = [
        [0], section(spent: [Outpoint(txid: Digest(every: 1), index: 7)]), [0],
        section(spent: [Outpoint(txid: .zero, index: 0)]),
    ]
    static let patch = TestSupport.patch(sections)
    static let root = try! patch.withBytes { try PatchIndex(checking: $0, shards: 4) }.root

    func read(_ packed: [UInt8], root: Digest? = root) throws -> [UInt8] {
        var out = ByteBuffer()
        out.append([1, 2, 3])
        let index = try PatchFile.read(
            try scratch.write(packed, to: "patch.zst"), shards: 4, root: root, into: &out)
        #expect(index.root == Self.root)
        return [UInt8](out.bytes)
    }

    func refusal(of packed: [UInt8], root: Digest? = root) -> String? {
        #expect(throws: FileError.self) { try read(packed, root: root) }?.message
    }

    @Test func anyCompressedFormWillDo() throws {
        #expect(try read(SeekablePatchTests.pack(Self.patch, shards: 4)) == Self.patch)
        #expect(try read(Zstd.frame(Self.patch)) == Self.patch)
        #expect(try read(Zstd.frame(Self.patch), root: nil) == Self.patch)
        // A frame a byte.
        #expect(try read(Self.patch.flatMap { Zstd.frame([$0]) }) == Self.patch)
    }

    @Test func anotherRootIsRefused() {
        #expect(
            refusal(of: Zstd.frame(Self.patch), root: .zero)?.contains("its root is \(Self.root.hex)") == true
        )
        var sections = Self.sections
        sections[0] = sections[1]
        #expect(refusal(of: Zstd.frame(TestSupport.patch(sections)))?.contains("is not the patch") == true)
    }

    @Test func truncationAtEachByteIsRefused() {
        let packed = SeekablePatchTests.pack(Self.patch, shards: 4)
        // The seek table may be missing: the patch is whole without it.
        let table = packed.count - 8 - 8 * 2 - 9
        for count in packed.indices where count != table {
            #expect(refusal(of: Array(packed[..<count])) != nil, "\(count) bytes")
        }
        #expect(throws: Never.self) { try read(Array(packed[..<table])) }
        for count in Self.patch.indices {
            #expect(refusal(of: Zstd.frame(Array(Self.patch[..<count])))?.contains("ends too early") == true)
        }
    }

    @Test func trailingBytesAreForbidden() {
        let packed = SeekablePatchTests.pack(Self.patch, shards: 4)
        #expect(refusal(of: packed + [0]) != nil)
        #expect(refusal(of: packed + Zstd.frame([0]))?.contains("has bytes behind its end") == true)
        #expect(refusal(of: packed + packed)?.contains("has bytes behind its end") == true)
    }

    @Test func aBombIsRefused() {
        let most = PatchIndex.maxBytes(shards: 4)
        let patch = Self.patch + [UInt8](repeating: 0, count: most + 1 - Self.patch.count)
        #expect(refusal(of: Zstd.frame(patch))?.contains("unpacks to more than") == true)
        #expect(
            refusal(of: Zstd.frame(Array(patch.dropLast())))?.contains("has bytes behind its end") == true)
        #expect(
            refusal(of: Zstd.frame([UInt8](repeating: 0, count: 100 << 20)))?.contains("unpacks to more than")
                == true)
    }

    @Test func errorsNameTheFile() {
        let error = #expect(throws: FileError.self) { try read(Zstd.frame([])) }
        #expect(error?.path == scratch.path("patch.zst"))
    }
}
