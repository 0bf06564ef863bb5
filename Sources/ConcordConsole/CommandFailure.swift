import Concord

/// An end that is not success: what to tell, and the status to exit with.
public struct CommandFailure: Error, CustomStringConvertible {
    public let status: ExitStatus
    public let description: String

    public init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}
