import Foundation

// What becomes of requests that end.
extension TransferScheduler {
    func take(_ end: TransferEnd) throws {
        guard let attempt = attempts.removeValue(forKey: end.id),
            let transfer = attempt.underWay.removeValue(forKey: end.id)
        else { return }
        let (task, now) = (attempt.task, transport.now)
        let host = task.state[attempt.source].host
        host.underWay -= 1
        switch end.result {
        case .success(let body):
            ended += body.count
            task.received += body.count
            answered(host, body.count - transfer.counted, isMultiplexed: body.isMultiplexed)
            host.measured(body.count, in: now - attempt.began)
            var path: String?
            if case .file(let part) = transfer.request.destination { path = part }
            attempt.pieces[transfer.file] = TransferJob.Piece(bytes: body.bytes, path: path)
            if attempt.pieces.allSatisfy({ $0 != nil }) { try check(attempt) }
        case .failure(let failure):
            ended += failure.received
            task.received += failure.received
            try failed(attempt, transfer, failure, at: now)
        }
    }

    func answered(_ host: Host, _ bytes: Int, isMultiplexed: Bool) {
        (host.strikes, host.hasAnswered) = (0, true)
        host.pace.answered(at: transport.now, bytes: max(0, bytes), isMultiplexed: isMultiplexed)
    }

    func failed(
        _ attempt: Attempt, _ transfer: Attempt.Transfer, _ failure: Failure, at now: Duration
    ) throws {
        if failure.isLocal { throw Local(failure: failure) }
        let (task, source) = (attempt.task, attempt.source)
        let host = task.state[source].host
        let file = task.job.files[transfer.file]
        func note() {
            task.faults.append(TransferJob.Fault(source: task.state[source].url, file: file, error: failure))
        }
        let others = attempt.underWay.count
        cancel(attempt)
        switch failure.kind {
        case .busy(_, let pause):
            host.pace.busy(at: now, started: attempt.began, pause: pause)
            guard host.pace.isBeyondPatience(at: now) else { break }
            note()
            giveUp(host, failure)
            task.change(source) { $0.isOut = true }
        case .timedOut, .slow, .network, .refused(status: 500), .refused(status: 502), .refused(status: 504),
            .refused(status: 408),
            // It may be there, and want fewer connections.
            .unreachable where host.hasAnswered || host.underWay > 0:
            host.pace.broken(at: now, started: attempt.began)
            note()
            host.measured(failure.received, in: now - attempt.began)
            if failure.received < Self.goodBytes { strike(host, failure, attempt, at: now) }
            let part = Self.part(of: task.job, from: task.state[source].url)
            let retries = task.job.retries
            // With what it brought there is less to fetch the next time; without that it could go on for ever.
            let isWorthIt = part >= task.state[source].part + Self.goodBytes
            task.change(source) {
                $0.part = max(part, $0.part)
                if isWorthIt { return }
                $0.failures += 1
                $0.isOut = $0.failures > retries
                $0.notBefore = now + .milliseconds(250) * (1 << min($0.failures, 6))
            }
            // Others that are on their way have less.
            if isWorthIt, !task.attempts.isEmpty, host.isOpen(at: now, for: task.job.files.count),
                task.attempts.allSatisfy({ $0.continued + received($0) < part })
            {
                start(task, source, at: now)
            }
        case .wrongRange where transfer.request.resumed > 0 && !task.state[source].beganAnew:
            // Another file than the part is of, or a host that cannot do it. Without the part it is asked once more.
            discard(transfer.request)
            task.change(source) { ($0.beganAnew, $0.part) = (true, 0) }
        case .unreachable, .untrusted:
            note()
            // Those that were asked of it together come to the same.
            for _ in 0...others { strike(host, failure, attempt, at: now) }
            task.change(source) { $0.isOut = true }
        default:
            // The host is there, and has not what was wanted.
            answered(host, 0, isMultiplexed: false)
            discard(transfer.request)
            note()
            task.change(source) { $0.isOut = true }
        }
        try again(task)
    }

    func strike(_ host: Host, _ failure: Failure, _ attempt: Attempt, at now: Duration) {
        // Where one that is there breaks off several at once, it is too much for it, or it is one fault.
        guard !host.hasAnswered || attempt.began >= host.lastStrike else { return }
        (host.strikes, host.lastStrike) = (host.strikes + 1, now)
        guard host.strikes >= Self.maxStrikes else { return }
        // One that has answered before may only be out of breath: of many thousands of files some fail in a row.
        guard !host.hasAnswered || host.strikes >= 2 * Self.maxStrikes else {
            return host.pace.pause(until: now + .seconds(1))
        }
        giveUp(host, failure)
    }

    func giveUp(_ host: Host, _ failure: Failure) {
        host.isOut = true
        host.lastFailure = failure
        mayBeHopeless = true
    }

    func discard(_ request: Request) {
        if case .file(let path) = request.destination { PartFile.remove(path) }
    }

