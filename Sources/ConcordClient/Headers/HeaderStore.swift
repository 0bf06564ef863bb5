import Concord
import ConcordFiles

/// The headers of the chain that a client follows, 80 bytes each: `headers/NETWORK.bin` in its home folder from the genesis
/// block on, or `headers/NETWORK.from-HEIGHT.bin` from `PinnedStart.base` on.
///
/// Opening it follows all of them again, and what does not follow, such as the rest of a write that was cut short, counts
/// as not there; so do all of a pinned start's that do not reach the pinned block. A part of a chain is a chain too, so headers
/// are appended in place; another branch replaces the file.
public struct HeaderStore: ~Copyable, Sendable {
    private let folder: Folder
    private let network: Network
    /// Nil for a chain from the genesis block on.
    public let start: PinnedStart?
    private let name: String
    /// Stays the same file while another run replaces it.
    private var file: File?
    /// Where the follower stood after each `stride` headers. The first stands before the genesis block, or on the pinned one;
    /// there is none where that is not stored.
    private var waypoints: [HeaderFollower] = []
    private var last: HeaderFollower?

    private static let stride = 2016

    /// - Parameter start: of trees whose headers are stored there, on the same network.
    public init(
        _ folder: Folder, _ network: Network, from start: PinnedStart? = nil
    ) throws(FileError) {
        try self.init(folder, network, from: start, name: Self.path(network, from: start))
    }

    private init(
        _ folder: Folder, _ network: Network, from start: PinnedStart?, name: String
    ) throws(FileError) {
        (self.folder, self.network, self.start, self.name) = (folder, network, start, name)
        do throws(FileError) {
            file = try File(reading: folder.path(name))
        } catch {
            guard error.isMissing else { throw error }
            file = nil
        }
        try replay()
    }

    /// Where it lies in the home folder.
    public static func path(_ network: Network, from start: PinnedStart?) -> String {
        "headers/\(network.rawValue)\(start.map { ".from-\($0.base)" } ?? "").bin"
    }

    /// The height of the first header, if there are any.
    public var base: Int { start?.base ?? 0 }
    /// The height of the header that comes next.
    public var end: Int { last.map { $0.height + 1 } ?? base }
    /// Headers stored.
    public var count: Int { end - base }
    /// The last block; nil where nothing is stored.
    public var tip: BlockID? { last?.tip }
    /// `HeaderFollower.work`.
    public var work: UInt128 { last?.work ?? 0 }
    /// The lowest height at which a branch can leave it.
    private var lowestFork: Int { start?.block.height ?? -1 }

    /// The stored chain as a branch of itself, to be compared with others; nil where nothing is stored.
    public var trunk: HeaderBranch? { last.flatMap { try? HeaderBranch(from: $0, following: []) } }

    /// The stored chain's block at a height; nil above its tip, and below its first header.
    public func block(at height: Int) throws(FileError) -> BlockID? {
        guard height >= base, height + 1 < end else { return height == tip?.height ? tip : nil }
        // The next header names it.
        var header = ByteBuffer()
        try read(height + 1..<height + 2, into: &header)
        return BlockID(
            height: height, hash: header.bytes.loadUnaligned(fromByteOffset: 4, as: Digest.self))
    }

    /// The first heights of the epochs whose headers a tree must give, lowest first, before its chain up to `height` can
    /// be followed. If those of the lowest do not continue what is stored, the epoch below is needed too.
    public func epochs(to height: Int, _ parameters: TreeParameters) -> StrideThrough<Int> {
        Swift.stride(
            from: parameters.epochStart(of: min(height, end)), through: height, by: parameters.epoch)
    }

    /// Whether the first of these headers, which is of height `first`, is a child of the stored block before; or is that
    /// which any chain begins with here.
    public func isContinued(by headers: [UInt8], from first: Int) throws(FileError) -> Bool {
        guard headers.count >= BlockHeader.size, first >= base else { return false }
        if first == base { return true }
        return try block(at: first - 1)?.hash == Digest(headers[4..<36])
    }

    /// Follows headers of another chain, the first of which is of height `first`, from where they leave the stored one.
    ///
    /// - Throws: `HeaderFault` for the first header that cannot stand there, and where they leave it, or end, below a pinned
    ///   start's block; `FileError`.
    public func branch(_ headers: [UInt8], from first: Int) throws -> HeaderBranch {
        guard !headers.isEmpty, headers.count.isMultiple(of: BlockHeader.size) else {
            throw HeaderFault(.truncated, height: first + headers.count / BlockHeader.size)
        }
        guard try isContinued(by: headers, from: first) else { throw HeaderFault(.notChild, height: first) }
        if let start, tip == nil { return try HeaderBranch(network, from: start, following: headers) }
        var stored = ByteBuffer()
        try read(first..<min(end, first + headers.count / BlockHeader.size), into: &stored)
        let same = zip(stored.bytes, headers).prefix { $0 == $1 }.count / BlockHeader.size
        guard first + same > lowestFork else {
            guard same < headers.count / BlockHeader.size, let known = try block(at: first + same) else {
                throw HeaderFault(.truncated, height: first + same)
            }
            throw HeaderFault(.notKnown(known.hash), height: known.height)
        }
        return try HeaderBranch(
            from: follower(before: first + same), following: Array(headers[(same * BlockHeader.size)...]))
    }

