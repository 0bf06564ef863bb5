import Concord
import ConcordClient
import ConcordFiles
import Synchronization

/// A client's home as it is served, of one network: read, never written, and opened anew whenever a `fetch` has changed it.
///
/// Each answer is given from one state. What was seen against the set is looked at before each, as `concord utxos` does.
public final class ServedHome: Sendable {
    public let network: Network
    private let path: String
    private let despiteContradiction: Bool
    private let last = Mutex<(mark: HomeMark, state: ServedState)?>(nil)

    /// Opens what is installed.
    ///
    /// - Parameters:
    ///   - network: the only one of which a set is installed if nil.
    ///   - despiteContradiction: whether to answer though a contradiction is known.
    /// - Throws: `ClientError`, `SetDamage`, `FileError`, `ServeError.contradicted`.
    public init(_ path: String, network: Network? = nil, despiteContradiction: Bool = false) throws {
        self.path = path
        self.network = try Home(reading: path).installed(network).statement.network
        self.despiteContradiction = despiteContradiction
        _ = try current()
    }

    /// Answers from the newest state. Where files of it went while they were read, for a fetch has put another state in its
    /// place, once more from that.
    func read<Result>(_ body: (ServedState) throws -> Result) throws -> Result {
        let state = try current()
        do {
            return try body(state)
        } catch let error where error is SetDamage || error is FileError {
            let next = try current()
            guard next !== state else { throw error }
            return try body(next)
        }
    }

    /// The contradiction that is passed over; nil where none is known.
    func contradiction() throws -> Home.Contradiction? {
        try Home(reading: path).contradiction(on: network)
    }

    /// How often to begin anew with a home that changes while it is opened.
    private static let maxTries = 3

    private func current() throws -> ServedState {
        if !despiteContradiction, let contradiction = try contradiction() {
            throw ServeError.contradicted(contradiction)
        }
        return try last.withLock { last in
            let home = try Home(reading: path)
            var tries = 0
            while true {
                let mark = try home.mark(network)
                if let last, last.mark == mark { return last.state }
                do {
                    let state = try ServedState(home, network)
                    last = (mark, state)
                    return state
                } catch {
                    tries += 1
                    guard tries < Self.maxTries, try home.mark(network) != mark else { throw error }
                }
            }
        }
    }
}

/// What is served, for people.
extension ServedHome {
    /// The installed block, and who agreed on it.
    public func installed() throws -> (block: BlockID, authorities: [String]) {
        try read { ($0.tip, $0.installed.authorities) }
    }
}
