import Concord
import ConcordFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The chain data that an operator gave, to be looked at again whenever it may have changed.
public struct ChainInput: Sendable {
    let directory: String
    private let network: Network
    private let cache: Folder

    public init(directory: String, network: Network, cache: Folder) {
        self.directory = directory
        self.network = network
        self.cache = cache
    }

    /// What its errors are about.
    public var path: String { directory }

    /// The best chain as it is now.
    public func chain(_ progress: @Sendable (Int, Int) -> Void = { _, _ in }) throws -> any ChainSource {
        try BestChain.scan(try BlockFolder(directory, network: network), cache: cache, progress: progress)
    }

    /// Returns when the chain's tip may be another one, or when it shall stop.
    public func waitForChange(since tip: BlockID, isStopping: () -> Bool) throws {
        for _ in 0..<20 where !isStopping() { usleep(100_000) }
    }
}
