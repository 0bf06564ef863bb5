import ArgumentParser
import Concord
import ConcordConsole
import ConcordPublish
import Foundation

struct TrustnetSign: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Publish the list as the next version.",
        discussion: """
            Writes the document and its signatures to the folder, and counts the version up, if anything changed since \
            the last one; --expires is a change. A run that was killed is finished by the next. With --new-key the \
            version replaces the bootstrap key: both keys sign it, and from the next one on the new key alone.
            """)

    @OptionGroup var options: TrustnetOptions
    @Option(
        help: ArgumentHelp("The PEM file with the bootstrap key; - for standard input.", valueName: "file"))
    var key: String
    @OptionGroup var keyOptions: KeyOptions
    @Option(help: ArgumentHelp("The PEM file with the key that replaces it.", valueName: "file"))
    var newKey: String?
    @Option(
        help: ArgumentHelp(
            "How long this version may be used: a number of days, or a date like 2027-11-22. (default: 365 days)",
            valueName: "days or date"))
    var expires: Expiry?

    func run() throws {
        let now = Int64(Date().timeIntervalSince1970)
        let end = expires?.seconds(from: now)
        guard end.map({ $0 > now }) ?? true else {
            throw CommandFailure(.usage, "--expires is a time that has passed")
        }
        guard key != "-" || newKey != "-" else {
            throw CommandFailure(.usage, "one of --key and --new-key can be on standard input, not both")
        }
        let keys = (old: try keyOptions.key(key), new: try newKey.map(keyOptions.key))
        let opened = try options.open()
        let signing: TrustnetFolder.Signing
        do {
            signing = try opened.sign(key: keys.old, newKey: keys.new, expires: end, now: now)
        } catch let error as TrustnetError {
            throw CommandFailure(.usage, "\(error); nothing was signed")
        }
        try opened.close()
        let trustnet = signing.trustnet
        let version = "version \(trustnet.version) of \(trustnet.name)"
        let done =
            switch signing.kind {
            case .new: "signed \(version)"
            case .finished: "finished \(version), which an earlier run had begun"
            case .unchanged: "nothing changed since \(version); renew it with --expires"
            }
        try options.say(
            """
            \(done)
            expires    \(Timestamp.text(trustnet.expires))
            bootstrap  \(trustnet.bootstrap.hex)
            sha256     \(SHA256.hash(trustnet.text).hex)
            """)
    }
}

/// A number of days from now, or a time.
enum Expiry: ExpressibleByArgument {
    case days(Int64)
    /// Seconds since 1970.
    case time(Int64)

    init?(argument: String) {
        if let days = FieldLines.decimal(argument, atMost: 36_500) {
            self = .days(Int64(days))
        } else if let time = Timestamp.seconds(argument) ?? Timestamp.seconds(argument + "T00:00:00Z") {
            self = .time(time)
        } else {
            return nil
        }
    }

    func seconds(from now: Int64) -> Int64 {
        switch self {
        case .days(let days): now + days * 86_400
        case .time(let time): time
        }
    }
}
