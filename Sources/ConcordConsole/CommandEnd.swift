import ArgumentParser
import Concord
import ConcordFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs a program and ends it with the status that its outcome has (README, «Exit status»).
public enum CommandEnd {
    public static func run(_ command: any ParsableCommand.Type) -> Never {
        Umask.publish()
        Output.prepare()
        FileNotes.tell { ProgressLine().say("note: \($0)") }
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            try Subcommands.check(arguments, of: command)
            var parsed = try command.parseAsRoot(arguments)
            try parsed.run()
            try Output.finish()
            exit(ExitStatus.done.rawValue)
        } catch {
            end(error, command, isJSON: arguments.prefix { $0 != "--" }.contains("--json"))
        }
    }

    private static func end(_ error: any Error, _ command: any ParsableCommand.Type, isJSON: Bool) -> Never {
        switch error {
        case OutputError.closedPipe: Output.endOfPipe()
        // What could not be printed needs no object that says so.
        case let error as OutputError: finish(CommandFailure(.localFailure, error.description))
        case let failure as CommandFailure:
            if isJSON, !failure.isPrinted { try? printJSON(FailureJSON(failure), onOneLine: true) }
            finish(failure)
        // All of it has been said.
        case let code as ExitCode: exit(code.rawValue)
        case _ where CommandFailure(ofClient: error) != nil:
            if let failure = CommandFailure(ofClient: error) { end(failure, command, isJSON: isJSON) }
            fallthrough
        default: endOfParser(error, command, isJSON: isJSON)
        }
    }

    /// The parser's own ends: --help and --version are success, the rest is wrong usage.
    private static func endOfParser(
        _ error: any Error, _ command: any ParsableCommand.Type, isJSON: Bool
    ) -> Never {
        switch command.exitCode(for: error) {
        case .success:
            do {
                try Output.say(command.fullMessage(for: error))
                try Output.finish()
                exit(ExitStatus.done.rawValue)
            } catch {
                end(error, command, isJSON: false)
            }
        case .validationFailure:
            let failure = CommandFailure(.usage, command.message(for: error))
            if isJSON { try? printJSON(FailureJSON(failure), onOneLine: true) }
            ProgressLine().say(command.fullMessage(for: error))
            exit(failure.status.rawValue)
        default: end(CommandFailure(.localFailure, "\(error)"), command, isJSON: isJSON)
        }
    }

    private static func finish(_ failure: CommandFailure) -> Never {
        ProgressLine().say("error: \(failure.description)")
        exit(failure.status.rawValue)
    }
}
