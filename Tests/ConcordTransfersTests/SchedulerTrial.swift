import Foundation
import Synchronization
import TestSupport

@testable import ConcordTransfers

/// Hosts, a scheduler over them in made-up time, and what came of its jobs.
final class SchedulerTrial {
    /// What a check says of bytes that are not those that were wanted.
    struct Wrong: Error, Equatable {}

    let transport: ScriptedTransport
    let scheduler: TransferScheduler
    /// By the path of a job's first file.
    private(set) var outcomes: [String: TransferJob.Outcome] = [:]

    /// What the transport's clock said last, for whoever asks on another thread.
    private final class Clock: Sendable {
        let now = Mutex(Duration.zero)
    }

    private let clock = Clock()

    /// - Parameter end: when the run is cancelled; never if nil.
    init(
        bandwidth: Int? = nil, until end: Duration? = nil,
        _ change: (inout TransferScheduler.Settings) -> Void = { _ in }
    ) {
        transport = ScriptedTransport(bandwidth: bandwidth)
        var settings = TransferScheduler.Settings()
        settings.checkers = 0
        if let end { settings.isCancelled = { [clock] in clock.now.withLock { $0 >= end } } }
        change(&settings)
        scheduler = TransferScheduler(transport, settings)
    }

    /// So many files of a size, each of its own bytes.
    static func files(_ count: Int, of size: Int) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for number in 0..<count {
            let start = Array("\(number) of \(count)".utf8)
            files["\(number)"] =
                start.prefix(size)
                + [UInt8](repeating: UInt8(number & 0xff), count: size - min(size, start.count))
        }
        return files
    }

    static func url(_ host: String) -> String { "http://\(host).example" }

    func add(
        host: String, _ site: ScriptedSite, latency: Duration = .milliseconds(20), bandwidth: Int? = nil,
        isMultiplexed: Bool = false
    ) {
        transport.add(
            site, at: Self.url(host), latency: latency, bandwidth: bandwidth, isMultiplexed: isMultiplexed)
    }

    /// Wants files of these bytes, each as a job of its own.
    func want(
        _ files: [String: [UInt8]], of hosts: [String], _ change: (inout TransferJob) -> Void = { _ in }
    ) {
        for path in files.keys.sorted(by: { ($0.count, $0) < ($1.count, $1) }) {
            if let bytes = files[path] { want([(path, bytes)], of: hosts, change) }
        }
    }

    /// Wants files of these bytes as one job. Gives its number.
    @discardableResult
    func want(
        _ files: [(path: String, bytes: [UInt8])], of hosts: [String],
        _ change: (inout TransferJob) -> Void = { _ in }
    ) -> Int {
        let wanted = files.map(\.bytes)
        var job = TransferJob(
            files.map { TransferJob.File($0.path, limit: $0.bytes.count + 1000) }, at: hosts.map(Self.url)
        ) { pieces in
            let came = pieces.map { piece in
                piece.path.map { [UInt8](FileManager.default.contents(atPath: $0) ?? Data()) } ?? piece.bytes
            }
            guard came == wanted else { throw Wrong() }
            return came
        } done: { [self] outcome in
            outcomes[files[0].path] = outcome
        }
        change(&job)
        return scheduler.add(job)
    }

    func run() throws {
        try scheduler.run { clock.now.withLock { $0 = transport.now } }
    }

    /// How many jobs have come.
    var successes: Int { outcomes.values.count { $0.answer != nil } }
    var seconds: Double { transport.now / .seconds(1) }
    var requests: Int { transport.requests.count }

    func requests(of host: String) -> [ScriptedTransport.Asked] {
        transport.requests(below: Self.url(host) + "/")
    }

    /// The kinds of what went wrong in a job, with their sources.
    func faults(_ path: String) -> [(host: String, kind: Failure.Kind?)] {
        (outcomes[path]?.faults ?? []).map {
            let host = $0.source.dropFirst("http://".count).prefix { $0 != "." }
            return (String(host), ($0.error as? Failure)?.kind)
        }
    }
}
