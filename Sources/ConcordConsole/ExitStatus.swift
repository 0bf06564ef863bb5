/// How the programs end (README, «Exit status»).
public enum ExitStatus: Int32, Sendable {
    case done = 0
    /// Something on this machine: a file, a disk, a damaged chain.
    case localFailure = 1
    /// Authorities contradict each other, or one contradicts itself.
    case dissent = 2
    case noAgreement = 3
    /// No host had bytes that verify.
    case noValidBytes = 4
    case usage = 64
}
