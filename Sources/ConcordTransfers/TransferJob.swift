/// Files that make sense only together, as an attestation and its signature, and that any of several sources may have.
public struct TransferJob {
    public struct File: Equatable, Sendable {
        /// Below a source's URL.
        public let path: String
        /// `Request.limit`.
        public let limit: Int
        /// `Request.range`.
        public let range: Range<Int>?

        public init(_ path: String, limit: Int, range: Range<Int>? = nil) {
            self.path = path
            self.limit = limit
            self.range = range
        }
    }

    /// A file that has come.
    public struct Piece: Sendable {
        /// Empty if it is on the disk.
        public let bytes: [UInt8]
        /// Where it is on the disk; the job's owner moves it from there, or removes it.
        public let path: String?
    }

    public let files: [File]
    /// URLs below which the files may be, without a slash at their end. Whoever has room is asked.
    public let sources: [String]
    /// Those that are asked only when none of the sources has the files, or can be asked now.
    public var fallbacks: [String] = []
    /// The folder for part files, which must be there; in memory if nil.
    public var folder: String?
    /// Whether further sources are asked when the first takes long and nothing else is left to do. Not for whoever wants one
    /// host alone to know what is asked.
    public var isHedged = true
    /// How often a source is asked again after a passing fault of it.
    public var retries = 2
    /// When it is given up, as the transport's clock counts; never if nil.
    public var deadline: Duration?
    /// Makes what was wanted of the files, in their order, or throws what is wrong with them: then another source is asked.
    /// Files on the disk are checked on other threads, while the next ones come.
    public let check: @Sendable ([Piece]) throws -> any Sendable
    /// What came of it, on the thread that runs the scheduler. It may add more jobs.
    public let done: (Outcome) throws -> Void

    /// What came of a job.
    public struct Outcome {
        /// What `check` made of the files, and the source that had them; nil where none had.
        public let answer: (value: any Sendable, source: String)?
        /// What went wrong at sources, in the order of time; also where another one had the files.
        public let faults: [Fault]
        /// Body bytes received for it.
        public let received: Int
    }

    /// What went wrong at a source.
    public struct Fault {
        public let source: String
        /// The file, of those of the job.
        public let file: File
        /// `Failure`, or what `check` threw.
        public let error: any Error
    }

    /// Says which of the files an error of a check is about; the first unless this does.
    public struct Misfit: Error {
        public let file: Int
        public let error: any Error

        public init(file: Int, error: any Error) { (self.file, self.error) = (file, error) }
    }

    /// Names the file that an error is about.
    public static func part<Value>(_ file: Int, _ read: () throws -> Value) throws -> Value {
        do { return try read() } catch { throw Misfit(file: file, error: error) }
    }

    public init(
        _ files: [File], at sources: [String], check: @escaping @Sendable ([Piece]) throws -> any Sendable,
        done: @escaping (Outcome) throws -> Void
    ) {
        precondition(!files.isEmpty && !sources.isEmpty)
        self.files = files
        self.sources = sources
        self.check = check
        self.done = done
    }
}
