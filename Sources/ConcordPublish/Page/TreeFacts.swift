import Concord
import ConcordFiles
import ConcordTree

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What index.html tells of a tree, read from the tree itself: the newest block, the newest snapshots, and what stands at
/// some heights. However long the chain is, it is some hundred files, and the next time what is new of them.
struct TreeFacts {
    private let folder: Folder
    private let authority: AuthorityFile
    private var samples: [BlockID: Sample] = [:]
    private var sizes: [BlockID: UInt64?] = [:]
    private var parameters: TreeParameters { authority.parameters }

    /// One block of the best chain.
    struct Sample {
        let attestation: Attestation
        /// As its header says.
        let time: UInt32
        /// Of the compressed patch; nil where there is none.
        let patch: UInt64?
        var statement: Statement { attestation.statement }
    }

    struct Snapshot {
        let sample: Sample
        /// Of all compressed shards.
        let size: UInt64
    }

    /// Samples are at most so many, and one more; snapshots at most so many.
    static let maxSamples = 240
    static let maxSnapshots = 20

    init(_ folder: Folder, _ authority: AuthorityFile) {
        self.folder = folder
        self.authority = authority
    }

    /// The block that latest.txt names; nil while nothing is attested.
    mutating func newest() throws(FileError) -> Sample? {
        guard try folder.contains(TreePath.latest) else { return nil }
        return try sample(at: try Tree(folder.root).latest().height)
    }

    /// Blocks at the same distance from each other, a power of two, from the tree's first to `newest`. While a chain grows,
    /// the distance doubles now and then, and half of them stay.
    mutating func chart(to newest: Sample) -> (samples: [Sample], distance: Int) {
        let height = newest.statement.height
        var distance = 1
        while (height - authority.first) / distance > Self.maxSamples { distance *= 2 }
        var all: [Sample] = []
        for height in stride(from: authority.first, to: height, by: distance) {
            // One that somebody removed is left out.
            if let sample = try? sample(at: height) { all.append(sample) }
        }
        return (all + [newest], distance)
    }

    /// The newest whole snapshots, newest first, and how many epoch heights there are below them.
    mutating func snapshots(upTo newest: Sample) -> (snapshots: [Snapshot], below: Int) {
        var all: [Snapshot] = []
        var height = newest.statement.epochStart
        for _ in 0..<Self.maxSnapshots where height >= authority.first {
            if let sample = try? sample(at: height), let size = size(ofSnapshot: sample.statement.blockID) {
                all.append(Snapshot(sample: sample, size: size))
            }
            height -= parameters.epoch
        }
        return (all, max(0, (height - authority.first) / parameters.epoch + 1))
    }

    /// The link to a snapshot's torrent; nil if there is none.
    func magnet(of block: BlockID) -> String? {
        guard let bytes = try? File.read(folder.path(TreePath.magnet(block)), atMost: 1 << 16) else {
            return nil
        }
        let line = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
        return line.hasPrefix("magnet:?") ? String(line) : nil
    }

    private mutating func sample(at height: Int) throws(FileError) -> Sample {
        let header = try header(at: height)
        let block = BlockID(height: height, hash: header.hash)
        if let sample = samples[block] { return sample }
        let path = folder.path(TreePath.attestation(block, parameters))
        let bytes = try File.read(path, atMost: Attestation.maxBytes)
        let attestation: Attestation
        do throws(ParseError) { attestation = try Attestation(parsing: bytes) } catch {
            throw .parse(error, path)
        }
        let sample = Sample(
            attestation: attestation, time: header.time, patch: size(of: TreePath.patch(block, parameters)))
        if samples.count >= 4 * Self.maxSamples { samples = [:] }
        samples[block] = sample
        return sample
    }

    private func header(at height: Int) throws(FileError) -> BlockHeader {
        let path = folder.path(TreePath.headers(epochOf: height, parameters))
        let file = try File(reading: path)
        let offset = (height - parameters.epochStart(of: height)) * BlockHeader.size
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: BlockHeader.size, alignment: 1)
        defer { buffer.deallocate() }
        guard try file.read(into: buffer, at: offset) == BlockHeader.size else {
            throw FileError(path, "has no header of height \(height)")
        }
        var cursor = ByteCursor(UnsafeRawBufferPointer(buffer))
        do throws(ParseError) { return try BlockHeader(parsing: &cursor) } catch { throw .parse(error, path) }
    }

    /// Nil if the manifest or any shard is missing.
    private mutating func size(ofSnapshot block: BlockID) -> UInt64? {
        if let known = sizes[block] { return known }
        var sum: UInt64? = (try? folder.contains(TreePath.manifest(block))) == true ? 0 : nil
        for shard in 0..<parameters.shards where sum != nil {
            sum = size(of: TreePath.shard(shard, of: block)).map { $0 + (sum ?? 0) }
        }
        if sizes.count >= 4 * Self.maxSnapshots { sizes = [:] }
        sizes[block] = .some(sum)
        return sum
    }

    private func size(of relative: String) -> UInt64? {
        var status = stat()
        return lstat(folder.path(relative), &status) == 0 ? UInt64(status.st_size) : nil
    }
}
