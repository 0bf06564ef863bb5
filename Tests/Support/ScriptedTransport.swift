import ConcordTransfers
import Foundation

/// Hosts and a line in memory, in time that is made up: it passes only in `wait`, which never sleeps. What
/// requests come to is what `CurlTransport` would say.
///
/// Whoever waits for other threads sees this time fly: a `TransferScheduler` needs `checkers` 0 here. Hosts
/// have no addresses, so redirects lead anywhere.
public final class ScriptedTransport: Transport, @unchecked Sendable {
    /// A request as it was begun.
    public struct Asked: Sendable {
        public let url: String
        public let range: ScriptedRequest.Span?
        public let time: Duration
    }

    /// What is at the other end of one connection.
    private struct Host {
        var latency: Duration
        var bandwidth: Double
        var isMultiplexed: Bool
        /// Connections that are kept for the next request.
        var idle = 0
    }

    public private(set) var now: Duration = .zero
    /// All that was asked, also of hosts that are not there.
    public private(set) var requests: [Asked] = []
    /// Connections that were made or tried.
    public private(set) var connections = 0
    /// Bytes of bodies that came over the line.
    public var bytes: Int { bytesOfEnded + transfers.values.reduce(0) { $0 + Int($1.position) } }

    private let connect: Duration
    private let bandwidth: Double
    private var sites: [(base: String, site: ScriptedSite)] = []
    private var hosts: [String: Host] = [:]
    private var counts: [String: Int] = [:]
    private var transfers: [Int: ScriptedTransfer] = [:]
    private var ended: [TransferEnd] = []
    private var bytesOfEnded = 0
    /// Whether other transfers share the line than when it was last shared out.
    private var isChanged = false

    /// - Parameters:
    ///   - bandwidth: bytes a second of the line that all hosts share; as much as they give if nil.
    ///   - connect: how long a connection may take.
    public init(bandwidth: Int? = nil, connect: Duration = .seconds(15)) {
        self.bandwidth = bandwidth.map(Double.init) ?? .infinity
        self.connect = connect
    }

    /// Puts a site below a URL without a slash at its end. What the host is like is as the last one of its
    /// sites says.
    ///
    /// - Parameters:
    ///   - latency: a round trip; a new connection takes one, and a request another one.
    ///   - bandwidth: bytes a second of the host's line.
    ///   - isMultiplexed: whether a connection carries many requests (HTTP/2).
    public func add(
        _ site: ScriptedSite, at base: String, latency: Duration = .milliseconds(20), bandwidth: Int? = nil,
        isMultiplexed: Bool = false
    ) {
        guard let address = try? WebAddress(base) else { fatalError("\(base) is no URL") }
        sites.removeAll { $0.base == base }
        sites.append((base, site))
        hosts[address.host] = Host(
            latency: latency, bandwidth: bandwidth.map(Double.init) ?? .infinity, isMultiplexed: isMultiplexed
        )
        isChanged = true
    }

    /// The requests below a URL.
    public func requests(below base: String) -> [Asked] { requests.filter { $0.url.hasPrefix(base) } }

    public func start(_ request: Request, as id: Int) {
        do throws(Failure.Kind) {
            let address = try WebAddress(request.url)
            guard address.isWeb else { throw .badURL("its scheme is not http or https") }
            let transfer = try ScriptedTransfer(request, at: address, now)
            transfers[id] = transfer
            ask(transfer)
        } catch {
            ended.append(TransferEnd(id, .failure(Failure(url: WebAddress.shown(request.url), kind: error))))
        }
    }

    public func cancel(_ id: Int) {
        ended.removeAll { $0.id == id }
        guard let transfer = transfers.removeValue(forKey: id) else { return }
        _ = transfer.fail(.givenUp)
        bytesOfEnded += Int(transfer.position)
        isChanged = true
    }

    public func received(_ id: Int) -> Int { transfers[id]?.received ?? 0 }

    public func wake() {}

    public func wait(until time: Duration?) -> [TransferEnd] {
        while ended.isEmpty {
            share()
            let next = transfers.values.compactMap(\.next).min()
            guard let next, next <= time ?? next else {
                guard let time else { fatalError("nothing is under way that could ever end") }
                advance(to: time)
                break
            }
            advance(to: next)
            let due = transfers.filter { $1.next.map { $0 <= now } ?? false }
            for (id, transfer) in due.sorted(by: { $0.key < $1.key }) {
                guard let result = step(transfer) else { continue }
                transfers[id] = nil
                bytesOfEnded += Int(transfer.position)
                ended.append(TransferEnd(id, result))
            }
        }
        defer { ended.removeAll() }
        return ended
    }

