import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ConcordTransfers

/// Slow lines, and hosts that are slower than others.
@Suite struct SchedulerSpeedTests {
    @Test(arguments: [1, 2, 3], [1, 8]) func slowLine(hosts: Int, count: Int) throws {
        let files = SchedulerTrial.files(count, of: 12_000_000 / count)
        let scratch = try Scratch()
        let trial = SchedulerTrial(bandwidth: 30_000)
        let hosts = Array(["a", "b", "c"].prefix(hosts))
        for host in hosts { trial.add(host: host, ScriptedSite(files: files)) }
        trial.want(files, of: hosts) { $0.folder = scratch.folder }
        try trial.run()
        #expect(trial.successes == count)
        #expect(trial.outcomes.values.allSatisfy { $0.faults.isEmpty })
        // The line needs 400 seconds.
        #expect(
            trial.seconds < 440 && trial.transport.bytes < 13_200_000,
            "\(trial.seconds) \(trial.transport.bytes)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder).count == count)
    }

    /// A host that is worth little or nothing beside two good ones.
    enum Lame: String, CaseIterable {
        case slow, slower, hanging, stallsEarly, stallsLate, vanished, refusing, breaks, thinks, hangsUp

        func site(_ good: ScriptedSite) -> ScriptedSite {
            switch self {
            case .slow: good.rate(1100)
            case .slower: good.rate(200)
            case .hanging: .hanging
            case .stallsEarly: good.stalling(after: 1000)
            case .stallsLate: good.stalling(after: 40_000)
            case .vanished: .vanished
            case .refusing: .refusing
            case .breaks: good.breaking(after: 1000)
            case .thinks: good.delayed(.seconds(20))
            case .hangsUp: .init { _ in ScriptedAnswer(.hangsUp) }
            }
        }
    }

    /// What is wanted, and the bytes a second that each good host has.
    struct Work: Sendable, Hashable {
        let count: Int
        let size: Int
        let bandwidth: Int

        static let all = [(24, 50_000), (24, 200_000), (200, 3000), (2000, 2000), (6, 1_000_000)].flatMap {
            work in
            [30_000, 1_000_000].map { Work(count: work.0, size: work.1, bandwidth: $0) }
        }

