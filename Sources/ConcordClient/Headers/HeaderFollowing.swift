import Concord
import ConcordFiles

// How the chain of an authority is fetched, and followed up to a block that it signed.
extension HeaderSurvey {
    mutating func ask(_ authority: Int, _ newest: BlockID) throws {
        if try askTail(authority) { return }
        if try !isKnown(agreed.blockID), pool.isEmpty {
            try followAgreed()
            if try isKnown(newest) || askTail(authority) { return }
        }
        for place in heard[authority].places {
            do {
                guard let chain = try follow(place, to: newest, authority) else { return }
                branches.append((chain, authority, place.url))
                return
            } catch let fault as Fault {
                problems[authority].append(fault)
                // That its key does not sign what so many headers lead to is not its host's doing.
                if case .tooFar = fault.kind { return }
            } catch let fault as HeaderFault {
                problems[authority].append(self.fault(place, fault.height, .header(fault)))
            }
        }
    }

    /// Whether the last headers that the survey brought continue the stored chain.
    mutating func askTail(_ authority: Int) throws -> Bool {
        let one = heard[authority]
        guard let tail = one.tail, let url = one.tailSource,
            let chain = try continued(by: tail.headers, from: tail.start)
        else { return false }
        branches.append((chain, authority, url))
        return true
    }

    /// Follows the chain up to the agreed block, from all hosts of those who agree at once: it is the same at each. Where
    /// that leads nowhere, for a host made headers up, each is asked alone.
    mutating func followAgreed() throws {
        let first = order[0]
        pool = order[..<agreeing].flatMap { heard[$0].places }
        defer { pool = [] }
        guard pool.count > 1 else { return }
        do {
            guard let chain = try followHeaders(pool[0], to: agreed.height, agreed.blockID, first),
                chain.block(at: agreed.height) == agreed.blockID
            else { return }
            // What the others add to it is then a few headers.
            if branches.isEmpty, chain.fork == store.end - 1, try store.install(chain) { return }
            branches.append((chain, first, pool[0].url))
        } catch is Fault {
        } catch is HeaderFault {
        }
    }

    func fault(_ place: TreeReader.Place, _ height: Int, _ kind: Fault.Kind) -> Fault {
        Fault(
            authority: place.authority, url: place.url,
            asked: .headers(epoch: agreed.parameters.epochStart(of: max(0, height))),
            path: TreePath.headers(epochOf: max(0, height), agreed.parameters), kind)
    }

    /// The chain that these headers make of the stored one; nil if they do not continue it by the rules.
    mutating func continued(by headers: [UInt8], from start: Int) throws -> HeaderBranch? {
        guard store.tip != nil, try store.isContinued(by: headers, from: start) else { return nil }
        do { return try store.branch(headers, from: start).onTime(now, &ahead) } catch is HeaderFault {
            return nil
        } catch is HeaderBranch.Ahead { return nil }
    }

    /// The chain of a tree up to the newest block that its authority attests, or, where that is far above the agreed one, up
    /// to a lower one that it attests too. Nil where it is the stored chain now.
    mutating func follow(
        _ place: TreeReader.Place, to newest: BlockID, _ authority: Int
    ) throws -> HeaderBranch? {
        let height = min(newest.height, agreed.height + Self.maxAbove)
        let chain = try followHeaders(place, to: height, height == newest.height ? newest : nil, authority)
        let led = try chain.map { $0.block(at: height) } ?? store.block(at: height)
        if height == newest.height {
            guard led == newest else { throw fault(place, height, .leadsElsewhere(newest)) }
        } else {
            guard let led, try attests(led, authority) else {
                throw fault(place, height, .tooFar(newest.height - agreed.height))
            }
        }
        return chain
    }

    /// Whether an authority attests a block below its newest.
    mutating func attests(_ block: BlockID, _ authority: Int) throws -> Bool {
        let one = heard[authority].authority
        let reply = try reader.answer(
            .attestation(of: block, agreed.parameters, keys: [one.key]), at: one.places, asking)
        bytes[authority] += reply.bytes
        return reply.answer?.statement.blockID == block
    }

    /// - Parameter goal: the block that must stand at the height; nil for one that the authority attests too.
    mutating func followHeaders(
        _ place: TreeReader.Place, to height: Int, _ goal: BlockID?, _ authority: Int
    ) throws -> HeaderBranch? {
        let parameters = agreed.parameters
        if let chain = try followLast(place, to: height, authority) { return chain }
        // Down to where it leaves the stored chain, in growing steps.
        var start = parameters.epochStart(of: min(height, store.end))
        var (step, isOnTop) = (parameters.epoch, true)
        var first = try fetch(place, leading(from: start, to: height), to: height, authority)
        while start > store.base, try !store.isContinued(by: first, from: start) {
            isOnTop = false
            start = max(store.base, start - step)
            step *= 2
            first = try fetch(place, leading(from: start, to: height), to: height, authority)
        }
        let epochs = Array(stride(from: start, through: height, by: parameters.epoch))
        if isOnTop, branches.isEmpty, adopted == nil, epochs.count > group {
            return try followFar(place, first, epochs, to: height, goal, authority)
        }
        var headers = first
        var chain = try branch(headers, from: start, place, height)
        let done = leading(from: start, to: height).count
        for part in stride(from: done, to: epochs.count, by: group) {
            headers += try fetch(
                place, Array(epochs[part..<min(part + group, epochs.count)]), to: height, authority)
            chain = try branch(headers, from: start, place, height)
            progress(chain.tip.height, height)
        }
        return chain
    }

    /// The epochs whose headers are needed before anything can be said of a chain from a height on: the first, and at a pinned
    /// start all up to the pinned block.
    func leading(from start: Int, to height: Int) -> [Int] {
        let last = min(height, max(start, store.start?.block.height ?? start))
        return Array(stride(from: start, through: last, by: agreed.parameters.epoch))
    }

