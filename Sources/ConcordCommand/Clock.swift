import Concord
import ConcordConsole
import ConcordClient
import Foundation

/// The time by which the client judges ages and expiry: the machine's, or for tests and rehearsals what CONCORD_NOW says,
/// a time like 2026-11-22T11:00:00Z.
enum Clock {
    /// Seconds since 1970.
    static func now() throws -> Int64 {
        guard let text = ProcessInfo.processInfo.environment["CONCORD_NOW"], !text.isEmpty else {
            return Int64(Date().timeIntervalSince1970)
        }
        guard let seconds = Timestamp.seconds(text) else {
            throw CommandFailure(
                .usage, "CONCORD_NOW is «\(text.printable)», and not a time like 2026-11-22T11:00:00Z")
        }
        return seconds
    }

    /// What to say of this machine's clock before anything is said of authorities; nil unless all that could be heard, and
    /// those are more than half, are ahead of it, or headers are.
    ///
    /// - Parameters:
    ///   - header: the time of a header that is too far ahead, in seconds since 1970; nil where others can be followed.
    ///   - now: what the clock says.
    static func warning(_ heard: [AuthorityObservation], header: Int64? = nil, now: Int64) -> String? {
        let times = heard.compactMap { $0.ahead ?? $0.newest()?.attestation.time }
        let isMost = times.count > heard.count / 2
        let words = "this machine's clock says \(Timestamp.text(now))"
        let next = "set the clock first, and then ask again"
        if isMost, let first = times.min(), let last = times.max(), first > now + minAhead {
            return
                "\(words), and the newest attestations of all that could be heard are of later times, up to "
                + "\(Timestamp.text(last)): \(next)"
        }
        return header.map {
            "\(words), and the network's headers go on to \(Timestamp.text($0)): \(next)"
        }
    }

    /// What to ask where all that could be heard, and those are more than half of the keys in use, are too old to count.
    static func doubt(_ heard: [AuthorityObservation], now: Int64) -> String? {
        let inUse = heard.filter { $0.view.withdrawn == nil }
        let times = inUse.compactMap { $0.newest()?.attestation.time }
        guard times.count > inUse.count / 2, inUse.count(where: \.view.isStale) == times.count,
            let last = times.max()
        else { return nil }
        return
            "this machine's clock says \(Timestamp.text(now)), and the newest attestation of all that could be heard is "
            + "of \(Timestamp.text(last)): if the clock is ahead, set it, and then ask again"
    }

    /// Seconds. Clocks that nobody minds differ by less.
    private static let minAhead: Int64 = 300
}