    /// A chain of an authority that goes on far above this one, followed a part at a time: the same name with `.next.bin` at
    /// its end. It takes the place of this one once it has led to the block that the authority signed (`adopt`); what a run
    /// that ended before that has followed is there for the next.
    func successor() throws(FileError) -> HeaderStore {
        let path = "\(name.dropLast(".bin".count)).next.bin"
        let next = try HeaderStore(folder, network, from: start, name: path)
        // It must lead on from the end of this one.
        guard let tip, try next.block(at: tip.height) != tip else { return next }
        var copy = ByteBuffer()
        let new = try File(creating: try folder.temporaryPath())
        for first in Swift.stride(from: base, to: end, by: Self.stride) {
            try read(first..<min(first + Self.stride, end), into: &copy)
            try new.write(copy.bytes)
        }
        try folder.install([Folder.Staged(temporary: new.path, path: path)])
        return try HeaderStore(folder, network, from: start, name: path)
    }

    /// Puts a successor in the place of this one.
    mutating func adopt(_ successor: consuming HeaderStore) throws(FileError) {
        let (network, start, name, next) = (network, start, name, successor.name)
        try folder.install([Folder.Staged(temporary: folder.path(next), path: name)])
        self = try HeaderStore(folder, network, from: start, name: name)
    }

    /// The stored headers from a height on, which is not below the first, 80 bytes each.
    func headers(from height: Int) throws(FileError) -> [UInt8] {
        var headers = ByteBuffer()
        try read(height..<max(height, end), into: &headers)
        return [UInt8](headers.bytes)
    }

    /// Leaves what stands above a height out of account, but for a pinned block and what lies below it. It goes from the disk
    /// when something else takes its place.
    mutating func leave(above height: Int) throws {
        let height = max(height, lowestFork)
        guard let tip, height < tip.height else { return }
        last = try follower(before: height + 1)
        forgetWaypoints(above: height)
    }

    /// Takes over a branch of what is stored now if it has more work; false if it has not. Durable on return.
    @discardableResult
    public mutating func install(_ branch: HeaderBranch) throws(FileError) -> Bool {
        guard branch.work > work else { return false }
        let path = folder.path(name)
        guard try isContinued(by: branch.headers, from: branch.fork + 1) else {
            throw FileError(path, "has changed since the branch was followed", kind: .conflict)
        }
        if let tip, branch.fork == tip.height {
            // What stands behind the last header that could be followed.
            try File.truncate(path, to: count * BlockHeader.size)
            let file = try File(appending: path)
            try branch.headers.withBytes { raw throws(FileError) in try file.write(raw) }
            try file.synchronize()
        } else {
            try replace(from: branch.fork + 1, by: branch.headers)
            file = try File(reading: path)
        }
        forgetWaypoints(above: branch.fork)
        try replay()
        guard tip == branch.tip else {
            throw FileError(path, "does not hold what was written to it: is the disk damaged?")
        }
        return true
    }

    /// Writes the headers below a height and these behind them to a new file, and puts it in place.
    private func replace(from height: Int, by headers: [UInt8]) throws(FileError) {
        let new = try File(creating: try folder.temporaryPath())
        var kept = ByteBuffer()
        for first in Swift.stride(from: base, to: height, by: Self.stride) {
            try read(first..<min(first + Self.stride, height), into: &kept)
            try new.write(kept.bytes)
        }
        try headers.withBytes { raw throws(FileError) in try new.write(raw) }
        try folder.install([Folder.Staged(temporary: new.path, path: name)])
    }

    private mutating func forgetWaypoints(above height: Int) {
        let kept = height < lowestFork ? 0 : (height - lowestFork) / Self.stride + 1
        waypoints.removeLast(waypoints.count - kept)
    }

    /// Follows the file from the last waypoint on.
    private mutating func replay() throws(FileError) {
        if waypoints.isEmpty {
            last = nil
            if let first = try first() { waypoints = [first] }
        }
        var headers = ByteBuffer()
        while let waypoint = waypoints.last {
            last = waypoint
            headers.resize(to: Self.stride * BlockHeader.size)
            let there = try file?.read(into: headers.mutableBytes, at: count * BlockHeader.size) ?? 0
            headers.resize(to: there)
            // It stands before the first that is at fault.
            try? last?.follow(headers.bytes)
            guard end - waypoint.height > Self.stride else { return }
            if let last { waypoints.append(last) }
        }
    }

    /// A follower where the rules begin; nil where the headers up to the pinned block are not there.
    private func first() throws(FileError) -> HeaderFollower? {
        guard let start else { return HeaderFollower(network) }
        var headers = ByteBuffer()
        headers.resize(to: start.count * BlockHeader.size)
        let there = try file?.read(into: headers.mutableBytes, at: 0) ?? 0
        headers.resize(to: there)
        return try? HeaderFollower(network, at: start, above: headers.bytes)
    }

    /// A follower of the stored chain that stands before the header of a height.
    func follower(before height: Int) throws -> HeaderFollower {
        var follower = waypoints[(height - 1 - lowestFork) / Self.stride]
        var headers = ByteBuffer()
        try read(follower.height + 1..<height, into: &headers)
        try follower.follow(headers.bytes)
        return follower
    }

    func read(_ heights: Range<Int>, into headers: inout ByteBuffer) throws(FileError) {
        headers.resize(to: heights.count * BlockHeader.size)
        let offset = (heights.lowerBound - base) * BlockHeader.size
        guard try file?.read(into: headers.mutableBytes, at: offset) ?? 0 == headers.bytes.count else {
            throw FileError(
                folder.path(name), "became shorter while it was in use: run the command again")
        }
    }
}
