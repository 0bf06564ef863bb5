import Concord
import ConcordFiles

/// What tells one state of a home from the next: while it stays the same, so do a network's installed set and headers.
public struct HomeMark: Equatable, Sendable {
    /// What names the installed block; nil where nothing is installed.
    fileprivate var pointer: [UInt8]?
    /// Of each file of headers its name, its bytes, and the last header, which stands for all before it.
    fileprivate var headers: [Headers] = []

    fileprivate struct Headers: Equatable, Sendable {
        let name: String
        let size: Int
        let last: [UInt8]
    }
}

extension Home {
    /// The state of a network's set and headers. Take it before what it shall stand for is opened.
    public func mark(_ network: Network) throws(FileError) -> HomeMark {
        var mark = HomeMark()
        try Self.unlessMissing { () throws(FileError) in
            mark.pointer = try File.read(
                folder.path("sets/\(network.rawValue)/\(InstalledSet.pointer)"), atMost: 1 << 20)
        }
        for name in try Folder.names(in: folder.path("headers")) where name.hasPrefix("\(network.rawValue).")
        {
            try Self.unlessMissing { () throws(FileError) in
                let file = try File(reading: folder.path("headers/\(name)"))
                var last = ByteBuffer()
                last.resize(to: BlockHeader.size)
                let size = try file.size()
                last.resize(to: try file.read(into: last.mutableBytes, at: max(0, size - BlockHeader.size)))
                mark.headers.append(HomeMark.Headers(name: name, size: size, last: [UInt8](last.bytes)))
            }
        }
        return mark
    }

    private static func unlessMissing(_ body: () throws(FileError) -> Void) throws(FileError) {
        do throws(FileError) {
            try body()
        } catch {
            guard error.isMissing else { throw error }
        }
    }
}
