import TestSupport
import Testing

@testable import Concord
@testable import ConcordFiles
@testable import ConcordTree

/// What is read of a patch's file, and every way in which its directory can lie.
@Suite struct PatchFileTests {
    static let parameters = TreeParameters(shards: 16, epoch: 20)
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    static let sections: [[UInt8]] = (0..<16).map { i in
        i % 3 == 0 ? [0] : section(spent: (0...UInt32(i)).map { Outpoint(txid: Digest(every: 1), index: $0) })
    }
    static let patch = TestSupport.patch(sections)
    static let file = ChangeFile(
        block: BlockID(height: 10, hash: .zero), span: 1,
        root: try! patch.withBytes { try PatchIndex(checking: $0, shards: 16) }.root)

    static func plain(_ groups: [Range<Int>]? = nil) -> PlainPatchFile {
        PlainPatchFile(sections, groups: groups) { Zstd.frame($0) }
    }

    func read(_ packed: [UInt8], _ file: ChangeFile = file) throws -> [UInt8] {
        var tools = PatchReader.Tools()
        var out = ByteBuffer()
        out.append([1, 2, 3])
        let path = try scratch.write(packed, to: "patch.zst")
        let index = try PatchFile.read(path, file, Self.parameters, &tools, into: &out)
        #expect(index.root == file.root)
        return [UInt8](out.bytes)
    }

    /// What some shards' sections are, one by one.
    func some(_ packed: [UInt8], _ shards: [Int]) throws -> [[UInt8]] {
        var tools = PatchReader.Tools()
        let path = try scratch.write(packed, to: "patch.zst")
        let reader = try PatchReader(path, is: Self.file, Self.parameters)
        var found: [[UInt8]] = []
        try reader.sections(of: shards, &tools) { shard, section in
            #expect(shard == shards[found.count])
            found.append([UInt8](section))
        }
        return found
    }

    func refusal(of packed: [UInt8], _ file: ChangeFile = file) -> String? {
        #expect(throws: FileError.self) { try read(packed, file) }?.message
    }

    /// Frames may hold what the publisher likes, of one range.
    @Test(arguments: [
        nil, [0..<4, 4..<8, 8..<12, 12..<16], [0..<1, 1..<4, 4..<6, 6..<8, 8..<9, 9..<12, 12..<16],
    ])
    func anyFramesWillDo(groups: [Range<Int>]?) throws {
        let file = Self.plain(groups).bytes()
        #expect(try read(file) == Self.patch)
        #expect(try run("zstd", "-dc", input: file) == Self.patch)
        for shards in [[0], [1], [15], [0, 1, 2], [3, 4], [0, 5, 6, 11, 15], Array(0..<16)] {
            #expect(try some(file, shards) == shards.map { Self.sections[$0] })
        }
        #expect(try read(PatchPackerTests.pack(Self.sections)) == Self.patch)
    }

    @Test func anotherRootIsRefused() throws {
        let file = ChangeFile(block: Self.file.block, span: 1, root: .zero)
        let words = refusal(of: Self.plain().bytes(), file)
        #expect(words == "is not the patch that the statement names: its root is \(Self.file.root.hex)")
        let delta = ChangeFile(block: Self.file.block, span: 10, root: .zero)
        #expect(refusal(of: Self.plain().bytes(), delta)?.hasPrefix("is not the delta that") == true)
    }

    @Test func truncationAtEachByteIsRefused() {
        let packed = Self.plain([0..<4, 4..<8, 8..<12, 12..<16]).bytes()
        for count in packed.indices {
            #expect(refusal(of: Array(packed[..<count])) != nil, "\(count) bytes")
        }
    }

    @Test func bytesBehindTheEndAreRefused() {
        let packed = Self.plain().bytes()
        for more in [[0], Zstd.skippable([1]), Zstd.frame([0])] {
            #expect(refusal(of: packed + more)?.contains("its directory says \(packed.count)") == true)
        }
    }

    /// A file without a directory, or with another one.
    @Test func theDirectoryItself() {
        let plain = Self.plain()
        #expect(refusal(of: Zstd.frame(Self.patch))?.contains("does not begin with a directory") == true)
        for packed in [
            plain.bytes(magic: 0x184d_2a5e), plain.bytes(magic: 0x184d_2a50),
            plain.bytes(size: plain.size - 4),
            plain.bytes(size: plain.size + 4),
        ] {
            #expect(refusal(of: packed)?.contains("does not begin with a directory of 16 shards") == true)
        }
        var nodes = plain
        nodes.nodes.swapAt(1, 2)
        #expect(refusal(of: nodes.bytes())?.contains("is not the patch that the statement names") == true)
    }

