import Foundation

/// `audit.sh`, the second implementation of the format, as somebody runs it who has nothing of ours: under dash with the
/// machine's tools, and under busybox with its own, where openssl, zstd and curl alone come from elsewhere.
public enum HandAudit: String, CaseIterable, Sendable {
    case dash, busybox

    public static let script = "\(ChainFixture.repository)/site-template/audit.sh"

    /// Runs to the end, whatever it is. Throws if it leaves a file behind.
    /// - Parameters:
    ///   - missing: a tool that the machine is to lack.
    ///   - isPrivileged: whether it may read whatever the tests may.
    ///   - blocks: the most that a file can have, in 512 bytes: beyond it nothing can be written, as on a full disk.
    public func run(
        _ arguments: [String], without missing: String? = nil, blocks: Int? = nil, isPrivileged: Bool = true
    ) throws -> Program.Outcome {
        let scratch = try Scratch()
        let temporary = scratch.path("t m'p\"")
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        var environment = ["TMPDIR": temporary]
        let shell: Program
        switch self {
        case .dash where missing == nil:
            shell = try .installed("dash")
        case .dash, .busybox:
            let folder = scratch.path("bin")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let busybox = try Program.installed("busybox")
            let applets = String(decoding: try busybox.print("--list"), as: UTF8.self).split(separator: "\n")
            var tools: [(String, String)] = applets.map { (String($0), busybox.path) }
            for name in ["openssl", "zstd", "curl"] { tools.append((name, try Program.installed(name).path)) }
            for (name, path) in tools where name != missing {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/\(name)", withDestinationPath: path)
            }
            environment["PATH"] = folder
            shell = self == .dash ? try .installed("dash") : Program(at: "\(folder)/sh")
        }
        var words = [shell.path, Self.script] + arguments
        if let blocks {
            words = ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f \(blocks); exec \"$@\"", "sh"] + words
        }
        if !isPrivileged { words = try Program.unprivileged(words) }
        let outcome = try Program(at: words[0]).run(
            Array(words.dropFirst()), environment: environment, timeout: 600)
        let left = try FileManager.default.contentsOfDirectory(atPath: temporary)
        guard left.isEmpty else { throw TestError("audit.sh left \(left)") }
        return outcome
    }
}

extension Program.Outcome {
    /// What `concord verify` and `audit.sh` say is wrong.
    public var wrong: [String] {
        output.split(separator: "\n").map(String.init).filter { $0.hasPrefix("WRONG  ") }
    }
}
