import Concord
import ConcordFiles
import ConcordTransfers

/// Puts questions to many hosts at once, and gives each answer to whoever asked. One reader a run: it learns which hosts
/// are slow, busy or not there.
///
/// One thread at a time uses it.
public final class TreeReader: @unchecked Sendable {
    public struct Settings: Sendable {
        /// A host that sends next to nothing for so long is given up.
        public var timeout: Duration = .seconds(30)
        /// How long a host may ask for fewer requests, or for a pause.
        public var patience: Duration = .seconds(120)
        /// Asked now and then: whether to end with `CancellationError`.
        public var isCancelled: @Sendable () -> Bool = { false }
        /// As `TransferScheduler.Settings` has them.
        var checkers: Int?

        public init() {}

        /// The most time for what one authority says, all its hosts and round trips together.
        public var surveyTime: Duration { timeout * 2 }
    }

    /// A tree's URL, and whose it should be.
    public struct Place: Hashable, Sendable {
        public let authority: AuthorityName?
        public let url: String

        public init(_ url: String, of authority: AuthorityName? = nil) {
            (self.url, self.authority) = (url, authority)
        }
    }

    /// What came of a question.
    public struct Reply<Answer> {
        /// Nil where nobody had it.
        public let answer: Answer?
        /// Who had it.
        public let place: Place?
        /// What was wrong elsewhere, or before.
        public let faults: [Fault]
        /// Body bytes received for it.
        public let bytes: Int
    }

    /// How a question is asked.
    struct Asking {
        /// Asked when none of the others has it.
        var fallbacks: [Place] = []
        /// The folder that a large file comes to.
        var folder: Folder?
        /// Whether a second host may be asked when the first takes long.
        var isHedged = true
        var retries = 2
        /// As `deadline(after:)` gives it.
        var deadline: Duration?
    }

    private let scheduler: TransferScheduler
    public let settings: Settings

    public init(_ transport: any Transport, _ settings: Settings = Settings()) {
        self.settings = settings
        var options = TransferScheduler.Settings()
        options.stall = settings.timeout
        options.patience = settings.patience
        options.isCancelled = settings.isCancelled
        if let checkers = settings.checkers { options.checkers = checkers }
        scheduler = TransferScheduler(transport, options)
    }

    /// Body bytes received so far, of all questions.
    public var received: Int { scheduler.received }

    /// Forgets what was learned of hosts: those that were given up are asked again.
    func forget() { scheduler.forget() }

    /// When a time from now is over, for `Asking.deadline`.
    func deadline(after time: Duration) -> Duration { scheduler.deadline(after: time) }

    /// Asks the places, whoever has room first, until one has the answer. It goes on while `run` does. Gives a number for
    /// `giveUp`.
    @discardableResult
    func ask<Answer>(
        _ question: TreeQuestion<Answer>, at places: [Place], _ asking: Asking = Asking(),
        then: @escaping (Reply<Answer>) throws -> Void
    ) throws -> Int {
        let accept = question.accept
        let all = places + asking.fallbacks
        // Room for a page in the place of a small file, so that it is seen to be one.
        let files = question.files.map { file in
            question.isLarge || file.range != nil
                ? file : TransferJob.File(file.path, limit: max(file.limit, Self.pageBytes))
        }
        let limits = question.files.map(\.limit)
        var job = TransferJob(files, at: places.map(\.url)) { pieces in
            do {
                for (place, piece) in pieces.enumerated() where piece.bytes.count > limits[place] {
                    throw TransferJob.Misfit(file: place, error: Fault.Kind.tooLarge(limit: limits[place]))
                }
                return try accept(pieces)
            } catch {
                // A page for people, whatever its status says, is not the authority's word.
                guard let file = Self.page(among: pieces) else { throw error }
                throw TransferJob.Misfit(file: file, error: Fault.Kind.page)
            }
        } done: { outcome in
            let faults = try outcome.faults.map { fault in
                var kind = try Self.kind(of: fault.error)
                if case .tooLarge = kind,
                    let file = question.files.first(where: { $0.path == fault.file.path })
                {
                    kind = .tooLarge(limit: file.limit)
                }
                return Fault(
                    authority: all.first { $0.url == fault.source }?.authority, url: fault.source,
                    asked: question.asked, path: fault.file.path, kind)
            }
            let answer = outcome.answer.flatMap { $0.value as? Answer }
            try then(
                Reply(
                    answer: answer,
                    place: outcome.answer.flatMap { found in all.first { $0.url == found.source } },
                    faults: faults, bytes: outcome.received))
        }
        job.fallbacks = asking.fallbacks.map(\.url)
        job.isHedged = asking.isHedged && all.count > 1
        job.retries = asking.retries
        job.deadline = asking.deadline
        if question.isLarge, let folder = asking.folder { job.folder = try folder.partsFolder() }
        return scheduler.add(job)
    }

    /// Answers all questions, those too that are asked meanwhile. Throws what this machine is to blame for.
    func run(_ tick: () throws -> Void = {}) throws { try scheduler.run(tick) }

    /// Ends questions without waiting for their answers.
    func giveUp(_ numbers: [Int]) throws { try scheduler.giveUp(numbers) }

    /// Asks one question, and waits for its end.
    func answer<Answer>(
        _ question: TreeQuestion<Answer>, at places: [Place], _ asking: Asking = Asking()
    ) throws -> Reply<Answer> {
        var reply: Reply<Answer>?
        try ask(question, at: places, asking) { reply = $0 }
        try run()
        guard let reply else { preconditionFailure("a question has an end") }
        return reply
    }

    /// Of a page that a host serves in the place of what it does not have, at most.
    private static let pageBytes = 64 << 10

    private static func kind(of error: any Error) throws -> Fault.Kind {
        switch error {
        case let failure as Failure:
            guard let kind = Fault.Kind(failure.kind) else { throw failure }
            return kind
        case let kind as Fault.Kind: return kind
        case let error as ParseError: return .malformed(error)
        case let error as AttestationError: return .notSigned(error)
        case let error as HeaderFault: return .header(error)
        case let error as FileError:
            // Unless the disk failed, it is what is in the file.
            if error.isOfMachine { throw error }
            return .mismatch(error.message)
        default: return .mismatch("\(error)")
        }
    }

    /// The place of a file that is HTML, as a browser would see it; nil if none is.
    private static func page(among pieces: [TransferJob.Piece]) -> Int? {
        pieces.firstIndex { piece in
            let start = piece.path.flatMap { try? File.first(64, of: $0) } ?? Array(piece.bytes.prefix(64))
            let text = start.drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) }.map {
                Character(UnicodeScalar($0))
            }
            return ["<!doctype html", "<html"].contains { String(text).lowercased().hasPrefix($0) }
        }
    }
}