    /// Every number, a little less or more, or that of the one before: none is taken.
    @Test func numbersThatLie() {
        for groups in [nil, [0..<4, 4..<8, 8..<12, 12..<16]] as [[Range<Int>]?] {
            let plain = Self.plain(groups)
            for place in plain.numbers.indices {
                for change in [-1, 1, -7, 1000] {
                    var numbers = plain.numbers
                    numbers[place] += change
                    #expect(refusal(of: plain.bytes(numbers: numbers)) != nil, "\(place) by \(change)")
                }
                guard place > 0, plain.numbers[place] != plain.numbers[place - 1] else { continue }
                var numbers = plain.numbers
                numbers[place] = numbers[place - 1]
                #expect(refusal(of: plain.bytes(numbers: numbers)) != nil, "\(place) as before")
                numbers = plain.numbers
                numbers.swapAt(place, place - 1)
                #expect(refusal(of: plain.bytes(numbers: numbers)) != nil, "\(place) swapped")
            }
        }
        // Two ranges in one frame, which unpacks to what it should.
        let words = refusal(of: Self.plain([0..<4, 4..<6, 6..<10, 10..<16]).bytes())
        #expect(words?.contains("has a frame with sections of two ranges") == true)
    }

    /// Frames of this, or of nearly this, that are not the one frame it should be.
    private static func others(of content: [UInt8]) -> [(String, [UInt8])] {
        let noSize = Zstd.frame(content, windowLog: 10)
        let half = content.count / 2
        return [
            ("skippable in front", Zstd.skippable([]) + Zstd.frame(content)),
            ("skippable behind", Zstd.frame(content) + Zstd.skippable([1, 2])),
            ("two", Zstd.frame(Array(content[..<half])) + Zstd.frame(Array(content[half...]))),
            ("none", Zstd.skippable(content)), ("no size", noSize),
            ("another", Zstd.frame(content.map { $0 ^ 1 })), ("longer", Zstd.frame(content + [0])),
            ("shorter", Zstd.frame(Array(content.dropLast()))), ("empty", Zstd.frame([])),
            ("garbage", [1, 2, 3, 4, 5, 6, 7, 8]), ("nothing", []),
        ]
    }

    /// A frame in place of another one, of a section and of the index.
    @Test func framesThatAreNotThose() {
        for (name, frame) in Self.others(of: Self.sections[5]) {
            var plain = Self.plain()
            plain.sectionFrames[5].bytes = frame
            #expect(refusal(of: plain.bytes()) != nil, "\(name)")
        }
        // The entries of four shards.
        let entries = Array(Self.patch[4 * 36..<8 * 36])
        var right = Self.plain()
        right.indexFrames[1] = Zstd.frame(entries)
        #expect(throws: Never.self) { try read(right.bytes()) }
        for (name, frame) in Self.others(of: entries) {
            var plain = Self.plain()
            plain.indexFrames[1] = frame
            #expect(refusal(of: plain.bytes()) != nil, "index: \(name)")
        }
        // Sections alone, of others nothing is read: a wrong one elsewhere is not seen.
        var plain = Self.plain()
        plain.sectionFrames[5].bytes = [1, 2, 3]
        #expect(throws: Never.self) { try some(plain.bytes(), [4, 6, 7]) }
        #expect(throws: FileError.self) { try some(plain.bytes(), [4, 5]) }
    }

    /// The index is right, and says more than there may be; or a frame is padded.
    @Test func sizesAreBounded() throws {
        var plain = Self.plain()
        let room = PatchDirectory.maxFrameBytes(contents: Self.sections[5].count)
        plain.sectionFrames[5].bytes += [UInt8](repeating: 0, count: room)
        #expect(refusal(of: plain.bytes())?.contains("has a frame of") == true)
        var sections = [[UInt8]](repeating: [UInt8](repeating: 7, count: 1 << 20), count: 16)
        sections[3] += [1]
        let file = PlainPatchFile(sections) { Zstd.frame($0) }.bytes()
        let root = plainMerkleRoot(
            sections.map { s in TestSupport.bytes { $0.append(UInt32(s.count)) } + SHA256.hash(s).bytes })
        let change = ChangeFile(block: Self.file.block, span: 1, root: try #require(Digest(root)))
        #expect(refusal(of: file, change)?.contains("section's length out of range") == true)
        // A delta of ten blocks may have ten times as much.
        let delta = ChangeFile(block: Self.file.block, span: 10, root: change.root)
        #expect(try read(file, delta) == TestSupport.patch(sections))
    }

    @Test func errorsNameTheFile() {
        let error = #expect(throws: FileError.self) { try read(Zstd.frame([])) }
        #expect(error?.path == scratch.path("patch.zst"))
    }
}