    /// Sends a request on its way.
    private func ask(_ transfer: ScriptedTransfer) {
        requests.append(Asked(url: transfer.address.url, range: transfer.span, time: now))
        guard let host = hosts[transfer.host] else { return transfer.phase = .asking(now) }
        var trips = 0.5
        if host.idle > 0 {
            if !host.isMultiplexed { hosts[transfer.host]?.idle -= 1 }
        } else {
            connections += 1
            trips += 1
        }
        transfer.phase = .asking(now + host.latency * trips)
    }

    /// Moves a transfer on whose time has come. Gives its result if that ends it.
    private func step(_ transfer: ScriptedTransfer) -> Result<Body, Failure>? {
        isChanged = true
        if let deadline = transfer.request.deadline, now >= transfer.began + deadline {
            return transfer.fail(
                .timedOut("Operation timed out after \(deadline / .milliseconds(1)) milliseconds"))
        }
        switch transfer.phase {
        case .asking: return arrive(transfer)
        case .waiting: return takeHeaders(transfer)
        case .receiving:
            let result = transfer.takeLastByte(isMultiplexed: hosts[transfer.host]?.isMultiplexed ?? false)
            if result != nil, transfer.leavesConnection { keepConnection(to: transfer.host) }
            return result
        case .stalled: return nil
        }
    }

    /// The host is asked.
    private func arrive(_ transfer: ScriptedTransfer) -> Result<Body, Failure>? {
        let url = transfer.address.url
        guard let host = hosts[transfer.host],
            let place = sites.filter({ url.hasPrefix("\($0.base)/") }).max(by: {
                $0.base.count < $1.base.count
            })
        else { return transfer.fail(.unreachable("Could not resolve host")) }
        let encoded = url.dropFirst(place.base.count + 1).prefix { $0 != "?" && $0 != "#" }
        counts[url, default: 0] += 1
        let asked = ScriptedRequest(
            path: String(encoded).removingPercentEncoding ?? String(encoded), range: transfer.span,
            count: counts[url] ?? 1, time: now)
        let answer = place.site.answer(asked)
        transfer.answer = answer
        switch answer.manner {
        case .answers: transfer.phase = .waiting(now + host.latency * 0.5 + answer.delay)
        case .hangsUp, .refuses: transfer.phase = .waiting(now + host.latency * 0.5)
        case .vanishes: transfer.phase = .waiting(max(now, transfer.began + connect))
        case .hangs: transfer.phase = .waiting(nil)
        }
        return nil
    }

    private func takeHeaders(_ transfer: ScriptedTransfer) -> Result<Body, Failure>? {
        switch transfer.answer.manner {
        case .answers, .hangs: break
        case .hangsUp: return transfer.fail(.network("Empty reply from server"))
        case .refuses: return transfer.fail(.unreachable("Connection refused"))
        case .vanishes: return transfer.fail(.timedOut("Connection timed out"))
        }
        do throws(Failure.Kind) {
            if let next = try transfer.redirect() {
                keepConnection(to: transfer.host)
                transfer.address = next
                ask(transfer)
                return nil
            }
        } catch {
            return transfer.fail(error)
        }
        return transfer.takeHeaders()
    }

    private func keepConnection(to host: String) {
        guard let known = hosts[host] else { return }
        hosts[host]?.idle = known.isMultiplexed ? 1 : known.idle + 1
    }

    private func advance(to time: Duration) {
        guard time > now else { return }
        let seconds = (time - now) / .seconds(1)
        for transfer in transfers.values {
            guard case .receiving = transfer.phase else { continue }
            transfer.position = min(transfer.position + transfer.rate * seconds, Double(transfer.size))
        }
        now = time
    }

    /// Shares out the line among the transfers that receive something.
    private func share() {
        guard isChanged else { return }
        isChanged = false
        let receiving = transfers.values.filter {
            if case .receiving = $0.phase { true } else { false }
        }
        let rates = FairShares.rates(
            of: receiving.map {
                FairShares.Flow(host: $0.host, most: $0.answer.rate.map(Double.init) ?? .infinity)
            },
            line: bandwidth, hosts: hosts.mapValues(\.bandwidth))
        for (transfer, rate) in zip(receiving, rates) {
            transfer.rate = rate
            let left = Double(transfer.size) - transfer.position
            transfer.lastByte = left <= 0 ? now : rate > 0 ? now + .seconds(left / rate) : nil
        }
    }
}
