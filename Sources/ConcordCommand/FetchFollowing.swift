import Concord
import ConcordClient
import ConcordConsole
import Foundation

/// `concord fetch --follow`: fetches again and again, says what is new, and outlives what passes.
struct FetchFollowing {
    let client: Client
    let every: Duration
    let isJSON: Bool
    let progress: ProgressLine

    /// What is printed of each new block.
    private struct News: Encodable {
        let time: String
        let network: String
        let height: Int
        let block: String
        let bytes: Int
        let wallets: [WalletSums.Sum]
    }

    /// Ends when the program is told to; throws what no further try would mend.
    func run(_ fetch: () throws -> Fetch.Fetched) throws {
        var last: Fetch.Fetched?
        var trouble: String?
        while !StopSignal.isStopping {
            do {
                let fetched = try fetch()
                if fetched.agreed.blockID != last?.agreed.blockID || Fetch.isNew(fetched.result) {
                    try say(fetched, since: last)
                }
                (last, trouble) = (fetched, nil)
            } catch let error as CancellationError {
                if !StopSignal.isStopping { throw error }
            } catch {
                if StopSignal.isStopping { break }
                let failure = error as? CommandFailure ?? CommandFailure(ofClient: error)
                guard let failure, failure.status != .usage else { throw error }
                // The same as the last time is not said again.
                if trouble != failure.description {
                    progress.say("warning: \(failure.description); trying again every \(every)")
                }
                trouble = failure.description
            }
            wait()
        }
        progress.clear()
        try client.close()
    }

    private func say(_ fetched: Fetch.Fetched, since last: Fetch.Fetched?) throws {
        progress.clear()
        let bytes = fetched.result.bytes - (last?.result.bytes ?? 0)
        let time = Timestamp.text(try Clock.now())
        if isJSON {
            return try printJSON(
                News(
                    time: time, network: fetched.agreed.network.rawValue, height: fetched.agreed.height,
                    block: fetched.agreed.block.reversedHex, bytes: bytes, wallets: fetched.sums.sums),
                onOneLine: true)
        }
        let came = Fetch.isNew(fetched.result) ? "fetched \(Fetch.words(fetched.result)), " : ""
        let head =
            "\(time): height \(fetched.agreed.height), block \(fetched.agreed.block.reversedHex): \(came)\(bytes) bytes"
        try Output.say(
            ([head] + fetched.sums.lines(since: last?.sums).map { "  \($0)" }).joined(separator: "\n"))
    }

    private func wait() {
        let end = ContinuousClock.now + every
        while ContinuousClock.now < end, !StopSignal.isStopping { Thread.sleep(forTimeInterval: 0.1) }
    }
}
