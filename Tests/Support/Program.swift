import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A program on this machine, run as a user runs it: arguments in, two streams and a status out.
public struct Program: Sendable {
    public let path: String

    public init(at path: String) {
        self.path = path
    }

    /// A program of this package, from the build that the running tests come from.
    public static func built(_ name: String) throws -> Program {
        var folder = try imagePath()
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            let path = "\(folder)/\(name)"
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
                return Program(at: path)
            }
        }
        throw TestError("\(name) is not built beside the tests")
    }

    /// Words that run these words without the right of root to read everything, which tests may have.
    public static func unprivileged(_ words: [String]) throws -> [String] {
        geteuid() == 0 ? [try installed("setpriv").path, "--bounding-set=-all"] + words : words
    }

    /// A program that the machine has, like `openssl`.
    public static func installed(_ name: String) throws -> Program {
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            let path = "\(folder)/\(name)"
            if access(path, X_OK) == 0 { return Program(at: path) }
        }
        throw TestError("\(name) is not in the PATH")
    }

    /// The Python that has what `Tests/Node` needs.
    public static func python() throws -> Program {
        guard let path = ProcessInfo.processInfo.environment["CONCORD_TEST_PYTHON"] else {
            throw TestError("CONCORD_TEST_PYTHON is not set: run the tests with Tests/run")
        }
        return Program(at: path)
    }

    /// The test bundle's program.
    private static func imagePath() throws -> String {
        #if canImport(Darwin)
            var info = Dl_info()
            let isKnown = dladdr(#dsohandle, &info) != 0
            let path = isKnown ? info.dli_fname.map { String(cString: $0) } : nil
        #else
            let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        #endif
        guard let path else { throw TestError("the test bundle's own path is not known") }
        return path
    }

    /// How a run ended, and what it said.
    public struct Outcome: Sendable {
        /// Nil where a signal ended it.
        public let status: Int32?
        public let signal: Int32?
        public let standardOutput: [UInt8]
        public let standardError: [UInt8]

        public var output: String { String(decoding: standardOutput, as: UTF8.self) }
        public var errors: String { String(decoding: standardError, as: UTF8.self) }
        public var isSuccess: Bool { status == 0 }
    }

    /// Runs to the end. Past `timeout` seconds the program is killed and an error thrown.
    @discardableResult
    public func run(
        _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        in folder: String? = nil,
        timeout: Double = 180
    ) throws -> Outcome {
        try start(arguments, environment: environment, input: input, in: folder).wait(timeout: timeout)
    }

    @discardableResult
    public func run(
        _ arguments: String..., environment: [String: String] = [:], input: [UInt8] = [],
        in folder: String? = nil,
        timeout: Double = 180
    ) throws -> Outcome {
        try run(arguments, environment: environment, input: input, in: folder, timeout: timeout)
    }

    /// Runs to the end and gives what was printed; any end but success is an error that says what went wrong.
    @discardableResult
    public func print(
        _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        in folder: String? = nil,
        timeout: Double = 180
    ) throws -> [UInt8] {
        let outcome = try run(arguments, environment: environment, input: input, in: folder, timeout: timeout)
        guard outcome.isSuccess else {
            throw TestError("\(path) \(arguments.joined(separator: " ")): \(outcome.errors)")
        }
        return outcome.standardOutput
    }

    @discardableResult
    public func print(
        _ arguments: String..., environment: [String: String] = [:], input: [UInt8] = [],
        in folder: String? = nil,
        timeout: Double = 180
    ) throws -> [UInt8] {
        try print(arguments, environment: environment, input: input, in: folder, timeout: timeout)
    }

    /// Starts it and returns at once. `environment` is added to the tests' own.
    public func start(
        _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        in folder: String? = nil
    ) throws -> RunningProgram {
        try RunningProgram(path, arguments, environment: environment, input: input, folder: folder)
    }
}

/// A program that was started. One that nobody waited for is killed when this goes.
public final class RunningProgram {
    public let pid: pid_t
    private let path: String
    /// Its streams go through files, so that no pipe can fill up or be held open by somebody else.
    private let scratch: Scratch
    private var outcome: Program.Outcome?

    fileprivate init(
        _ path: String, _ arguments: [String], environment: [String: String], input: [UInt8], folder: String?
    ) throws {
        self.path = path
        scratch = try Scratch()
        try scratch.write(input, to: "in")

        #if canImport(Glibc)
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #else
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, scratch.path("in"), O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, scratch.path("out"), O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, scratch.path("err"), O_WRONLY | O_CREAT, 0o600)

        // A test's thread may block signals; a program that a user starts gets them.
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var words = [path] + arguments
        if let folder { words = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder] + words }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for pointer in argv + envp { free(pointer) }
        }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw TestError("\(path): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    deinit {
        if outcome == nil {
            kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
    }

    /// Sends a signal; to a program that has ended, nothing happens.
    public func send(_ signal: Int32) {
        if outcome == nil { kill(pid, signal) }
    }

    /// What it has printed so far.
    public func printed() throws -> [UInt8] { try scratch.read("out") }

    /// Waits until it has said something in its errors and notes; throws if it ends without.
    public func waitUntilItSays(_ words: String, seconds: Double = 60) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            let isRunning = isRunning()
            let said = String(decoding: try scratch.read("err"), as: UTF8.self)
            if said.contains(words) { return }
            guard isRunning else { throw TestError("it ended without «\(words)»: \(said)") }
            guard Date() < deadline else { throw TestError("it does not say «\(words)», but: \(said)") }
            usleep(10_000)
        }
    }

    /// Whether it has not ended yet.
    public func isRunning() -> Bool {
        outcome == nil && !reap()
    }

    /// Waits for the end. Past `timeout` seconds the program is killed and an error thrown.
    public func wait(timeout: Double = 180) throws -> Program.Outcome {
        let deadline = Date().addingTimeInterval(timeout)
        var pause: useconds_t = 500
        while true {
            if let outcome { return outcome }
            if reap() { continue }
            if Date() > deadline {
                send(SIGKILL)
                while !reap() { usleep(1000) }
                throw TestError("\(path) ran for more than \(timeout) s; it said: \(outcome?.errors ?? "")")
            }
            usleep(pause)
            pause = min(pause * 2, 5000)
        }
    }

    /// Takes the outcome if there is one.
    private func reap() -> Bool {
        if outcome != nil { return true }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return false }
        let signal = status & 0x7f
        outcome = Program.Outcome(
            status: signal == 0 ? status >> 8 & 0xff : nil, signal: signal == 0 ? nil : signal,
            standardOutput: (try? scratch.read("out")) ?? [], standardError: (try? scratch.read("err")) ?? [])
        return true
    }
}
