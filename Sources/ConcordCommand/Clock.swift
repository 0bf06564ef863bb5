import Concord
import ConcordConsole
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
}
