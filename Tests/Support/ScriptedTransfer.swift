import ConcordTransfers
import Foundation

/// A request of `ScriptedTransport` on its way: what `CurlTransport` would make of an answer.
final class ScriptedTransfer {
    enum Phase {
        /// The host has heard of it at this time.
        case asking(Duration)
        /// The headers are there at this time; never if nil.
        case waiting(Duration?)
        /// Bytes of the body come.
        case receiving
        /// Nothing more comes.
        case stalled
    }

    /// What comes after the last byte that comes.
    private enum Finish: Equatable {
        case whole
        case stalls
        case fails(Failure.Kind)
    }

    /// As `CurlTransport` has them.
    private static let maxDropped = 65536
    static let maxRedirects = 3

    let request: Request
    let began: Duration
    var phase = Phase.asking(.zero)
    /// Where it is now, after redirects.
    var address: WebAddress
    var host: String { address.host }
    var redirects = 0
    /// What the host says, once it has been asked.
    var answer = ScriptedAnswer()
    private let part: ScriptedPart?

    /// Bytes of the body that came, and fractions of one.
    var position = 0.0
    /// Bytes a second now.
    var rate = 0.0
    /// When the last byte comes at that rate.
    var lastByte: Duration?
    /// How many bytes of the body come.
    private(set) var size = 0
    private var finish = Finish.whole
    private var refusal: Failure.Kind?

    init(_ request: Request, at address: WebAddress, _ now: Duration) throws(Failure.Kind) {
        if let range = request.range, range.isEmpty || range.lowerBound < 0 { throw .wrongRange }
        (self.request, self.address, began) = (request, address, now)
        if case .file(let path) = request.destination {
            part = try ScriptedPart(at: path, resumed: request.resumed)
        } else {
            part = nil
        }
    }

    /// What is asked of the host.
    var span: ScriptedRequest.Span? {
        if let range = request.range { return .init(first: range.lowerBound, last: range.upperBound - 1) }
        return request.resumed > 0 ? .init(first: request.resumed) : nil
    }

    /// Redirects are for files.
    private var followsRedirects: Bool {
        request.post == nil && request.login == nil && !request.takesEveryStatus
    }

    /// Body bytes that were taken.
    var received: Int { refusal == nil ? min(Int(position), mostTaken) : 0 }

    /// Bytes of this transfer that the limit and the range let in.
    private var mostTaken: Int {
        isNothingLeft ? 0 : min(request.limit - before, request.range?.count ?? .max)
    }

    /// Whether the host says that the part is all there is; what comes is a page that says so.
    private var isNothingLeft: Bool { answer.status == 416 && !request.takesEveryStatus && refusal == nil }

    /// Bytes that are in the part file and do not come again.
    private var before: Int {
        request.resumed > 0 && [206, 416].contains(answer.status) ? request.resumed : 0
    }

    /// When something happens next by itself.
    var next: Duration? {
        var next: Duration?
        switch phase {
        case .asking(let time): next = time
        case .waiting(let time): next = time
        case .receiving: next = lastByte
        case .stalled: break
        }
        guard let deadline = request.deadline.map({ began + $0 }) else { return next }
        return min(next ?? deadline, deadline)
    }

    /// Where the answer leads, if anywhere else.
    func redirect() throws(Failure.Kind) -> WebAddress? {
        guard followsRedirects, [301, 302, 303, 307, 308].contains(answer.status),
            let location = answer.header("Location")
        else { return nil }
        redirects += 1
        guard redirects <= Self.maxRedirects else {
            throw .network("Maximum (\(Self.maxRedirects)) redirects followed")
        }
        guard let url = URL(string: location, relativeTo: URL(string: address.url))?.absoluteString,
            let next = try? WebAddress(url), next.isWeb
        else { throw .network("a redirect that leads nowhere") }
        if request.url.hasPrefix("https:"), !next.url.hasPrefix("https:") {
            throw .network("Protocol \"http\" not supported or disabled in libcurl")
        }
        return next
    }

