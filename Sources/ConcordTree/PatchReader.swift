import Concord
import ConcordFiles
import Synchronization

/// Reads the file of a patch or delta by its directory: all of it, or the sections of some shards. What it gives is held to
/// the root that a statement names, and nothing is allocated for more than that root covers.
public struct PatchReader: ~Copyable {
    /// What a worker keeps from file to file.
    public struct Tools: ~Copyable {
        fileprivate let zstd = ZstdFrames()
        fileprivate var window = Window()
        fileprivate var contents = ByteBuffer(capacity: 64 << 10)

        public init() {}
    }

    /// A part of a file, for frames stand one behind the other.
    fileprivate struct Window: ~Copyable {
        var bytes = ByteBuffer(capacity: readAhead)
        /// Which reader's file, and where in it.
        var file: UInt64?
        var start = 0

        func holds(_ range: Range<Int>, of file: UInt64) -> Bool {
            self.file == file && range.lowerBound >= start && range.upperBound <= start + bytes.count
        }
    }

    private static let readAhead = 64 << 10
    private static let readers = Atomic<UInt64>(0)

    private let path: String
    private let file: File
    /// Another one for each reader of the process.
    private let serial = readers.wrappingAdd(1, ordering: .relaxed).newValue
    private let changes: ChangeFile
    private let parameters: TreeParameters
    public let directory: PatchDirectory

    /// Opens a file and reads its directory. Throws unless it leads to the root, and ends where the file does.
    public init(
        _ path: String, is changes: ChangeFile, _ parameters: TreeParameters
    ) throws(FileError) {
        let file = try File(reading: path)
        let (size, most) = (
            try file.size(), PatchDirectory.maxFileBytes(parameters, span: changes.span)
        )
        guard size <= most else {
            throw FileError(path, "is \(size) bytes long, at most \(most) are allowed")
        }
        var head = ByteBuffer(capacity: PatchDirectory.size(parameters))
        head.resize(to: PatchDirectory.size(parameters))
        head.resize(to: try file.read(into: head.mutableBytes, at: 0))
        let directory: PatchDirectory
        do throws(ParseError) {
            directory = try PatchDirectory(parsing: head.bytes, parameters)
        } catch {
            throw .parse(error, path)
        }
        guard directory.root == changes.root else {
            throw FileError(
                path,
                "is not the \(changes.span == 1 ? "patch" : "delta") that the statement names: its root is "
                    + directory.root.hex)
        }
        guard directory.end == size else {
            throw FileError(path, "is \(size) bytes long, its directory says \(directory.end)")
        }
        (self.path, self.changes, self.parameters) = (path, changes, parameters)
        self.file = file
        self.directory = directory
    }

    /// Unpacks a frame; `count` is the length of its contents.
    private func unpack(
        _ frame: PatchDirectory.Frame, _ count: Int, _ window: inout Window, _ zstd: borrowing ZstdFrames,
        into out: UnsafeMutableRawBufferPointer
    ) throws(FileError) {
        let range = frame.range
        guard range.count <= PatchDirectory.maxFrameBytes(contents: count) else {
            throw FileError(
                path,
                "has a frame of \(range.count) bytes for \(count) of contents (at byte \(range.lowerBound))")
        }
        if !window.holds(range, of: serial) {
            window.bytes.resize(to: max(range.count, min(Self.readAhead, directory.end - range.lowerBound)))
            window.bytes.resize(to: try file.read(into: window.bytes.mutableBytes, at: range.lowerBound))
            (window.start, window.file) = (range.lowerBound, serial)
        }
        guard window.holds(range, of: serial),
            zstd.unpack(
                UnsafeRawBufferPointer(
                    rebasing: window.bytes.bytes[
                        range.lowerBound - window.start..<range.upperBound - window.start]), into: out)
        else {
            throw FileError(
                path,
                "is not zstd as it may be here: no frame with \(count) bytes of contents is where the directory says "
                    + "(at byte \(range.lowerBound))")
        }
    }

    /// Appends the canonical bytes of the index entries of a range, held to its node.
    private func readIndex(_ range: Int, _ tools: inout Tools, into out: inout ByteBuffer) throws(FileError) {
        let count = parameters.shardsPerRange * PatchIndex.entrySize
        let frame = directory.indexFrame(ofRange: range)
        let room = out.extend(by: count)
        try unpack(frame, count, &tools.window, tools.zstd, into: room)
        guard PatchIndex.node(ofEntries: UnsafeRawBufferPointer(room)) == directory.nodes[range] else {
            throw FileError(
                path, "has index entries that are not those of their node (at byte \(frame.range.lowerBound))"
            )
        }
    }