        /// How long it takes.
        func seconds(beside lame: Lame?) throws -> Double {
            let files = SchedulerTrial.files(count, of: size)
            let good = ScriptedSite(files: files)
            let trial = SchedulerTrial()
            for host in ["b", "c"] { trial.add(host: host, good, bandwidth: bandwidth) }
            if let lame { trial.add(host: "a", lame.site(good), bandwidth: lame == .slow ? 1100 : nil) }
            trial.want(files, of: lame == nil ? ["b", "c"] : ["a", "b", "c"])
            try trial.run()
            #expect(trial.successes == count)
            #expect(
                trial.transport.bytes <= count * size * 11 / 10 + 50_000, "\(self): \(trial.transport.bytes)")
            #expect(trial.requests < count * 11 / 10 + 10, "\(self): \(trial.requests)")
            return trial.seconds
        }
    }

    /// What two good hosts take for it.
    private static let seconds = Result {
        try Dictionary(uniqueKeysWithValues: Work.all.map { ($0, try $0.seconds(beside: nil)) })
    }

    @Test(arguments: Lame.allCases) func lameHostCostsLittle(lame: Lame) throws {
        let seconds = try Self.seconds.get()
        for work in Work.all {
            let (two, three) = (try #require(seconds[work]), try work.seconds(beside: lame))
            #expect(three <= two * 1.5, "\(work): \(three) instead of \(two)")
        }
    }

    /// A single file, of which nobody can know at first how fast it should come.
    @Test(arguments: Lame.allCases) func singleFile(lame: Lame) throws {
        let files = SchedulerTrial.files(1, of: 3_000_000)
        let trial = SchedulerTrial()
        trial.add(host: "a", lame.site(ScriptedSite(files: files)))
        for host in ["b", "c"] { trial.add(host: host, ScriptedSite(files: files), bandwidth: 100_000) }
        trial.want(files, of: ["a", "b", "c"])
        try trial.run()
        #expect(trial.successes == 1 && trial.seconds < 40, "\(trial.seconds)")
        // One that thinks for long, and is fast then, comes when another one is on its way.
        #expect(trial.transport.bytes < (lame == .thinks ? 5_000_000 : 4_000_000), "\(trial.transport.bytes)")
    }

    /// The second one that is asked may be no good either.
    @Test(arguments: Lame.allCases, Lame.allCases) func singleFileOfOneGoodHost(lame: Lame, other: Lame)
        throws
    {
        let files = SchedulerTrial.files(1, of: 3_000_000)
        let good = ScriptedSite(files: files)
        let trial = SchedulerTrial()
        trial.add(host: "a", lame.site(good))
        trial.add(host: "b", other.site(good))
        trial.add(host: "c", good, bandwidth: 100_000)
        trial.want(files, of: ["a", "b", "c"])
        try trial.run()
        #expect(trial.successes == 1 && trial.seconds < 40, "\(trial.seconds)")
        #expect(trial.requests <= 12, "\(trial.requests)")
    }

    @Test func trickleIsSlow() throws {
        let files = SchedulerTrial.files(1, of: 100_000)
        let trial = SchedulerTrial()
        trial.add(host: "a", ScriptedSite(files: files).rate(10))
        trial.want(files, of: ["a"]) { $0.retries = 0 }
        try trial.run()
        #expect((30..<31).contains(trial.seconds))
        #expect(trial.faults("0").map(\.kind) == [.slow(seconds: 30)])

        // With its retries it is told three times, and another source ends it at once.
        let again = SchedulerTrial()
        again.add(host: "a", ScriptedSite(files: files).rate(10))
        again.want(files, of: ["a"])
        try again.run()
        #expect((90..<95).contains(again.seconds) && again.requests == 3)
        let other = SchedulerTrial()
        other.add(host: "a", ScriptedSite(files: files).rate(10))
        other.add(host: "b", ScriptedSite(files: files))
        other.want(files, of: ["a", "b"])
        try other.run()
        #expect(other.successes == 1 && other.seconds < 31 && other.requests == 2)
    }

    /// A host that is slow but gets on is waited for.
    @Test func slowIsNotTooSlow() throws {
        let files = SchedulerTrial.files(4, of: 30_000)
        let trial = SchedulerTrial()
        trial.add(host: "a", ScriptedSite(files: files).rate(110))
        trial.want(files, of: ["a"])
        try trial.run()
        #expect(trial.successes == 4 && trial.requests == 4)
    }

    @Test(arguments: [false, true]) func concurrencyGrows(isMultiplexed: Bool) throws {
        let files = SchedulerTrial.files(200, of: 2000)
        func seconds(_ concurrency: Int) throws -> Double {
            let trial = SchedulerTrial { $0.concurrency = concurrency }
            trial.add(
                host: "a", ScriptedSite(files: files), latency: .milliseconds(100),
                isMultiplexed: isMultiplexed)
            trial.want(files, of: ["a"])
            try trial.run()
            #expect(trial.successes == 200 && trial.requests == 200)
            #expect(trial.transport.connections <= 8)
            return trial.seconds
        }
        let (one, many) = (try seconds(1), try seconds(64))
        #expect(many * (isMultiplexed ? 10 : 5) < one, "\(many) instead of \(one)")
    }

    /// Time in which nothing was wanted says nothing of a host.
    @Test(arguments: [4, 12, 30, 60]) func idleTimeDoesNotCount(count: Int) throws {
        let files = SchedulerTrial.files(200, of: 2000)
        let trial = SchedulerTrial()
        trial.add(host: "a", ScriptedSite(files: files), latency: .milliseconds(100))
        trial.want(files.filter { Int($0.key) ?? 0 < count }, of: ["a"])
        try trial.run()
        _ = trial.transport.wait(until: .seconds(100))
        let start = trial.transport.now
        trial.want(files.filter { Int($0.key) ?? 0 >= count }, of: ["a"])
        try trial.run()
        let seconds = (trial.transport.now - start) / .seconds(1)
        #expect(trial.successes == 200 && seconds < 4, "\(seconds)")
    }

    /// Hosts that break off where too much is asked at a time get less, and all comes.
    @Test(arguments: [1, 2, 5], [ScriptedAnswer.Manner.hangsUp, .refuses])
    func concurrencyShrinks(most: Int, manner: ScriptedAnswer.Manner) throws {
        let files = SchedulerTrial.files(200, of: 20_000)
        let trial = SchedulerTrial()
        let load = Load(most, manner)
        trial.add(host: "a", load.site(ScriptedSite(files: files).rate(100_000)))
        trial.want(files, of: ["a"])
        try trial.run()
        #expect(trial.successes == 200)
        #expect(trial.requests < 300, "\(trial.requests)")
    }
}

/// A host that hangs up on whoever comes while it has enough to do: each answer takes it a fifth of a second.
private final class Load: Sendable {
    private let most: Int
    private let manner: ScriptedAnswer.Manner
    private let ends = Mutex<[Duration]>([])

    init(_ most: Int, _ manner: ScriptedAnswer.Manner) { (self.most, self.manner) = (most, manner) }

    func site(_ site: ScriptedSite) -> ScriptedSite {
        ScriptedSite { [self] request in
            let hasRoom = ends.withLock {
                $0.removeAll { $0 <= request.time }
                guard $0.count < most else { return false }
                $0.append(request.time + .milliseconds(210))
                return true
            }
            return hasRoom ? site.answer(request) : ScriptedAnswer(manner)
        }
    }
}
