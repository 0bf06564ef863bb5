import Synchronization

/// So many requests a second and no more, as nginx counts them with `limit_req … burst=… nodelay`: a request
/// that is refused costs nothing. Several sites may share one.
public final class TokenBucket: Sendable {
    private let rate: Double
    private let burst: Double
    /// Requests that were ahead of the rate, and when that was.
    private let state = Mutex((excess: 0.0, time: Duration.zero))

    /// - Parameters:
    ///   - rate: requests a second.
    ///   - burst: how many may come at once beside that one.
    public init(rate: Double, burst: Int) {
        (self.rate, self.burst) = (rate, Double(burst))
    }

    /// Whether a request may pass.
    public func takes(at time: Duration) -> Bool {
        state.withLock {
            let passed = max(0, (time - $0.time) / .seconds(1))
            let excess = max(0, $0.excess - passed * rate) + 1
            guard excess <= burst + 1 else { return false }
            $0 = (excess, max(time, $0.time))
            return true
        }
    }
}