    /// Ends what is under way of an attempt, and forgets it.
    ///
    /// - Parameter isLost: whether its parts go too, since another source had the files.
    func cancel(_ attempt: Attempt, isLost: Bool = false) {
        for (id, transfer) in attempt.underWay {
            ended += transport.received(id)
            attempt.task.received += transport.received(id)
            transport.cancel(id)
            attempts[id] = nil
            attempt.task.state[attempt.source].host.underWay -= 1
            if isLost { discard(transfer.request) }
        }
        attempt.underWay = [:]
        attempt.task.attempts.removeAll { $0 === attempt }
        // One that is checked has its files until that is over, unless nobody wants to know any more.
        if isLost || !attempt.isChecked || !checking.values.contains(where: { $0 === attempt }) {
            discard(attempt)
        }
    }

    func discard(_ attempt: Attempt) {
        for piece in attempt.pieces { if let path = piece?.path { PartFile.remove(path) } }
    }

    /// Puts a job back in the queue, in front, or ends it where nobody is left to ask.
    func again(_ task: Task) throws {
        guard !task.isDone, task.attempts.isEmpty, try !endIfHopeless(task) else { return }
        waiting.insert(task, at: 0)
    }

    func endIfHopeless(_ task: Task) throws -> Bool {
        guard task.attempts.isEmpty, task.state.allSatisfy({ $0.isOut || $0.host.isOut }) else {
            return false
        }
        for source in task.state where !source.isOut && source.failures == 0 {
            guard let failure = source.host.lastFailure else { continue }
            var failed = failure
            failed.url = WebAddress.shown("\(source.url)/\(task.job.files[0].path)")
            failed.received = 0
            task.faults.append(TransferJob.Fault(source: source.url, file: task.job.files[0], error: failed))
        }
        try end(task, nil)
        return true
    }

    /// Whether nothing has come for so long that it is worth a word.
    private func isSilent(_ attempt: Attempt) -> Bool {
        !attempt.isChecked && received(attempt) == 0 && transport.now - attempt.began >= Self.maxAlone
    }

    func noteGivenUp(_ task: Task, _ source: Int) {
        let (url, file) = (task.state[source].url, task.job.files[0])
        let failure = Failure(url: WebAddress.shown("\(url)/\(file.path)"), kind: .givenUp)
        task.faults.append(TransferJob.Fault(source: url, file: file, error: failure))
    }

    func end(_ task: Task, _ answer: (value: any Sendable, source: String)?) throws {
        task.isDone = true
        tasks[task.number] = nil
        for attempt in task.attempts {
            if answer != nil, isSilent(attempt) { noteGivenUp(attempt.task, attempt.source) }
            cancel(attempt, isLost: answer != nil)
        }
        if let answer, let folder = task.job.folder {
            // Nobody goes on with what others had of it.
            for source in task.state where source.part > 0 && source.url != answer.source {
                for file in task.job.files {
                    PartFile.remove(PartFile.path(of: "\(source.url)/\(file.path)", in: folder))
                }
            }
        }
        try task.job.done(
            TransferJob.Outcome(answer: answer, faults: task.faults, received: task.received))
    }

    // MARK: checks

    func check(_ attempt: Attempt) throws {
        let pieces = attempt.pieces.compactMap(\.self)
        let check = attempt.task.job.check
        attempt.isChecked = true
        guard attempt.task.job.folder != nil, settings.checkers > 0 else {
            return try take(attempt, Result { try check(pieces) })
        }
        let number = nextID
        nextID += 1
        checking[number] = attempt
        checkers.addOperation { [checked, transport] in
            let result = Result { try check(pieces) }
            checked.list.withLock { $0.append((number, result)) }
            transport.wake()
        }
    }

    func takeChecked() throws {
        let results = checked.list.withLock { list in
            defer { list.removeAll() }
            return list
        }
        for (number, result) in results {
            guard let attempt = checking.removeValue(forKey: number) else { continue }
            if attempt.task.isDone {
                // Another source was first.
                discard(attempt)
            } else {
                try take(attempt, result)
            }
        }
    }

    func take(_ attempt: Attempt, _ result: Result<any Sendable, any Error>) throws {
        let task = attempt.task
        let url = task.state[attempt.source].url
        switch result {
        case .success(let value):
            if times.count == 31 { times.removeFirst() }
            times.append(transport.now - attempt.began)
            task.attempts.removeAll { $0 === attempt }
            try end(task, (value, url))
        case .failure(let error):
            cancel(attempt)
            // Parts of two files do not make one: the whole is asked for, once.
            if attempt.continued > 0, !task.state[attempt.source].beganAnew {
                task.change(attempt.source) { ($0.beganAnew, $0.part) = (true, 0) }
                return try again(task)
            }
            task.state[attempt.source].host.wrong += 1
            let misfit = error as? TransferJob.Misfit
            task.faults.append(
                TransferJob.Fault(
                    source: url, file: task.job.files[misfit?.file ?? 0], error: misfit?.error ?? error))
            task.change(attempt.source) { $0.isOut = true }
            try again(task)
        }
    }
}
