import Foundation
import TestSupport
import Testing

@testable import ConcordTransfers

/// What came of a file before it broke off does not come again.
@Suite struct SchedulerPartTests {
    private static let size = 12_000_000
    private static let file = SchedulerTrial.files(1, of: size)["0"] ?? []
    private static let good = ScriptedSite(files: ["0": file])

    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A trial that wants the file from all of these, on the disk.
    private func trial(
        _ sites: [String: ScriptedSite], bandwidth: Int = 300_000, until end: Duration? = nil
    ) -> SchedulerTrial {
        let trial = SchedulerTrial(bandwidth: bandwidth, until: end)
        for (host, site) in sites { trial.add(host: host, site) }
        trial.want(["0": Self.file], of: sites.keys.sorted()) { $0.folder = scratch.folder }
        return trial
    }

    private func sites(_ count: Int, _ site: ScriptedSite) -> [String: ScriptedSite] {
        Dictionary(uniqueKeysWithValues: ["a", "b", "c"].prefix(count).map { ($0, site) })
    }

    /// A run that is ended in the middle, with what the next one finds.
    private func half(_ sites: [String: ScriptedSite]) throws -> Int {
        let trial = trial(sites, until: .seconds(20))
        #expect(throws: CancellationError.self) { try trial.run() }
        #expect(trial.transport.bytes > 5_000_000)
        return trial.transport.bytes
    }

    /// Where a file's part is.
    private func part(_ host: String) -> URL {
        URL(filePath: PartFile.path(of: SchedulerTrial.url(host) + "/0", in: scratch.folder))
    }

    private func expectOneFile() throws {
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder).count == 1)
    }

    @Test(arguments: [1, 3], [1_000_000, 50_000]) func cutFilesAreGoneOnWith(hosts: Int, after: Int) throws {
        let trial = trial(sites(hosts, Self.good.breaking(after: after)))
        try trial.run()
        #expect(trial.successes == 1 && trial.seconds < 60, "\(trial.seconds)")
        #expect(trial.transport.bytes < Self.size * 11 / 10, "\(trial.transport.bytes)")
        try expectOneFile()
    }

    @Test(arguments: [1, 3]) func nextRunGoesOn(hosts: Int) throws {
        let before = try half(sites(hosts, Self.good))
        let next = SchedulerTrial(bandwidth: 300_000)
        // Other jobs come first, so that it would be another host's turn.
        for (host, site) in sites(hosts, Self.good) { next.add(host: host, site) }
        next.want([("missing", [1])], of: ["a"])
        next.want(["0": Self.file], of: sites(hosts, Self.good).keys.sorted()) { $0.folder = scratch.folder }
        try next.run()
        #expect(next.successes == 1 && next.seconds < 25, "\(next.seconds)")
        #expect(before + next.transport.bytes < Self.size * 11 / 10)
        try expectOneFile()
    }

    @Test func stalledFilesAreGoneOnWith() throws {
        let trial = trial(["a": Self.good.bent { if $0.count <= 3 { $1.stallsAfter = 3_000_000 } }])
        try trial.run()
        #expect(trial.successes == 1 && trial.transport.bytes < Self.size * 11 / 10)
        #expect(trial.faults("0").count == 3)
    }

    @Test func changedFilesAreBegunAnew() throws {
        _ = try half(["a": ScriptedSite(files: ["0": Self.file.map { $0 ^ 1 }])])
        let next = trial(["a": Self.good])
        try next.run()
        #expect(next.successes == 1 && next.outcomes["0"]?.faults.isEmpty == true)
        #expect(next.transport.requests.map { $0.range?.first ?? 0 > 0 } == [true, false])
        try expectOneFile()
    }

    @Test func hostsWithoutRangesSendAllOfIt() throws {
        _ = try half(["a": Self.good])
        let next = trial(["a": Self.good.withoutRanges])
        try next.run()
        #expect(next.successes == 1 && next.requests == 1 && next.transport.bytes == Self.size)
        try expectOneFile()
    }

    /// Of a file that has become shorter there is nothing behind the part.
    @Test(arguments: [0, 1]) func partsThatReachTheEnd(more: Int) throws {
        try Data(Self.file + [UInt8](repeating: 1, count: more)).write(to: part("a"))
        let next = trial(["a": Self.good])
        try next.run()
        #expect(next.successes == 1 && next.outcomes["0"]?.faults.isEmpty == true)
        // What is whole is only checked.
        #expect(next.requests == 1 + more && next.transport.bytes == more * Self.size)
        try expectOneFile()
    }

    @Test func brokenRangesAreNotTriedForEver() throws {
        _ = try half(["a": Self.good])
        let next = trial(["a": Self.good.bent { if $0.range != nil { $1 = ScriptedAnswer(416) } }])
        try next.run()
        #expect(next.successes == 1 && next.requests == 2)
        try expectOneFile()
    }

    /// One that always breaks off and cannot go on would have the file for ever.
    @Test(arguments: ["no ranges", "wrong ranges"]) func whoNeverGetsOnIsLeft(how: String) throws {
        let whole = Self.good.withoutRanges.breaking(after: 100_000)
        let bad = how == "no ranges" ? whole : whole.bent { if $0.range != nil { $1 = ScriptedAnswer(416) } }
        let alone = trial(["a": bad])
        try alone.run()
        #expect(alone.successes == 0 && alone.requests < 12, "\(alone.requests)")
        let both = trial(["a": bad, "b": Self.good])
        try both.run()
        #expect(both.successes == 1 && both.requests < 12)
    }

    @Test(arguments: ["busy", "broken", "refusing", "hangs up"]) func partsOutlastTheirHostsFaults(
        how: String
    ) throws {
        let before = try half(["a": Self.good])
        let bad =
            switch how {
            case "busy": ScriptedAnswer(503)
            case "broken": ScriptedAnswer(500)
            case "refusing": ScriptedAnswer(.refuses)
            default: ScriptedAnswer(.hangsUp)
            }
        let site = ScriptedSite { $0.count <= 2 ? bad : Self.good.answer($0) }
        // Whoever is not there is not asked again in the same run.
        var bytes = before
        for _ in 0..<3 {
            let next = trial(["a": site])
            try next.run()
            bytes += next.transport.bytes
            if next.successes == 1 { break }
        }
        if how == "refusing" {
            let last = trial(["a": Self.good])
            try last.run()
            bytes += last.transport.bytes
            #expect(last.successes == 1)
        }
        #expect(bytes < Self.size * 11 / 10, "\(bytes)")
    }

    @Test func whoLosesLeavesNothing() throws {
        let trial = trial(["a": Self.good.rate(5000), "b": Self.good])
        try trial.run()
        #expect(trial.successes == 1 && trial.outcomes["0"]?.answer?.source == SchedulerTrial.url("b"))
        #expect(trial.requests == 2)
        try expectOneFile()
    }

    @Test func deadlinesKeepParts() throws {
        let trial = SchedulerTrial(bandwidth: 300_000)
        trial.add(host: "a", Self.good)
        trial.want(["0": Self.file], of: ["a"]) {
            $0.folder = scratch.folder
            $0.deadline = trial.scheduler.deadline(after: .seconds(20))
        }
        try trial.run()
        #expect(trial.faults("0").map(\.kind) == [.givenUp])
        let next = self.trial(["a": Self.good])
        try next.run()
        #expect(next.successes == 1 && trial.transport.bytes + next.transport.bytes < Self.size * 11 / 10)
    }
}
