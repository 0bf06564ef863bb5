/// How the programs end (README, «Exit status»).
public enum ExitStatus: Int32, Sendable {
    case done = 0
    /// Something on this machine: a file, a disk, a damaged chain.
    case localFailure = 1
    /// Authorities contradict each other, or one contradicts itself or one's own chain data.
    case dissent = 2
    /// Also where nothing could be compared.
    case noAgreement = 3
    /// No host had bytes that verify.
    case noValidBytes = 4
    case usage = 64

    /// As --json names it (JSON.md).
    public var kind: String {
        switch self {
        case .done: "done"
        case .localFailure: "localFailure"
        case .dissent: "contradiction"
        case .noAgreement: "noAgreement"
        case .noValidBytes: "noValidBytes"
        case .usage: "usage"
        }
    }
}
