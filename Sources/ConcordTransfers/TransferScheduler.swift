import Foundation
import Synchronization

/// Runs jobs over all hosts: whoever has room is asked next.
///
/// A host that answers well is asked for more at a time, one that asks for less gets less (`HostPace`) and one that is
/// not there is not asked again. Deadlines are by progress: a transfer is slow when next to nothing has come for
/// `Settings.stall`, however large its file is; what came is kept as a part, and the next try goes on behind it. When other
/// hosts have nothing left to do, what a much slower one still holds is asked of them too, and the first whole and checked
/// answer counts.
///
/// One thread uses it at a time.
public final class TransferScheduler {
    public struct Settings: Sendable {
        /// Requests under way, of all hosts.
        public var concurrency = 64
        /// A transfer that has received less than `minSpeed` over this time is slow.
        public var stall: Duration = .seconds(30)
        /// Bytes a second.
        public var minSpeed = 100
        /// How long a host may ask for fewer requests, or for a pause, without answering one.
        public var patience: Duration = .seconds(120)
        /// Threads that check files on the disk; 0 for the thread that runs.
        public var checkers = ProcessInfo.processInfo.activeProcessorCount
        /// Asked now and then, from the thread that runs: whether to end with `CancellationError`.
        public var isCancelled: @Sendable () -> Bool = { false }

        public init() {}
    }

    /// A failure of this machine ended the run: a full disk, say.
    struct Local: Error {
        let failure: Failure
    }

    /// What came of checks on other threads, by the number of the attempt.
    final class Checked: Sendable {
        let list = Mutex<[(Int, Result<any Sendable, any Error>)]>([])
    }

    let transport: any Transport
    let settings: Settings
    var hosts: [String: Host] = [:]
    var hostOfSource: [String: Host] = [:]
    var waiting: [Task] = []
    var tasks: [Int: Task] = [:]
    var attempts: [Int: Attempt] = [:]
    var nextTask = 0
    var nextID = 0
    var ended = 0
    let checkers: OperationQueue
    let checked = Checked()
    var checking: [Int: Attempt] = [:]
    /// Seconds that jobs took which came whole, the newest.
    var times: [Duration] = []
    var lastLook: Duration = .zero
    /// Whether jobs may be waiting that nobody is left to ask for.
    var mayBeHopeless = false

    /// After so many failures in a row a host is not asked any more.
    static let maxStrikes = 3
    /// Files on the disk that wait to be checked, so that they do not grow without end.
    static let maxChecking = 64
    /// The longest time before a further source is asked.
    static let maxAlone: Duration = .seconds(2)
    /// How long a further request may show that it is faster.
    static let comparison: Duration = .seconds(3)
    /// An attempt that brought so many bytes was worth it.
    static let goodBytes = 16_384

    public init(_ transport: any Transport, _ settings: Settings = Settings()) {
        self.transport = transport
        self.settings = settings
        checkers = OperationQueue()
        checkers.maxConcurrentOperationCount = max(1, settings.checkers)
    }

    /// Body bytes received so far, those under way included.
    public var received: Int { ended + attempts.reduce(0) { $0 + transport.received($1.key) } }

    /// What the transport's clock will say after this time.
    public func deadline(after time: Duration) -> Duration { transport.now + time }

    /// Whether the host of a source was given up.
    public func isGivenUp(_ url: String) -> Bool { hostOfSource[url]?.isOut ?? false }

    /// Forgets what was learned of hosts, so that those that were given up are asked again. Does nothing while jobs are
    /// open.
    public func forget() {
        guard tasks.isEmpty else { return }
        (hosts, hostOfSource, times) = ([:], [:], [])
    }

    /// Adds a job; it is begun by `run`. Gives its number.
    @discardableResult
    public func add(_ job: TransferJob) -> Int {
        let sources = (job.sources + job.fallbacks).map {
            Task.Source(url: $0, host: host(of: $0), part: Self.part(of: job, from: $0))
        }
        if sources.contains(where: { $0.host.isOut }) { mayBeHopeless = true }
        let task = Task(nextTask, job, sources)
        nextTask += 1
        tasks[task.number] = task
        waiting.append(task)
        return task.number
    }

    /// Gives up jobs by their numbers: they end with a fault of each source that was asked, `givenUp`.
    public func giveUp(_ numbers: [Int]) throws {
        for task in numbers.sorted().compactMap({ tasks[$0] }) { try giveUp(task) }
    }

    /// The bytes that part files of a job hold from a source.
    static func part(of job: TransferJob, from source: String) -> Int {
        guard let folder = job.folder else { return 0 }
        return job.files.reduce(0) {
            $1.range == nil
                ? $0 + (PartFile.size(PartFile.path(of: "\(source)/\($1.path)", in: folder)) ?? 0) : $0
        }
    }

    func host(of source: String) -> Host {
        if let known = hostOfSource[source] { return known }
        let name = (try? WebAddress(source).host) ?? source
        var pace = HostPace.Settings()
        pace.patience = settings.patience
        let host = hosts[name] ?? Host(HostPace(pace))
        hosts[name] = host
        hostOfSource[source] = host
        return host
    }

    // MARK: the loop

    /// Runs all jobs to their ends, those too that are added meanwhile. Throws what this machine is to blame for, what
    /// `done` throws, and `CancellationError`: then all that is under way is dropped, and parts stay.
    ///
    /// - Parameter tick: called several times a second.
    public func run(_ tick: () throws -> Void = {}) throws {
        do {
            while !tasks.isEmpty {
                if settings.isCancelled() { throw CancellationError() }
                try startAll()
                try tick()
                if tasks.isEmpty { break }
                let isCheckedHere = settings.checkers == 0
                for end in transport.wait(until: isCheckedHere || checking.isEmpty ? nextTime() : soon()) {
                    try take(end)
                }
                try takeChecked()
                try look()
            }
        } catch {
            // What has come and passes is not lost.
            checkers.waitUntilAllOperationsAreFinished()
            try? takeChecked()
            drop()
            if let local = error as? Local { throw local.failure }
            throw error
        }
    }