    /// Takes in the headers. Gives the result where they decide it.
    func takeHeaders() -> Result<Body, Failure>? {
        refusal = Self.refusal(of: request, answer)
        let largest = request.takesEveryStatus ? request.limit : max(request.limit, Self.maxDropped)
        if let announced = answer.announced, announced > largest {
            return fail(refusal ?? .tooLarge(limit: request.limit))
        }
        (size, finish) = (answer.seen, .whole)
        func stop(at count: Int?, _ finish: Finish) {
            if let count, count < size { (size, self.finish) = (count, finish) }
        }
        func refuse(from count: Int, _ kind: Failure.Kind) {
            if count <= size { (size, self.finish) = (count, .fails(kind)) }
        }
        // To the client, what has the announced length is whole whatever comes after it.
        if let announced = answer.announced, announced > answer.body.count {
            finish = .fails(.network("transfer closed with \(announced - answer.body.count) bytes remaining"))
        } else if answer.announced == nil {
            if let stalls = answer.stallsAfter, stalls <= size { finish = .stalls }
            if let breaks = answer.breaksAfter, breaks <= size { finish = .fails(Self.reset) }
        }
        stop(at: answer.stallsAfter, .stalls)
        stop(at: answer.breaksAfter, .fails(Self.reset))
        if let refusal {
            refuse(from: Self.maxDropped + 1, refusal)
        } else if !isNothingLeft {
            if let range = request.range { refuse(from: range.count + 1, .wrongRange) }
            refuse(from: request.limit - before + 1, .tooLarge(limit: request.limit))
        }
        phase = .receiving
        return nil
    }

    private static let reset = Failure.Kind.network("Recv failure: Connection reset by peer")

    /// Whether the connection can carry the next request.
    var leavesConnection: Bool { finish == .whole && answer.announced != nil && Int(position) == size }

    /// Takes in the last byte that comes. Gives the result, unless it stalls.
    func takeLastByte(isMultiplexed: Bool) -> Result<Body, Failure>? {
        position = Double(size)
        switch finish {
        case .stalls:
            phase = .stalled
            return nil
        case .fails(let kind): return fail(refusal ?? kind)
        case .whole: break
        }
        if let refusal { return fail(refusal) }
        if let range = request.range, received != range.count { return fail(.wrongRange) }
        var body = Body(bytes: [], count: received, status: answer.status, isMultiplexed: isMultiplexed)
        do throws(Failure.Kind) {
            if let part {
                try part.keep(bytes, behind: before)
            } else {
                body.bytes = Array(bytes)
            }
        } catch {
            return fail(error)
        }
        return .success(body)
    }

    private var bytes: ArraySlice<UInt8> { answer.body.prefix(received) }

    /// Ends it. The part file goes, unless the request keeps it and another one can go on with it.
    func fail(_ kind: Failure.Kind) -> Result<Body, Failure> {
        var isKept = false
        switch kind {
        case .timedOut, .givenUp, .network, .unreachable, .busy, .refused(status: 408),
            .refused(status: 500...):
            isKept = request.keepsPart
        default: break
        }
        if isKept, received > 0 {
            try? part?.keep(bytes, behind: before)
        } else if !isKept || request.resumed == 0 {
            part?.remove()
        }
        return .failure(Failure(url: WebAddress.shown(request.url), kind: kind, received: received))
    }

    /// Why the answer is not the one that was asked for.
    private static func refusal(of request: Request, _ answer: ScriptedAnswer) -> Failure.Kind? {
        if request.takesEveryStatus { return nil }
        let contentRange = answer.header("Content-Range") ?? ""
        switch (answer.status, request.range) {
        case (200, nil): return nil
        case (206, nil) where request.resumed > 0:
            // From where the part ends to the end of a file that is not too large.
            let start = "bytes \(request.resumed)-"
            let numbers = contentRange.dropFirst(start.count).split(separator: "/").map { Int($0) }
            guard contentRange.hasPrefix(start), numbers.count == 2, let last = numbers[0],
                let all = numbers[1],
                last + 1 == all, all <= request.limit
            else { return .wrongRange }
            return nil
        case (206, let range?):
            return contentRange.hasPrefix("bytes \(range.lowerBound)-\(range.upperBound - 1)/")
                ? nil : .wrongRange
        case (416, nil) where request.resumed > 0:
            let isAll = request.resumed <= request.limit && contentRange == "bytes */\(request.resumed)"
            return isAll ? nil : .wrongRange
        case (200, _?), (416, _?): return .wrongRange
        case (404, _), (410, _): return .notFound
        case (429, _), (503, _):
            let seconds = answer.header("Retry-After").flatMap { Int($0) } ?? 0
            return .busy(status: answer.status, retryAfter: seconds > 0 ? .seconds(seconds) : nil)
        case (let status, _): return .refused(status: status)
        }
    }
}
