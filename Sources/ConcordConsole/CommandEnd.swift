import ArgumentParser
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
        do {
            var parsed = try command.parseAsRoot()
            try parsed.run()
            exit(ExitStatus.done.rawValue)
        } catch let failure as CommandFailure {
            finish(failure.description, failure.status)
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch {
            // The parser's own ends: --help and --version are success, the rest is wrong usage.
            let code = command.exitCode(for: error)
            if code == .success || code == .validationFailure { command.exit(withError: error) }
            finish("\(error)", .localFailure)
        }
    }

    private static func finish(_ text: String, _ status: ExitStatus) -> Never {
        ProgressLine().say("error: \(text)")
        exit(status.rawValue)
    }
}