    func soon() -> Duration { min(nextTime(), transport.now + .milliseconds(50)) }

    func drop() {
        for (id, _) in attempts { transport.cancel(id) }
        checkers.waitUntilAllOperationsAreFinished()
        checked.list.withLock { $0.removeAll() }
        checking = [:]
        for host in hosts.values { host.underWay = 0 }
        (attempts, tasks, waiting) = ([:], [:], [])
    }

    /// When something is to be done even if nothing ends.
    func nextTime() -> Duration {
        let now = transport.now
        var next = now + .milliseconds(250)
        if checking.count >= Self.maxChecking { return now + .milliseconds(50) }
        if attempts.isEmpty {
            next = now + .seconds(1)
            let soonest = hosts.values.lazy.filter { !$0.isOut }.map(\.pace.opensAt).min() ?? next
            for task in waiting where !task.isDone {
                for source in isHopeful(task, at: now) ? task.state[..<task.preferred] : task.state[...]
                where !source.isOut && !source.host.isOut {
                    next = min(next, max(source.notBefore, source.host.pace.opensAt))
                }
                if next <= max(now, soonest) { break }
            }
        } else {
            for host in hosts.values where host.pace.opensAt > now { next = min(next, host.pace.opensAt) }
        }
        return max(next, now + .microseconds(100))
    }

    /// Starts what there is room for.
    func startAll() throws {
        let now = transport.now
        guard checking.count < Self.maxChecking else { return }
        var left: [Task] = []
        var place = 0
        while place < waiting.count, attempts.count < settings.concurrency,
            hosts.values.contains(where: { $0.isOpen(at: now) })
        {
            let task = waiting[place]
            place += 1
            if task.isDone { continue }
            if let source = choose(task, at: now) {
                start(task, source, at: now)
            } else if try !endIfHopeless(task) {
                left.append(task)
            }
            if left.count > 512 { break }
        }
        let isAllSeen = place == waiting.count
        if isAllSeen {
            waiting = left
        } else if place > 0 {
            // Those behind them get their turn before they are looked at again.
            waiting.removeSubrange(..<place)
            waiting += left
        }
        if mayBeHopeless {
            mayBeHopeless = false
            for task in waiting where !task.isDone { _ = try endIfHopeless(task) }
            waiting.removeAll { $0.isDone }
        }
        // Whoever still has room has nothing to do.
        if isAllSeen { startFurther(at: now) }
    }

    /// The source to ask next; nil if none can be asked now.
    ///
    /// - Parameter speed: in bytes a second; the host is to be faster, as far as that is known.
    func choose(_ task: Task, at now: Duration, fasterThan speed: Double? = nil) -> Int? {
        func best(_ range: Range<Int>, _ isFit: (Task.Source) -> Bool) -> Int? {
            let fit = range.filter {
                let source = task.state[$0]
                return !source.isOut && source.notBefore <= now
                    && source.host.isOpen(at: now, for: task.job.files.count) && isFit(source)
                    && speed.map { $0 < source.host.speed ?? .infinity } ?? true
                    && !task.attempts.contains { task.state[$0.source].host === source.host }
            }
            // Those that failed least, then those that a good part is there of, then in turn from job to job.
            return fit.min {
                let (a, b) = (task.state[$0], task.state[$1])
                return (a.failures, -a.part / Self.goodBytes, ($0 + task.number) % task.state.count)
                    < (b.failures, -b.part / Self.goodBytes, ($1 + task.number) % task.state.count)
            }
        }
        let all = task.state.indices
        if let good = best(0..<task.preferred, { $0.host.wrong < Self.maxStrikes }) { return good }
        if speed == nil, isHopeful(task, at: now) { return nil }
        return best(all, { $0.host.wrong < Self.maxStrikes }) ?? best(all, { _ in true })
    }

    /// Whether one of those that are asked first may still have it: whoever comes after them waits, unless they are out or do
    /// not want to be asked.
    func isHopeful(_ task: Task, at now: Duration) -> Bool {
        task.state[..<task.preferred].contains {
            !$0.isOut && !$0.host.isOut && $0.host.wrong < Self.maxStrikes
                && $0.host.pace.opensAt < now + .seconds(10)
        }
    }

    func start(_ task: Task, _ source: Int, at now: Duration) {
        let attempt = Attempt(task, source, at: now)
        task.attempts.append(attempt)
        let (url, host) = (task.state[source].url, task.state[source].host)
        for (place, file) in task.job.files.enumerated() {
            var request = Request("\(url)/\(file.path)", limit: file.limit, range: file.range)
            if let folder = task.job.folder {
                if let range = file.range {
                    // Ranges are small: they are not gone on with.
                    let part = PartFile.path(of: "\(request.url)#\(range)", in: folder)
                    PartFile.remove(part)
                    request.destination = .file(part)
                } else {
                    let part = PartFile.path(of: request.url, in: folder)
                    request.destination = .file(part)
                    request.keepsPart = true
                    request.resumed = PartFile.size(part) ?? 0
                    attempt.continued += request.resumed
                }
            }
            let id = nextID
            nextID += 1
            attempt.underWay[id] = Attempt.Transfer(
                file: place, request: request, mark: (now, 0), recent: (now, 0))
            attempts[id] = attempt
            host.pace.started(at: now, beside: host.underWay)
            host.underWay += 1
            transport.start(request, as: id)
        }
    }
}