    /// A chain that goes on far above the stored one, followed on the disk. It takes the stored one's place.
    ///
    /// - Parameter first: the headers of the first epochs, as `fetch` gives them.
    mutating func followFar(
        _ place: TreeReader.Place, _ first: [UInt8], _ epochs: [Int], to height: Int, _ goal: BlockID?,
        _ authority: Int
    ) throws -> HeaderBranch? {
        var next = try store.successor()
        var (first, epochs) = (first, epochs)
        if next.end > store.end {
            // Where an earlier run ended, if this tree has the same blocks there.
            let start = agreed.parameters.epochStart(of: min(next.end, height))
            let there = try fetch(place, [start], to: height, authority)
            if try next.isContinued(by: there, from: start) {
                epochs.removeAll { $0 < start }
                first = there
                // What it has of this epoch, and above, is what this tree says now.
                try next.leave(above: start - 1)
            } else {
                try next.leave(above: store.end - 1)
            }
        }
        var rest = epochs[...]
        while let start = rest.first {
            let group = Array(rest.prefix(max(group, leading(from: start, to: height).count)))
            rest.removeFirst(group.count)
            var headers = start == epochs[0] ? first : []
            let there = group.prefix { ($0 - start) * BlockHeader.size < headers.count }
            headers += try fetch(place, Array(group.dropFirst(there.count)), to: height, authority)
            let chain: HeaderBranch
            do { chain = try next.branch(headers, from: group[0]).onTime(now, &ahead) } catch let late
                as HeaderBranch.Ahead
            {
                throw fault(place, height, .headersAhead(late.time))
            }
            if chain.tip.height >= next.end { try next.install(chain) }
            progress(chain.tip.height, height)
        }
        let newest = newest(authority) ?? agreed.blockID
        guard let led = try next.block(at: height), goal == nil || led == goal else {
            throw fault(place, height, .leadsElsewhere(goal ?? newest))
        }
        if goal == nil, try !attests(led, authority) {
            throw fault(place, height, .tooFar(newest.height - agreed.height))
        }
        let before = try store.headers(from: epochs[0])
        try store.adopt(next)
        // What others attest may lie on the end of what was stored, and that has less work now.
        let left = before.isEmpty ? nil : try store.branch(before, from: epochs[0])
        adopted = (authority, place.url, left.flatMap { $0.headers.isEmpty ? nil : $0 })
        return nil
    }

    mutating func branch(
        _ headers: [UInt8], from start: Int, _ place: TreeReader.Place, _ height: Int
    ) throws -> HeaderBranch {
        do { return try store.branch(headers, from: start).onTime(now, &ahead) } catch let late
            as HeaderBranch.Ahead
        {
            throw fault(place, height, .headersAhead(late.time))
        }
    }

    /// The chain of a tree whose last headers continue the stored one, in the same epoch; nil if it has to be looked for
    /// further down.
    mutating func followLast(
        _ place: TreeReader.Place, to height: Int, _ authority: Int
    ) throws -> HeaderBranch? {
        let start = agreed.parameters.epochStart(of: height)
        let lowest = store.end - HeaderTail.depth - 1
        guard lowest > start, lowest <= height else { return nil }
        let reply = try reader.answer(
            .headers(lowest...height, agreed.parameters), at: pool.isEmpty ? [place] : pool, asking)
        bytes[authority] += reply.bytes
        guard let headers = reply.answer else {
            guard let fault = reply.faults.last else { return nil }
            switch fault.kind {
            case .wrongRange, .refused: return nil
            default: throw fault
            }
        }
        return try continued(by: headers, from: lowest)
    }

    /// The headers of epochs, one after the other: all of them are whole but the one that `height` lies in, which ends
    /// there.
    mutating func fetch(
        _ place: TreeReader.Place, _ epochs: [Int], to height: Int, _ authority: Int
    ) throws -> [UInt8] {
        var parts = [[UInt8]](repeating: [], count: epochs.count)
        var fault: Fault?
        var elsewhere: [Fault] = []
        var received = 0
        let parameters = agreed.parameters
        for (part, start) in epochs.enumerated() {
            let last = min(height, start + parameters.epoch - 1)
            try reader.ask(
                .headers(start...last, parameters), at: pool.isEmpty ? [place] : pool, asking
            ) { reply in
                received += reply.bytes
                if let headers = reply.answer {
                    parts[part] = headers
                    elsewhere += reply.faults.filter(\.isInvalid)
                } else {
                    fault = fault ?? reply.faults.last
                }
            }
        }
        try reader.run()
        bytes[authority] += received
        for fault in elsewhere {
            guard let i = heard.firstIndex(where: { $0.authority.name == fault.authority }),
                !problems[i].contains(where: { $0.url == fault.url })
            else { continue }
            problems[i].append(fault)
        }
        if let fault { throw fault }
        for (start, headers) in zip(epochs, parts) where start != parameters.epochStart(of: height) {
            guard headers.count == parameters.epoch * BlockHeader.size else {
                throw HeaderFault(.truncated, height: start + headers.count / BlockHeader.size)
            }
        }
        return Array(parts.joined())
    }
}

extension HeaderBranch {
    /// A header on the way is more than two hours ahead of this machine's clock.
    struct Ahead: Error {
        let time: Int64
    }

    func onTime(_ now: Int64, _ ahead: inout Int64?) throws(Ahead) -> HeaderBranch {
        guard Int64(latestTime) > now + Int64(HeaderRules.maxAhead) else { return self }
        ahead = max(ahead ?? 0, Int64(latestTime))
        throw Ahead(time: Int64(latestTime))
    }
}
