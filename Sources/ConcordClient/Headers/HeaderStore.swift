import Concord
import ConcordFiles

/// The headers of the chain that a client follows: `headers/NETWORK.bin` in its home folder, 80 bytes each, from the
/// genesis block on.
///
/// Opening it follows all of them again, and what does not follow, such as the rest of a write that was cut short, counts
/// as not there. A part of a chain is a chain too, so headers are appended in place; another branch replaces the file.
public struct HeaderStore: ~Copyable, Sendable {
    private let folder: Folder
    private let name: String
    /// Stays the same file while another run replaces it.
    private var file: File?
    /// Where the follower stood after each `stride` headers, the first before any.
    private var waypoints: [HeaderFollower]
    private var last: HeaderFollower

    private static let stride = 2016

    public init(_ folder: Folder, _ network: Network) throws(FileError) {
        try self.init(folder, network, name: Self.path(network))
    }

    /// Below the home folder.
    static func path(_ network: Network) -> String { "headers/\(network.rawValue).bin" }

    private init(_ folder: Folder, _ network: Network, name: String) throws(FileError) {
        self.folder = folder
        self.name = name
        last = HeaderFollower(network)
        waypoints = [last]
        do throws(FileError) {
            file = try File(reading: folder.path(name))
        } catch {
            guard error.isMissing else { throw error }
            file = nil
        }
        try replay()
    }

    /// Headers stored.
    public var count: Int { last.height + 1 }
    /// The last block; nil where nothing is stored.
    public var tip: BlockID? { last.tip }
    /// `HeaderFollower.work`.
    public var work: UInt128 { last.work }

    /// The stored chain as a branch of itself, to be compared with others; nil where nothing is stored.
    public var trunk: HeaderBranch? { try? HeaderBranch(from: last, following: []) }

