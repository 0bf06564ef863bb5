import Concord
import ConcordFiles
import ConcordTree

/// The headers of a mirrored tree, from the genesis block up to its newest: followed by the network's rules from below, so
/// that a host that made them up is found out at its first file.
struct MirrorHeaders {
    /// An epoch's headers, and the bytes of its file.
    typealias Epoch = (chain: HeaderChain, bytes: [UInt8])

    private let source: MirrorSource
    private let folder: Folder
    private var parameters: TreeParameters { source.authority.parameters }
    /// Files that are asked for at a time.
    private static let group = 16

    init(_ source: MirrorSource, _ folder: Folder) {
        (self.source, self.folder) = (source, folder)
    }

    /// All epochs, the lowest first. Those that are here already are not fetched.
    func fetch(to latest: BlockID, progress: (Int) -> Void) throws -> [Epoch] {
        let starts = Array(stride(from: 0, through: latest.height, by: parameters.epoch))
        var (epochs, followers): ([Epoch], [HeaderFollower]) = (
            [], [HeaderFollower(source.authority.network)]
        )
        // What is here, as far as it is whole.
        for start in starts.dropLast() {
            guard let bytes = try here(start), bytes.count == parameters.epoch * BlockHeader.size,
                let next = try? followed(followers[epochs.count], bytes, start)
            else { break }
            epochs.append(next.epoch)
            followers.append(next.follower)
        }
        if epochs.count == starts.count - 1, let last = try here(starts[epochs.count]),
            let next = try? followed(
                followers[epochs.count],
                Array(last.prefix((latest.height + 1 - starts[epochs.count]) * BlockHeader.size)),
                starts[epochs.count]),
            next.epoch.chain.block(at: latest.height) == latest
        {
            return epochs + [next.epoch]
        }
        // Down to where the host's chain leaves it.
        var step = 1
        var first: [UInt8]?
        while !epochs.isEmpty {
            let bytes = try headers([starts[epochs.count]], latest)[0]
            if bytes[4..<36].elementsEqual(epochs[epochs.count - 1].chain.hashes.last?.bytes ?? []) {
                first = bytes
                break
            }
            epochs.removeLast(min(step, epochs.count))
            followers.removeLast(followers.count - 1 - epochs.count)
            step *= 2
        }
        while epochs.count < starts.count {
            let count = first == nil ? Self.group : 1
            let group = Array(starts[epochs.count..<min(epochs.count + count, starts.count)])
            let files = try first.map { [$0] } ?? headers(group, latest)
            first = nil
            for (start, bytes) in zip(group, files) {
                do throws(HeaderFault) {
                    guard start == starts.last || bytes.count == parameters.epoch * BlockHeader.size else {
                        throw HeaderFault(.truncated, height: start + bytes.count / BlockHeader.size)
                    }
                    let next = try followed(followers[followers.count - 1], bytes, start)
                    epochs.append(next.epoch)
                    followers.append(next.follower)
                } catch {
                    throw fault(start, .header(error))
                }
            }
            progress(group[group.count - 1])
        }
        guard epochs.last?.chain.block(at: latest.height) == latest else {
            throw fault(starts[starts.count - 1], .leadsElsewhere(latest))
        }
        return epochs
    }

    private func fault(_ start: Int, _ kind: Fault.Kind) -> Fault {
        source.fault(.headers(epoch: start), TreePath.headers(epochOf: start, parameters), kind)
    }

    private func here(_ start: Int) throws(FileError) -> [UInt8]? {
        let path = TreePath.headers(epochOf: start, parameters)
        guard try folder.contains(path) else { return nil }
        return try? File.read(folder.path(path), atMost: parameters.epoch * BlockHeader.size)
    }

    private func followed(
        _ follower: HeaderFollower, _ bytes: [UInt8], _ start: Int
    ) throws(HeaderFault) -> (epoch: Epoch, follower: HeaderFollower) {
        var follower = follower
        try bytes.withBytes { raw throws(HeaderFault) in try follower.follow(raw) }
        guard let chain = try? HeaderChain(parsing: bytes, from: start) else {
            throw HeaderFault(.truncated, height: start)
        }
        return ((chain, bytes), follower)
    }

    private func headers(_ starts: [Int], _ latest: BlockID) throws -> [[UInt8]] {
        var files = [[UInt8]](repeating: [], count: starts.count)
        var fault: Fault?
        for (i, start) in starts.enumerated() {
            let last = min(latest.height, start + parameters.epoch - 1)
            try source.reader.ask(.headers(start...last, parameters), at: [source.place]) { reply in
                if let bytes = reply.answer { files[i] = bytes } else { fault = fault ?? reply.faults.last }
            }
        }
        try source.reader.run()
        if let fault { throw fault }
        // One that is too short shows at the next, or at the end.
        return files
    }
}
