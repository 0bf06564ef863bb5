import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ConcordTransfers

/// Who is asked, in which order, and what is said of it.
@Suite struct TransferSchedulerTests {
    private static let files = SchedulerTrial.files(40, of: 3000)
    private static let good = ScriptedSite(files: files)
    private static let one = ("1", files["1"] ?? [])

    @Test func allHostsAreAsked() throws {
        let trial = SchedulerTrial()
        for host in ["a", "b", "c"] { trial.add(host: host, Self.good) }
        trial.want(Self.files, of: ["a", "b", "c"])
        try trial.run()
        #expect(trial.successes == 40 && trial.requests == 40)
        for host in ["a", "b", "c"] { #expect(trial.requests(of: host).count >= 10) }
        #expect(trial.scheduler.received == 40 * 3000)
    }

    @Test func faultsNameSourceAndFile() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", .missing)
        trial.add(host: "b", .forbidden)
        trial.add(host: "c", Self.good.replacing("1", by: [1, 2, 3]))
        trial.add(host: "d", .refusing)
        trial.add(host: "e", Self.good.bent { $1.status = 500 })
        trial.want([Self.one], of: ["a", "b", "c", "d", "e"])
        try trial.run()
        let outcome = try #require(trial.outcomes["1"])
        #expect(outcome.answer == nil)
        #expect(outcome.faults.allSatisfy { $0.file.path == "1" })
        let kinds = Dictionary(grouping: trial.faults("1"), by: \.host).mapValues { $0.map(\.kind) }
        #expect(kinds["a"] == [.notFound] && kinds["b"] == [.refused(status: 403)])
        #expect(
            kinds["c"] == [nil] && outcome.faults.contains { $0.error as? SchedulerTrial.Wrong == .init() })
        guard case .unreachable = kinds["d"]?.first ?? nil else { throw TestError("\(kinds)") }
        // What may pass is tried three times.
        #expect(kinds["e"] == [.refused(status: 500), .refused(status: 500), .refused(status: 500)])
        for fault in outcome.faults {
            #expect((fault.error as? Failure).map { $0.url == fault.source + "/1" } ?? true)
        }
    }

    @Test func oneGoodHostIsEnough() throws {
        let lame: [String: ScriptedSite] = [
            "a": .missing, "b": .forbidden, "c": .refusing, "d": Self.good.soft404.missing(["1"]),
            "e": Self.good.bent { $1.body.append(0) }, "f": .init { _ in ScriptedAnswer(500) },
            "g": .init { _ in ScriptedAnswer(.hangsUp) },
        ]
        let trial = SchedulerTrial()
        for (host, site) in lame { trial.add(host: host, site) }
        trial.add(host: "z", Self.good)
        trial.want(Self.files, of: lame.keys.sorted() + ["z"])
        try trial.run()
        #expect(trial.successes == 40)
    }

    /// Nobody is asked more than three times whether it is there.
    @Test(arguments: ["refusing", "vanished", "unknown"], [1, 40]) func whoIsNotThere(how: String, count: Int)
        throws
    {
        let trial = SchedulerTrial()
        if how != "unknown" { trial.add(host: "a", how == "refusing" ? .refusing : .vanished) }
        trial.add(host: "b", Self.good)
        trial.want(Self.files.filter { Int($0.key) ?? 0 < count }, of: ["a", "b"])
        try trial.run()
        #expect(trial.successes == count)
        #expect(trial.requests(of: "a").count <= 3)
        let alone = SchedulerTrial()
        if how != "unknown" { alone.add(host: "a", how == "refusing" ? .refusing : .vanished) }
        alone.want(Self.files.filter { Int($0.key) ?? 0 < count }, of: ["a"])
        try alone.run()
        #expect(alone.successes == 0 && alone.requests <= 3 && alone.outcomes.count == count)
        #expect(alone.scheduler.isGivenUp(SchedulerTrial.url("a")) == (count > 1 || how == "vanished"))
        // Also of jobs that were never begun it is said why.
        for outcome in alone.outcomes.values { #expect(!outcome.faults.isEmpty) }
    }

    /// Two files of a job are two connections.
    @Test func whoIsNotThereForPairs() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", .refusing)
        trial.add(host: "b", Self.good)
        for number in 0..<20 {
            let pair = ["\(number * 2)", "\(number * 2 + 1)"].map { ($0, Self.files[$0] ?? []) }
            trial.want(pair, of: ["a", "b"])
        }
        try trial.run()
        #expect(trial.successes == 20 && trial.requests(of: "a").count <= 4)
    }

    @Test func fallbacksAreAskedOnlyWhenNeeded() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", Self.good.missing(["1", "2"]))
        trial.add(host: "b", Self.good.missing(["1"]))
        trial.add(host: "c", Self.good)
        trial.want(Self.files, of: ["a", "b"]) { $0.fallbacks = [SchedulerTrial.url("c")] }
        try trial.run()
        #expect(trial.successes == 40)
        #expect(trial.requests(of: "c").map(\.url) == [SchedulerTrial.url("c") + "/1"])
    }

    @Test func fallbacksAreAskedWhereTheOthersWantAPause() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", .init { _ in ScriptedAnswer(503, headers: ["Retry-After": "60"]) })
        trial.add(host: "c", Self.good)
        trial.want(Self.files, of: ["a"]) { $0.fallbacks = [SchedulerTrial.url("c")] }
        try trial.run()
        #expect(trial.successes == 40 && trial.seconds < 10)
    }

    /// What a slow host holds is asked of whoever has nothing to do.
    @Test func fallbacksAreAskedForWhatIsSlow() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", Self.good.rate(200))
        trial.add(host: "c", Self.good)
        trial.want([Self.one], of: ["a"]) { $0.fallbacks = [SchedulerTrial.url("c")] }
        try trial.run()
        #expect(trial.successes == 1 && trial.requests(of: "c").count == 1)
    }

    /// Whoever wants nobody else to know what is asked asks one host at a time.
    @Test func unhedgedJobsAskOneHostAlone() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", .hanging)
        trial.add(host: "b", Self.good)
        trial.want([Self.one], of: ["a", "b"]) { $0.isHedged = false }
        try trial.run()
        #expect(trial.successes == 1 && trial.requests == 2)
        #expect(try #require(trial.requests(of: "b").first).time >= .seconds(30))
        let alone = SchedulerTrial()
        alone.add(host: "a", .hanging)
        alone.add(host: "b", Self.good)
        alone.want([Self.one], of: ["a"]) { $0.isHedged = false }
        try alone.run()
        #expect(alone.successes == 0 && alone.requests(of: "b").isEmpty && alone.requests == 3)
    }

    @Test func deadlineNamesWhoWasAsked() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", .hanging)
        trial.add(host: "b", .hanging)
        trial.want([Self.one], of: ["a"]) { $0.deadline = trial.scheduler.deadline(after: .seconds(10)) }
        trial.want(Self.files.filter { $0.key == "2" }, of: ["b"]) {
            $0.deadline = trial.scheduler.deadline(after: .seconds(20))
        }
        try trial.run()
        #expect((20..<21).contains(trial.seconds))
        #expect(trial.faults("1").map(\.host) == ["a"] && trial.faults("1").map(\.kind) == [.givenUp])
        #expect(trial.faults("2").map(\.host) == ["b"] && trial.faults("2").map(\.kind) == [.givenUp])
    }

    @Test func jobsAreGivenUpByNumber() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", Self.good)
        trial.add(host: "b", .hanging)
        let number = trial.want([Self.one], of: ["b"])
        trial.want(Self.files.filter { $0.key == "2" }, of: ["a"])
        var ticks = 0
        try trial.scheduler.run {
            ticks += 1
            // A second time it is nothing.
            if trial.outcomes["2"] != nil { try? trial.scheduler.giveUp([number, 99]) }
        }
        #expect(trial.successes == 1 && trial.faults("1").map(\.kind) == [.givenUp] && ticks > 1)
        #expect(trial.seconds < 2)
    }

    @Test func checksDecide() throws {
        let trial = SchedulerTrial()
        let bent = Self.good.bent { $1.body = $1.body.map { $0 ^ 1 } }
        for host in ["a", "b"] { trial.add(host: host, bent) }
        trial.add(host: "c", Self.good)
        trial.want(Self.files, of: ["a", "b", "c"])
        trial.want([("wrong", [1])], of: ["a", "b"])
        try trial.run()
        #expect(trial.successes == 40)
        #expect(trial.outcomes.values.allSatisfy { $0.answer?.source ?? "" != SchedulerTrial.url("a") })
        // After three wrong files each of the two is asked last.
        #expect(trial.requests(of: "a").count < 15 && trial.requests(of: "b").count < 15)
        let all = SchedulerTrial()
        for host in ["a", "b"] { all.add(host: host, bent) }
        all.want([Self.one], of: ["a", "b"])
        try all.run()
        #expect(all.faults("1").map(\.host).sorted() == ["a", "b"])
        #expect(all.outcomes["1"]?.faults.allSatisfy { $0.error is SchedulerTrial.Wrong } == true)
    }

    @Test func filesOfAJobComeFromOneHost() throws {
        let scratch = try Scratch()
        for folder in [nil, scratch.folder] {
            let trial = SchedulerTrial()
            trial.add(host: "a", Self.good.missing(["2"]))
            trial.add(host: "b", Self.good.replacing("1", by: [1]))
            trial.add(host: "c", Self.good)
            let pair = ["1", "2"].map { ($0, Self.files[$0] ?? []) }
            trial.want(pair, of: ["a", "b", "c"]) { $0.folder = folder }
            try trial.run()
            let outcome = try #require(trial.outcomes["1"])
            #expect(outcome.answer?.source == SchedulerTrial.url("c"))
            #expect(outcome.faults.map(\.file.path) == ["2", "1"])
            #expect(outcome.answer?.value as? [[UInt8]] == pair.map(\.1))
        }
        // What the others had of it is gone.
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder).count == 2)
    }

    @Test func cancelledRunsKeepParts() throws {
        let scratch = try Scratch()
        let file = CurlTransportTests.bytes(100_000, seed: 1)
        let trial = SchedulerTrial(bandwidth: 10_000, until: .seconds(5))
        trial.add(host: "a", ScriptedSite(files: ["1": file]))
        trial.want([("1", file)], of: ["a"]) { $0.folder = scratch.folder }
        #expect(throws: CancellationError.self) { try trial.run() }
        #expect(trial.outcomes.isEmpty)
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.folder)
        let part = try scratch.read(try #require(names.first))
        #expect(names.count == 1 && part.count > 40_000 && part == Array(file[..<part.count]))
    }

    @Test func doneMayAddJobsAndThrow() throws {
        struct Enough: Error {}
        let trial = SchedulerTrial()
        trial.add(host: "a", Self.good)
        var count = 0
        func add() {
            var job = TransferJob([.init("\(count)", limit: 3000)], at: [SchedulerTrial.url("a")]) {
                $0.count
            } done: {
                #expect($0.answer != nil)
                count += 1
                if count == 40 { throw Enough() }
                add()
            }
            job.retries = 0
            trial.scheduler.add(job)
        }
        add()
        #expect(throws: Enough.self) { try trial.run() }
        #expect(count == 40)
        // And it can be used again.
        trial.want([Self.one], of: ["a"])
        try trial.run()
        #expect(trial.successes == 1)
    }

    @Test func thisMachinesFaultEndsTheRun() throws {
        let trial = SchedulerTrial()
        trial.add(host: "a", Self.good)
        trial.want(Self.files, of: ["a"]) { $0.folder = "/nonexistent" }
        do {
            try trial.run()
            throw TestError("a folder that is not there went unnoticed")
        } catch let failure as Failure {
            #expect(failure.isLocal)
        }
        #expect(trial.outcomes.isEmpty)
    }

    @Test func rangesOfOneFile() throws {
        let scratch = try Scratch()
        for folder in [nil, scratch.folder] {
            let trial = SchedulerTrial()
            trial.add(host: "a", Self.good.withoutRanges)
            trial.add(host: "b", Self.good)
            let bytes = Self.one.1
            var came = 0
            for start in stride(from: 0, to: 3000, by: 300) {
                var job = TransferJob(
                    [.init("1", limit: 300, range: start..<start + 300)],
                    at: ["a", "b"].map(SchedulerTrial.url)
                ) { pieces in
                    let piece = pieces[0].path.map {
                        [UInt8](FileManager.default.contents(atPath: $0) ?? Data())
                    }
                    guard piece ?? pieces[0].bytes == Array(bytes[start..<start + 300]) else {
                        throw SchedulerTrial.Wrong()
                    }
                    return true
                } done: {
                    if $0.answer != nil { came += 1 }
                }
                job.folder = folder
                trial.scheduler.add(job)
            }
            try trial.run()
            #expect(came == 10)
        }
    }

    /// Over sockets, with checks on other threads.
    @Test func overSockets() throws {
        let scratch = try Scratch()
        let good = try ScriptedServer(Self.good)
        let limited = try ScriptedServer(Self.good.limited(rate: 20, burst: 5))
        let hanging = try ScriptedServer(.hanging)
        defer { for server in [good, limited, hanging] { server.stop() } }
        let scheduler = TransferScheduler(SchemeTransport())
        var came = 0
        for (path, bytes) in Self.files {
            var job = TransferJob(
                [.init(path, limit: 3000)], at: [hanging.base, limited.base, good.base]
            ) { pieces in
                guard let path = pieces[0].path, try [UInt8](Data(contentsOf: URL(filePath: path))) == bytes
                else {
                    throw SchedulerTrial.Wrong()
                }
                return true
            } done: {
                if $0.answer != nil { came += 1 }
            }
            job.folder = scratch.folder
            scheduler.add(job)
        }
        let start = ContinuousClock.now
        try scheduler.run()
        #expect(came == 40)
        #expect(ContinuousClock.now - start < .seconds(15))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder).count == 40)
    }
}