    /// The stored chain's block at a height; nil above its tip.
    public func block(at height: Int) throws(FileError) -> BlockID? {
        guard height >= 0, height < last.height else { return height == last.height ? tip : nil }
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
            from: parameters.epochStart(of: min(height, count)), through: height, by: parameters.epoch)
    }

    /// Whether the first of these headers, which is of height `start`, is a child of the stored block before; or of none.
    public func isContinued(by headers: [UInt8], from start: Int) throws(FileError) -> Bool {
        guard headers.count >= BlockHeader.size else { return false }
        if start == 0 { return true }
        return try block(at: start - 1)?.hash == Digest(headers[4..<36])
    }

    /// Follows headers of another chain, the first of which is of height `start`, from where they leave the stored one.
    ///
    /// - Throws: `HeaderFault` for the first header that cannot stand there; `FileError`.
    public func branch(_ headers: [UInt8], from start: Int) throws -> HeaderBranch {
        guard !headers.isEmpty, headers.count.isMultiple(of: BlockHeader.size) else {
            throw HeaderFault(.truncated, height: start + headers.count / BlockHeader.size)
        }
        guard try isContinued(by: headers, from: start) else { throw HeaderFault(.notChild, height: start) }
        var stored = ByteBuffer()
        try read(start..<min(count, start + headers.count / BlockHeader.size), into: &stored)
        let same = zip(stored.bytes, headers).prefix { $0 == $1 }.count / BlockHeader.size
        return try HeaderBranch(
            from: follower(after: start + same), following: Array(headers[(same * BlockHeader.size)...]))
    }

    /// A chain of an authority that goes on far above this one, followed a part at a time: `headers/NETWORK.next.bin`. It
    /// takes the place of this one once it has led to the block that the authority signed (`adopt`); what a run that ended
    /// before that has followed is there for the next.
    func successor() throws(FileError) -> HeaderStore {
        let next = try HeaderStore(folder, last.network, name: "headers/\(last.network.rawValue).next.bin")
        // It must lead on from the end of this one.
        guard count > 0, try next.block(at: last.height) != tip else { return next }
        var copy = ByteBuffer()
        let new = try File(creating: try folder.temporaryPath())
        for start in Swift.stride(from: 0, to: count, by: Self.stride) {
            try read(start..<min(start + Self.stride, count), into: &copy)
            try new.write(copy.bytes)
        }
        try folder.install([Folder.Staged(temporary: new.path, path: next.name)])
        return try HeaderStore(folder, last.network, name: next.name)
    }

    /// Puts a successor in the place of this one.
    mutating func adopt(_ successor: consuming HeaderStore) throws(FileError) {
        let (network, name, next) = (last.network, name, successor.name)
        try folder.install([Folder.Staged(temporary: folder.path(next), path: name)])
        self = try HeaderStore(folder, network, name: name)
    }

    /// The stored headers from a height on, 80 bytes each.
    func headers(from height: Int) throws(FileError) -> [UInt8] {
        var headers = ByteBuffer()
        try read(height..<max(height, count), into: &headers)
        return [UInt8](headers.bytes)
    }

    /// Leaves what stands above a height out of account. It goes from the disk when something else takes its place.
    mutating func leave(above height: Int) throws {
        guard height < last.height else { return }
        last = try follower(after: height + 1)
        waypoints.removeLast(waypoints.count - 1 - (height + 1) / Self.stride)
    }

    /// Takes over a branch of what is stored now if it has more work; false if it has not. Durable on return.
    @discardableResult
    public mutating func install(_ branch: HeaderBranch) throws(FileError) -> Bool {
        guard branch.work > work else { return false }
        let path = folder.path(name)
        guard try isContinued(by: branch.headers, from: branch.fork + 1) else {
            throw FileError(path, "has changed since the branch was followed", kind: .conflict)
        }
        if file != nil, branch.fork == last.height {
            // What stands behind the last header that could be followed.
            try File.truncate(path, to: count * BlockHeader.size)
            let file = try File(appending: path)
            try branch.headers.withBytes { raw throws(FileError) in try file.write(raw) }
            try file.synchronize()
        } else {
            try replace(from: branch.fork + 1, by: branch.headers)
            file = try File(reading: path)
        }
        waypoints.removeLast(waypoints.count - 1 - (branch.fork + 1) / Self.stride)
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
        for start in Swift.stride(from: 0, to: height, by: Self.stride) {
            try read(start..<min(start + Self.stride, height), into: &kept)
            try new.write(kept.bytes)
        }
        try headers.withBytes { raw throws(FileError) in try new.write(raw) }
        try folder.install([Folder.Staged(temporary: new.path, path: name)])
    }

    /// Follows the file from the last waypoint on.
    private mutating func replay() throws(FileError) {
        var headers = ByteBuffer()
        while let waypoint = waypoints.last {
            last = waypoint
            headers.resize(to: Self.stride * BlockHeader.size)
            let there = try file?.read(into: headers.mutableBytes, at: count * BlockHeader.size) ?? 0
            headers.resize(to: there)
            // It stands before the first that is at fault.
            try? last.follow(headers.bytes)
            guard last.height - waypoint.height == Self.stride else { return }
            waypoints.append(last)
        }
    }

    /// A follower of the stored chain that stands behind its first `count` headers.
    func follower(after count: Int) throws -> HeaderFollower {
        var follower = waypoints[count / Self.stride]
        var headers = ByteBuffer()
        try read(follower.height + 1..<count, into: &headers)
        try follower.follow(headers.bytes)
        return follower
    }

    func read(_ heights: Range<Int>, into headers: inout ByteBuffer) throws(FileError) {
        headers.resize(to: heights.count * BlockHeader.size)
        let offset = heights.lowerBound * BlockHeader.size
        guard try file?.read(into: headers.mutableBytes, at: offset) ?? 0 == headers.bytes.count else {
            throw FileError(
                folder.path(name), "became shorter while it was in use: run the command again")
        }
    }
}
