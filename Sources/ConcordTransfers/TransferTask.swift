extension TransferScheduler {
    /// A job that is not done.
    final class Task {
        let number: Int
        let job: TransferJob
        /// How many of them are no fallbacks.
        let preferred: Int
        var attempts: [Attempt] = []
        var faults: [TransferJob.Fault] = []
        var received = 0
        var isDone = false
        /// Bytes a second that came when a further source brought no more: the line has no more.
        var line: Double?

        struct Source {
            let url: String
            let host: Host
            var failures = 0
            /// Whether it is not asked again.
            var isOut = false
            var notBefore: Duration = .zero
            /// The most bytes that its parts held.
            var part = 0
            /// Whether a part of it turned out to be of another file, and it was asked for the whole.
            var beganAnew = false
        }

        private(set) var state: [Source]

        init(_ number: Int, _ job: TransferJob, _ sources: [Source]) {
            (self.number, self.job, state) = (number, job, sources)
            preferred = job.sources.count
        }

        func change(_ source: Int, _ body: (inout Source) -> Void) { body(&state[source]) }
    }

    /// The files of a job on their way from one source.
    final class Attempt {
        let task: Task
        let source: Int
        let began: Duration
        /// Bytes of parts that it goes on with.
        var continued = 0
        /// Bytes a second that the fastest of the job had before it.
        var before = 0.0
        var pieces: [TransferJob.Piece?]
        var underWay: [Int: Transfer] = [:]
        var isChecked = false

        init(_ task: Task, _ source: Int, at now: Duration) {
            (self.task, self.source, began) = (task, source, now)
            pieces = .init(repeating: nil, count: task.job.files.count)
        }

        struct Transfer {
            let file: Int
            let request: Request
            /// Where it stood when it was last looked at.
            var mark: (time: Duration, bytes: Int)
            /// Of them the host's pace has been told.
            var counted = 0
            /// Where it stood when its speed was taken, and that speed in bytes a second.
            var recent: (time: Duration, bytes: Int)
            var speed: Double?
        }

        /// Bytes a second of all that is under way, lately; nil as long as it is too young to say.
        var speed: Double? {
            let speeds = underWay.values.compactMap(\.speed)
            return speeds.isEmpty ? nil : speeds.reduce(0, +)
        }
    }

    final class Host {
        var pace: HostPace
        var underWay = 0
        /// Failures in a row that another file would not mend.
        var strikes = 0
        /// When the last of them was.
        var lastStrike: Duration = .zero
        /// Why it was given up.
        var lastFailure: Failure?
        /// Whether it has ever answered.
        var hasAnswered = false
        /// How often what it had was not what was wanted.
        var wrong = 0
        var isOut = false
        /// Bytes a second that a transfer from it gets, from its start on; nil as long as there was none.
        private(set) var speed: Double?

        init(_ pace: HostPace) { self.pace = pace }

        /// Whether so many more requests can be started. One that may not be there gets no more at a time than it takes to
        /// find that out.
        func isOpen(at now: Duration, for files: Int = 1) -> Bool {
            !isOut && pace.canStart(at: now, beside: underWay)
                && (hasAnswered && strikes == 0 || underWay == 0 || strikes + underWay + files <= maxStrikes)
        }

        func measured(_ bytes: Int, in time: Duration) {
            let speed = Double(bytes) / max(time / .seconds(1), 0.001)
            self.speed = self.speed.map { ($0 + speed) / 2 } ?? speed
        }
    }
}
