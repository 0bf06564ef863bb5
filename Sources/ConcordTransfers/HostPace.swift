/// How much a host is asked at a time, and how fast: more while that helps, less when it says so or breaks down.
///
/// Pure: times are given from outside, in the transport's clock.
struct HostPace {
    struct Settings {
        /// Requests under way at most, one a connection.
        var maxConnections = 8
        /// Requests under way at most where connections carry several (HTTP/2).
        var maxStreams = 32
        /// The longest time without an answer that helps, while it asks for fewer requests, before it is given up.
        var patience: Duration = .seconds(120)
    }

    private let settings: Settings
    /// Requests under way at most.
    private(set) var window = 4
    private var isMultiplexed = false
    /// None is started before this.
    private(set) var pausedUntil: Duration = .zero
    /// The time between two starts; zero for no limit.
    private(set) var interval: Duration = .zero
    private var nextStart: Duration = .zero

    /// Since when it has asked for fewer requests and answered none; nil while it answers.
    private(set) var busySince: Duration?
    /// When it was asked for less the last time, and the answers since.
    private var lastDecrease: Duration?
    private var answersSince = 0
    /// How often in a row it was asked for less without many answers between.
    private var decreases = 0

    // What was received with the present window, and what with the smaller one before.
    private var measuredFrom: Duration?
    private var lastAnswer: Duration = .zero
    private var measuredAnswers = 0
    private var measuredBytes = 0
    private var before: (window: Int, rate: Double)?
    private var holdsUntil: Duration = .zero

    /// An answer counts as so many bytes: small files are about round trips.
    private static let answerBytes = 2000
    private static let hold: Duration = .seconds(15)

    init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    private var maxWindow: Int { isMultiplexed ? settings.maxStreams : settings.maxConnections }

    /// Whether one more can be started beside so many under way.
    func canStart(at now: Duration, beside underWay: Int) -> Bool {
        underWay < window && now >= pausedUntil && now >= nextStart
    }

    /// When one more can be started as far as time is in the way.
    var opensAt: Duration { max(pausedUntil, nextStart) }

    /// - Parameter underWay: how many are, without this one.
    mutating func started(at now: Duration, beside underWay: Int) {
        let opened = opensAt
        nextStart = max(now, nextStart) + interval
        // Time in which nothing was wanted of it says nothing.
        let idle = underWay == 0 ? now - max(lastAnswer, opened) : .zero
        if measuredFrom == nil || idle >= .seconds(1) {
            (measuredFrom, measuredAnswers, measuredBytes) = (now, 0, 0)
        }
        if idle >= .seconds(10) { (busySince, lastDecrease, answersSince) = (nil, nil, 0) }
    }

    /// An answer that helped, whether the file was there or not.
    mutating func answered(at now: Duration, bytes: Int, isMultiplexed: Bool) {
        self.isMultiplexed = isMultiplexed
        busySince = nil
        lastAnswer = now
        answersSince += 1
        measuredAnswers += 1
        measuredBytes += bytes
        if answersSince >= 20 {
            decreases = 0
            // A little faster, and then some more, to see whether it still wants so few.
            if answersSince % 20 == 0 { interval = interval * (answersSince == 20 ? 0.95 : 0.9) }
        }
        grow(at: now)
    }

    /// Bytes of transfers that go on.
    mutating func received(_ bytes: Int) { measuredBytes += bytes }

    /// Asks for more at a time as long as more comes that way.
    private mutating func grow(at now: Duration) {
        guard let from = measuredFrom, now >= holdsUntil else { return }
        let took = now - from
        guard measuredAnswers >= 2 * window || took >= .seconds(5) else { return }
        let rate =
            Double(measuredBytes + measuredAnswers * Self.answerBytes)
            / max(took / .milliseconds(1), 0.001)
        defer { (measuredFrom, measuredAnswers, measuredBytes) = (now, 0, 0) }
        if let last = before, rate < last.rate * 1.1 {
            window = max(1, last.window)
            before = nil
            holdsUntil = now + Self.hold
        } else if window < maxWindow {
            before = (window, rate)
            window = min(maxWindow, window * 2)
        }
    }

    /// It asked for fewer requests.
    ///
    /// - Parameters:
    ///   - started: when the request was.
    ///   - pause: what it says of when to come again.
    mutating func busy(at now: Duration, started: Duration, pause: Duration?) {
        if busySince == nil { busySince = now }
        if let pause { pausedUntil = max(pausedUntil, now + pause) }
        // Those that were under way with the first that it refused say nothing new.
        guard lastDecrease.map({ started >= $0 }) ?? true else { return }
        if let last = lastDecrease, answersSince > 0 {
            // So many it has answered since: it may have saved some up before, so a little slower than that. If it took a
            // pace for long, that was nearly right, whatever the mean of a longer time.
            let mean = max(interval, (now - last) / answersSince * 1.1)
            interval = interval > .zero && answersSince >= 20 ? min(mean, interval * 1.5) : mean
        } else if interval > .zero {
            interval = interval * 1.5
        }
        interval = min(interval, .seconds(30))
        let wait: Duration = min(.milliseconds(500) * (1 << min(decreases, 6)), .seconds(30))
        if pause == nil { pausedUntil = max(pausedUntil, now + wait) }
        decreases += 1
        decrease(at: now)
    }

    /// It is left alone for a while.
    mutating func pause(until time: Duration) { pausedUntil = max(pausedUntil, time) }

    /// A request timed out or broke off.
    mutating func broken(at now: Duration, started: Duration) {
        guard lastDecrease.map({ started >= $0 }) ?? true else { return }
        decrease(at: now)
    }

    private mutating func decrease(at now: Duration) {
        window = max(1, window / 2)
        (lastDecrease, answersSince, before) = (now, 0, nil)
        (measuredFrom, measuredAnswers, measuredBytes) = (nil, 0, 0)
        holdsUntil = now + .seconds(2)
    }

    /// Whether it has asked for fewer requests for longer than anybody waits, or wants to be left alone for so long.
    func isBeyondPatience(at now: Duration) -> Bool {
        busySince.map { max(now, pausedUntil) - $0 >= settings.patience } ?? false
    }
}
