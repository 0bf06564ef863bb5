import Concord
import TestSupport
import Testing

@testable import ConcordClient

/// Hosts that answer so many requests a second and no more: all comes all the same, and without asking in
/// vain for long.
@Suite struct RateLimitTests {
    struct Limit: Sendable, CustomTestStringConvertible {
        let status: Int
        var retryAfter: Int?
        /// Whether all hosts are behind one counter.
        var isShared = false
        var testDescription: String {
            "\(status)\(retryAfter.map { ", after \($0)" } ?? "")\(isShared ? ", one for all" : "")"
        }

        static let all = [429, 503].flatMap { status in
            [nil, 1, 5].flatMap { after in
                [false, true].map { Limit(status: status, retryAfter: after, isShared: $0) }
            }
        }

        func put(on scenario: ClientScenario) {
            let shared = TokenBucket(rate: 10, burst: 20)
            scenario.bendAll { site in
                let bucket = isShared ? shared : TokenBucket(rate: 10, burst: 20)
                return site.limited(by: bucket, status: status, retryAfter: retryAfter)
            }
        }
    }

    /// Some hundred blocks, in epochs of a hundred.
    static let trees = Result {
        let parameters = TreeParameters(shards: 8, epoch: 100)
        let alice = try MadeTree(MadeChain(tip: 299), name: "alice", parameters: parameters)
        return [alice, try alice.signed(as: "bob"), try alice.signed(as: "carol")]
    }

    @Test(arguments: Limit.all) func fetch(limit: Limit) throws {
        let trees = try Self.trees.get()
        let plain = try ClientScenario(trees).fetch()
        let scenario = try ClientScenario(trees)
        limit.put(on: scenario)
        let run = scenario.fetch()
        #expect(run.end == .done(299), "\(run.end)")
        #expect(try scenario.installed(trees[0].chain) == 299)
        #expect(run.requests.count <= plain.requests.count * 3 / 2)
        // No host is idle for long, whatever it says of when to come again.
        let hosts: Double = limit.isShared ? 1 : 3
        let least = Duration.seconds(Double(plain.requests.count) / 10 / hosts)
        #expect(run.time < least * (limit.retryAfter == 5 ? 3 : 1.2), "\(run.time)")
    }

    @Test(arguments: Limit.all.filter { !$0.isShared }) func mirror(limit: Limit) throws {
        let trees = try Self.trees.get()
        let url = ClientScenario.url("alice")
        let plain = try ClientScenario(trees).mirror(url)
        let scenario = try ClientScenario(trees)
        limit.put(on: scenario)
        let run = scenario.mirror(url)
        #expect(run.end == .done(299), "\(run.end)")
        #expect(run.requests.count <= plain.requests.count * 3 / 2)
        let least = Duration.seconds(Double(plain.requests.count) / 10)
        #expect(run.time < least * (limit.retryAfter == 5 ? 2 : 1.2), "\(run.time)")
    }
}