    /// The whole index.
    public func index(_ tools: inout Tools) throws(FileError) -> PatchIndex {
        var bytes = ByteBuffer(capacity: parameters.shards * PatchIndex.entrySize)
        for range in 0..<parameters.ranges { try readIndex(range, &tools, into: &bytes) }
        return try parsed(bytes.bytes, parameters.shards)
    }

    /// The index entries of a range.
    func index(ofRange range: Int, _ tools: inout Tools) throws(FileError) -> PatchIndex {
        var bytes = ByteBuffer()
        try readIndex(range, &tools, into: &bytes)
        return try parsed(bytes.bytes, parameters.shardsPerRange)
    }

    /// The lengths of some shards' sections; of other ranges nothing is read.
    func lengths(of shards: [Int], _ tools: inout Tools) throws(FileError) -> [Int] {
        var lengths: [Int] = []
        var last: (range: Int, index: PatchIndex)?
        for shard in shards {
            let range = parameters.range(ofShard: shard)
            let index =
                if let last, last.range == range { last.index } else { try index(ofRange: range, &tools) }
            last = (range, index)
            lengths.append(Int(index.entries[shard - parameters.shards(ofRange: range).lowerBound].length))
        }
        return lengths
    }

    private func parsed(_ bytes: UnsafeRawBufferPointer, _ count: Int) throws(FileError) -> PatchIndex {
        do throws(ParseError) {
            return try PatchIndex(parsing: bytes, shards: count, span: changes.span)
        } catch {
            throw .parse(error, path)
        }
    }

    /// Replaces what `out` holds with the canonical bytes, all of them read and checked.
    public func readAll(_ tools: inout Tools, into out: inout ByteBuffer) throws(FileError) -> PatchIndex {
        out.removeAll()
        for range in 0..<parameters.ranges { try readIndex(range, &tools, into: &out) }
        let index = try parsed(out.bytes, parameters.shards)
        for frame in directory.sectionFrames(ofShards: 0..<parameters.shards) {
            guard case .sections(let shards) = frame.contents else { continue }
            let (start, end) = (index.offsets[shards.lowerBound], index.offsets[shards.upperBound])
            try unpack(frame, end - start, &tools.window, tools.zstd, into: out.extend(by: end - start))
            for shard in shards {
                try check(
                    UnsafeRawBufferPointer(rebasing: out.bytes[index.range(of: shard)]), index, shard,
                    of: shard)
            }
        }
        return index
    }

    /// Calls `body` with the sections of some shards, in ascending order. Of other parts nothing is read.
    public func sections(
        of shards: [Int], _ tools: inout Tools,
        _ body: (_ shard: Int, _ section: UnsafeRawBufferPointer) -> Void
    ) throws(FileError) {
        var at = shards.startIndex
        while at < shards.endIndex {
            let range = parameters.range(ofShard: shards[at])
            let first = parameters.shards(ofRange: range).lowerBound
            let end = shards[at...].firstIndex { parameters.range(ofShard: $0) != range } ?? shards.endIndex
            let index = try index(ofRange: range, &tools)
            for frame in directory.sectionFrames(ofShards: shards[at..<end]) {
                guard case .sections(let held) = frame.contents else { continue }
                let start = index.offsets[held.lowerBound - first]
                let count = index.offsets[held.upperBound - first] - start
                tools.contents.resize(to: count)
                try unpack(frame, count, &tools.window, tools.zstd, into: tools.contents.mutableBytes)
                while at < end, held.contains(shards[at]) {
                    let range = index.range(of: shards[at] - first)
                    let section = UnsafeRawBufferPointer(
                        rebasing: tools.contents.bytes[range.lowerBound - start..<range.upperBound - start])
                    try check(section, index, shards[at] - first, of: shards[at])
                    body(shards[at], section)
                    at += 1
                }
            }
        }
    }

    private func check(
        _ section: UnsafeRawBufferPointer, _ index: PatchIndex, _ place: Int, of shard: Int
    ) throws(FileError) {
        guard index.isSection(section, of: place) else {
            throw FileError(
                path,
                "has a section for shard \(TreePath.shardDigits(shard)) that is not the one its index names")
        }
    }
}
