import Concord

/// An end that is not success: what to tell, and the status to exit with.
public struct CommandFailure: Error, CustomStringConvertible {
    public let status: ExitStatus
    public let description: String
    /// Whether the object that --json printed says it already.
    public var isPrinted = false

    public init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }

    /// The same, said in an object of --json already.
    public var printed: CommandFailure {
        var failure = self
        failure.isPrinted = true
        return failure
    }
}

/// What --json prints where a command fails: alone, or beside what there is to say all the same (JSON.md).
public struct FailureJSON: Encodable, Sendable {
    public struct Description: Encodable, Sendable {
        public let status: Int32
        public let kind, message: String

        public init(_ failure: CommandFailure) {
            status = failure.status.rawValue
            kind = failure.status.kind
            message = failure.description
        }
    }

    public let error: Description

    public init(_ failure: CommandFailure) {
        error = Description(failure)
    }
}
