import Testing

@testable import ConcordTransfers

@Suite struct HostPaceTests {
    /// Lets a pace have as many answers as it asks for, each a round trip after it was asked for.
    private func answer(
        _ pace: inout HostPace, from start: Duration, rounds: Int, trip: Duration = .milliseconds(100),
        bytes: Int = 2000, isMultiplexed: Bool = false
    ) -> Duration {
        var now = start
        for _ in 0..<rounds {
            let count = pace.window
            for other in 0..<count { pace.started(at: now, beside: other) }
            now += trip
            for _ in 0..<count { pace.answered(at: now, bytes: bytes, isMultiplexed: isMultiplexed) }
        }
        return now
    }

    @Test func asksForMoreWhereThatHelps() {
        var pace = HostPace()
        let first = pace.window
        #expect(first > 1 && first < 8)
        _ = answer(&pace, from: .zero, rounds: 20)
        #expect(pace.window == 8)
        var many = HostPace()
        _ = answer(&many, from: .zero, rounds: 20, isMultiplexed: true)
        #expect(many.window == 32)
    }

    /// A line that is full gives no more to more requests.
    @Test func asksForNoMoreWhereThatDoesNotHelp() {
        var pace = HostPace()
        let first = pace.window
        var now = Duration.zero
        var windows: [Int] = []
        for _ in 0..<40 {
            // A second for so many bytes, however they are shared.
            let count = pace.window
            for other in 0..<count { pace.started(at: now, beside: other) }
            now += .seconds(1)
            for _ in 0..<count { pace.answered(at: now, bytes: 1_000_000 / count, isMultiplexed: false) }
            windows.append(pace.window)
        }
        #expect(windows.max() ?? 0 <= 2 * first)
        // It tries now and then, and most of the time it does not.
        #expect(windows.count { $0 == first } >= 25, "\(windows)")
    }

    @Test func room() {
        var pace = HostPace()
        let window = pace.window
        #expect(pace.canStart(at: .zero, beside: window - 1) && !pace.canStart(at: .zero, beside: window))
        pace.busy(at: .seconds(1), started: .zero, pause: .seconds(7))
        #expect(!pace.canStart(at: .milliseconds(7999), beside: 0))
        #expect(pace.canStart(at: .seconds(8), beside: 0) && pace.opensAt == .seconds(8))
        #expect(pace.window == window / 2)
    }

    @Test func halvesOnceForWhatWasUnderWay() {
        var pace = HostPace()
        let now = answer(&pace, from: .zero, rounds: 20)
        for _ in 0..<8 { pace.broken(at: now + .seconds(1), started: now) }
        #expect(pace.window == 4)
        pace.broken(at: now + .seconds(3), started: now + .seconds(2))
        #expect(pace.window == 2)
        for second in 4..<10 {
            pace.broken(at: now + .seconds(second + 1), started: now + .seconds(second))
        }
        #expect(pace.window == 1 && pace.canStart(at: now + .seconds(20), beside: 0))
        // And it comes back.
        _ = answer(&pace, from: now + .seconds(20), rounds: 100)
        #expect(pace.window == 8)
    }

    @Test func pausesGrow() {
        var pace = HostPace()
        var now = Duration.zero
        var pauses: [Duration] = []
        for _ in 0..<9 {
            pace.busy(at: now, started: now, pause: nil)
            // Those that were refused with it say nothing new.
            pace.busy(at: now + .milliseconds(1), started: now - .milliseconds(1), pause: nil)
            pauses.append(pace.opensAt - now)
            now = pace.opensAt
        }
        let expected = [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
        #expect(pauses.map { $0 / .seconds(1) } == expected)
    }

    @Test func patienceEnds() {
        var pace = HostPace()
        pace.busy(at: .seconds(10), started: .zero, pause: .seconds(119))
        #expect(!pace.isBeyondPatience(at: .seconds(10)) && !pace.isBeyondPatience(at: .seconds(129)))
        #expect(pace.isBeyondPatience(at: .seconds(130)))
        // An answer ends all that.
        pace.answered(at: .seconds(131), bytes: 1, isMultiplexed: false)
        #expect(!pace.isBeyondPatience(at: .seconds(1000)))
        pace.busy(at: .seconds(1000), started: .seconds(999), pause: .seconds(120))
        #expect(pace.isBeyondPatience(at: .seconds(1000)))
        var short = HostPace(.init(patience: .seconds(5)))
        short.busy(at: .zero, started: .zero, pause: .seconds(5))
        #expect(short.isBeyondPatience(at: .zero))
    }

    /// As many a second as a host has answered, a little slower at first, and a little faster with time.
    @Test func learnsTheRate() {
        var pace = HostPace()
        pace.busy(at: .zero, started: .zero, pause: .seconds(1))
        for number in 1...10 {
            pace.started(at: .milliseconds(1000 + number), beside: 0)
            pace.answered(at: .milliseconds(1000 + number), bytes: 1, isMultiplexed: false)
        }
        #expect(pace.interval == .zero)
        pace.busy(at: .seconds(2), started: .milliseconds(1020), pause: nil)
        // Ten in two seconds.
        #expect(abs(pace.interval / .milliseconds(1) - 220) < 0.001)
        let from = pace.opensAt
        pace.started(at: from, beside: 0)
        #expect(!pace.canStart(at: from + .milliseconds(219), beside: 0))
        #expect(pace.canStart(at: from + .milliseconds(221), beside: 0))
        for _ in 0..<20 { pace.answered(at: .seconds(7), bytes: 1, isMultiplexed: false) }
        #expect(abs(pace.interval / .milliseconds(1) - 209) < 0.001)
    }
}
