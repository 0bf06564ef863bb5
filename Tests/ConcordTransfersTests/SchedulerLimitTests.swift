import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ConcordTransfers

/// Hosts that want fewer requests.
@Suite struct SchedulerLimitTests {
    struct Limit: Sendable, CustomTestStringConvertible {
        let hosts: Int
        let isShared: Bool
        let status: Int
        let retryAfter: Int?

        var testDescription: String {
            "\(hosts) hosts\(isShared ? " of one limit" : ""), \(status), Retry-After \(retryAfter.map(String.init) ?? "-")"
        }

        static let all = [1, 2, 3].flatMap { hosts in
            [false, true].flatMap { isShared in
                [429, 503].flatMap { status in
                    [nil, 1, 5, 30].map {
                        Limit(hosts: hosts, isShared: isShared, status: status, retryAfter: $0)
                    }
                }
            }
        }
        static let some = all.filter { $0.status == 429 && $0.hosts != 2 && $0.retryAfter ?? 0 < 5 }
    }

    private func expectAll(_ count: Int, within limit: Limit, seconds: Double) throws {
        let files = SchedulerTrial.files(count, of: 2000)
        let trial = SchedulerTrial()
        let hosts = Array(["a", "b", "c"].prefix(limit.hosts))
        let bucket = TokenBucket(rate: 10, burst: 20)
        for host in hosts {
            let site = ScriptedSite(files: files).limited(
                by: limit.isShared ? bucket : TokenBucket(rate: 10, burst: 20), status: limit.status,
                retryAfter: limit.retryAfter)
            trial.add(host: host, site)
        }
        trial.want(files, of: hosts)
        try trial.run()
        #expect(trial.successes == count)
        #expect(trial.requests <= count * 3 / 2, "\(trial.requests)")
        #expect(trial.seconds <= seconds, "\(trial.seconds)")
    }

    @Test(arguments: Limit.all) func someFiles(limit: Limit) throws {
        try expectAll(130, within: limit, seconds: limit.retryAfter ?? 0 < 30 ? 40 : 200)
    }

    @Test(arguments: Limit.some) func manyFiles(limit: Limit) throws {
        try expectAll(2000, within: limit, seconds: limit.isShared || limit.hosts == 1 ? 220 : 80)
    }

    /// When a site refused requests.
    private final class Refusals: Sendable {
        let times = Mutex<[Duration]>([])

        func noting(_ site: ScriptedSite, _ status: Int) -> ScriptedSite {
            site.bent { [self] request, answer in
                if answer.status == status { times.withLock { $0.append(request.time) } }
            }
        }
    }

    @Test(arguments: [429, 503], [3, 20, 60]) func retryAfterIsHonoured(status: Int, seconds: Int) throws {
        let files = SchedulerTrial.files(130, of: 2000)
        let refusals = Refusals()
        let site = ScriptedSite(files: files).limited(rate: 2, burst: 20, status: status, retryAfter: seconds)
        let trial = SchedulerTrial()
        trial.add(host: "a", refusals.noting(site, status))
        trial.want(files, of: ["a"])
        try trial.run()
        #expect(trial.successes == 130)
        let times = refusals.times.withLock(\.self)
        #expect(!times.isEmpty)
        for time in times {
            // From when the client knows of it.
            let known = time + .milliseconds(10)
            #expect(
                !trial.transport.requests.contains { $0.time > known && $0.time < known + .seconds(seconds) })
        }
    }

    @Test func whoWantsTooLongAPauseIsGivenUp() throws {
        let files = SchedulerTrial.files(40, of: 2000)
        let trial = SchedulerTrial()
        trial.add(host: "a", .init { _ in ScriptedAnswer(503, headers: ["Retry-After": "300"]) })
        trial.add(host: "b", ScriptedSite(files: files))
        trial.want(files, of: ["a", "b"])
        try trial.run()
        #expect(trial.successes == 40 && trial.seconds < 5)
        #expect(trial.requests(of: "a").count <= 3 && trial.scheduler.isGivenUp(SchedulerTrial.url("a")))
        let alone = SchedulerTrial()
        alone.add(host: "a", .init { _ in ScriptedAnswer(503, headers: ["Retry-After": "300"]) })
        alone.want(files, of: ["a"])
        try alone.run()
        #expect(alone.successes == 0 && alone.seconds < 5 && alone.requests <= 3)
        for path in files.keys {
            #expect(alone.faults(path).map(\.kind) == [.busy(status: 503, retryAfter: .seconds(300))])
        }
    }

    /// One that never answers but with «later» costs a while, and few requests.
    @Test(arguments: [nil, 10] as [Int?]) func whoNeverAnswersIsGivenUp(retryAfter: Int?) throws {
        let files = SchedulerTrial.files(40, of: 2000)
        let trial = SchedulerTrial()
        trial.add(host: "a", ScriptedSite(files: files).limited(rate: 0, burst: -1, retryAfter: retryAfter))
        trial.want(files, of: ["a"])
        try trial.run()
        #expect(trial.successes == 0 && trial.outcomes.count == 40)
        #expect((80...130).contains(trial.seconds), "\(trial.seconds)")
        #expect(trial.requests <= 25, "\(trial.seconds) \(trial.requests)")
    }

    @Test func whoHasNoLimitHasTheRest() throws {
        let files = SchedulerTrial.files(400, of: 2000)
        let trial = SchedulerTrial()
        let site = ScriptedSite(files: files)
        trial.add(host: "a", site.limited(rate: 1, burst: 2, retryAfter: 60))
        trial.add(host: "b", site)
        trial.want(files, of: ["a", "b"])
        try trial.run()
        #expect(trial.successes == 400 && trial.seconds < 10 && trial.requests < 420)
    }
}
