import Foundation

// What lasts too long, and who else is asked for it.
extension TransferScheduler {
    /// Asks a further source for what takes long, where that is likely to be faster.
    func startFurther(at now: Duration) {
        let old = attempts.values.filter { $0.task.job.isHedged && now - $0.began > longest }
        for attempt in old.sorted(by: { ($0.began, $0.task.number) < ($1.began, $1.task.number) }) {
            guard attempts.count < settings.concurrency else { return }
            let task = attempt.task
            // One after the other, so that each can show what it is worth.
            let wait = task.attempts.count == 1 ? longest : Self.comparison
            guard task.attempts.allSatisfy({ !$0.isChecked && now - $0.began > wait }) else { continue }
            let speed = task.attempts.map { self.speed(of: $0, at: now) }.max() ?? 0
            guard speed * 2 < task.line ?? .infinity,
                let source = choose(task, at: now, fasterThan: speed * 2)
            else { continue }
            start(task, source, at: now)
            task.attempts.last?.before = speed
        }
    }

    func speed(of attempt: Attempt, at now: Duration) -> Double {
        attempt.speed ?? Double(received(attempt)) / max((now - attempt.began) / .seconds(1), 0.001)
    }

    func received(_ attempt: Attempt) -> Int {
        attempt.underWay.keys.reduce(0) { $0 + transport.received($1) }
    }

    /// How long a job takes before somebody else is asked.
    var longest: Duration {
        guard times.count >= 3 else { return Self.maxAlone }
        return max(.milliseconds(500), min(Self.maxAlone, times.sorted()[times.count / 2]))
    }

    /// Gives up further requests that are no faster than the one that has most: the line is what all wait for, or the hosts
    /// are alike.
    func endFurther(at now: Duration) {
        for attempt in attempts.values.sorted(by: { $0.task.number < $1.task.number }) {
            let (task, all) = (attempt.task, attempt.task.attempts)
            guard now - attempt.began >= Self.comparison, !all.contains(where: \.isChecked),
                let first = all.max(by: { $0.continued + received($0) < $1.continued + received($1) }),
                attempt !== first, let most = first.speed, let speed = attempt.speed, speed < most * 1.5
            else { continue }
            if most < attempt.before * 0.8, most + speed < attempt.before * 1.2 { task.line = most + speed }
            task.state[attempt.source].host.measured(received(attempt), in: now - attempt.began)
            // Its part stays until somebody has the whole.
            cancel(attempt)
            let url = task.state[attempt.source].url
            task.change(attempt.source) { $0.part = max($0.part, Self.part(of: task.job, from: url)) }
        }
    }

    /// Looks now and then whether what is under way gets on, and whether anything has lasted too long.
    func look() throws {
        let now = transport.now
        guard now - lastLook >= .milliseconds(200) else { return }
        lastLook = now
        for (id, attempt) in attempts.sorted(by: { $0.key < $1.key }) {
            guard var transfer = attempt.underWay[id] else { continue }
            let received = transport.received(id)
            attempt.task.state[attempt.source].host.pace.received(received - transfer.counted)
            transfer.counted = received
            let age = now - transfer.recent.time
            if age >= .seconds(1) {
                transfer.speed = Double(received - transfer.recent.bytes) / (age / .seconds(1))
                if received > 0 {
                    attempt.task.state[attempt.source].host.measured(received, in: now - attempt.began)
                }
                transfer.recent = (now, received)
            }
            let waited = now - transfer.mark.time
            let seconds = waited / .seconds(1)
            if waited >= settings.stall {
                guard Double(received - transfer.mark.bytes) >= Double(settings.minSpeed) * seconds else {
                    transport.cancel(id)
                    try take(
                        TransferEnd(
                            id,
                            .failure(
                                Failure(
                                    url: WebAddress.shown(transfer.request.url),
                                    kind: .slow(seconds: Int(seconds)),
                                    received: received))))
                    continue
                }
                transfer.mark = (now, received)
            }
            attempt.underWay[id] = transfer
        }
        endFurther(at: now)
        let late = tasks.values.filter { $0.job.deadline.map { now >= $0 } ?? false }
        for task in late.sorted(by: { $0.number < $1.number }) { try giveUp(task) }
    }

    func giveUp(_ task: Task) throws {
        guard !task.isDone else { return }
        for source in task.attempts.isEmpty
            ? task.state.indices.filter({ !task.state[$0].isOut }) : task.attempts.map(\.source)
        { noteGivenUp(task, source) }
        try end(task, nil)
    }
}
