import Foundation
import Synchronization

/// What a host has, and how it answers: a request in, an answer out. The same script serves
/// `ScriptedTransport` and `ScriptedServer`.
public struct ScriptedSite: Sendable {
    public let answer: @Sendable (ScriptedRequest) -> ScriptedAnswer

    public init(_ answer: @escaping @Sendable (ScriptedRequest) -> ScriptedAnswer) {
        self.answer = answer
    }

    /// A good host of these files, by their paths.
    public init(files: [String: [UInt8]]) {
        self.init { request in
            files[request.path].map { ScriptedAnswer(file: $0, range: request.range) } ?? .notFound
        }
    }

    /// A good host of what a folder holds, now and later.
    public init(folder: String) {
        self.init { request in
            guard !request.path.split(separator: "/").contains(".."),
                let data = FileManager.default.contents(atPath: "\(folder)/\(request.path)")
            else { return .notFound }
            return ScriptedAnswer(file: [UInt8](data), range: request.range)
        }
    }

    /// Has nothing.
    public static let missing = ScriptedSite { _ in .notFound }
    /// Lets nobody in.
    public static let forbidden = ScriptedSite { _ in ScriptedAnswer(403, Array("forbidden\n".utf8)) }
    /// Nobody listens.
    public static let refusing = ScriptedSite { _ in ScriptedAnswer(.refuses) }
    /// No packet comes back.
    public static let vanished = ScriptedSite { _ in ScriptedAnswer(.vanishes) }
    /// Connections stand, and no answer comes.
    public static let hanging = ScriptedSite { _ in ScriptedAnswer(.hangs) }
}

// The same site, worse.
extension ScriptedSite {
    /// Changes answers that the site gives.
    public func bent(_ bend: @escaping @Sendable (ScriptedRequest, inout ScriptedAnswer) -> Void)
        -> ScriptedSite
    {
        ScriptedSite { request in
            var answer = self.answer(request)
            bend(request, &answer)
            return answer
        }
    }

    /// Gives other bytes for one path; ranges of them too.
    public func replacing(_ path: String, by bytes: [UInt8]) -> ScriptedSite {
        replacing(path) { ScriptedAnswer(file: bytes, range: $0.range) }
    }

    /// Gives another answer for one path.
    public func replacing(
        _ path: String, by answer: @escaping @Sendable (ScriptedRequest) -> ScriptedAnswer
    ) -> ScriptedSite {
        ScriptedSite { $0.path == path ? answer($0) : self.answer($0) }
    }

    /// Lacks some paths.
    public func missing(_ paths: Set<String>) -> ScriptedSite {
        ScriptedSite { paths.contains($0.path) ? .notFound : self.answer($0) }
    }

    /// Answers with a page that says 200 where it has nothing.
    public var soft404: ScriptedSite {
        bent { request, answer in
            guard answer.status == 404 else { return }
            answer = ScriptedAnswer(
                200, Array("<!DOCTYPE html><title>Not found</title>".utf8),
                headers: ["Content-Type": "text/html"])
        }
    }

    /// Forbids some paths.
    public func forbidding(_ paths: Set<String>) -> ScriptedSite {
        ScriptedSite { paths.contains($0.path) ? Self.forbidden.answer($0) : self.answer($0) }
    }

    /// Gives whole files, whatever part is asked for.
    public var withoutRanges: ScriptedSite {
        ScriptedSite {
            self.answer(ScriptedRequest(path: $0.path, range: nil, count: $0.count, time: $0.time))
        }
    }

    /// Lies in a folder of a host that has nothing else.
    public func below(_ folder: String) -> ScriptedSite {
        ScriptedSite {
            guard $0.path.hasPrefix("\(folder)/") else { return .notFound }
            let path = String($0.path.dropFirst(folder.count + 1))
            return self.answer(ScriptedRequest(path: path, range: $0.range, count: $0.count, time: $0.time))
        }
    }

    /// Sends no more than so many bytes a second in each answer.
    public func rate(_ bytesPerSecond: Int) -> ScriptedSite { bent { $1.rate = bytesPerSecond } }

    /// The same in a fraction of the time: for a script that is played over a socket.
    public func faster(by factor: Int) -> ScriptedSite {
        bent {
            $1.delay /= factor
            $1.rate = $1.rate.map { $0 * factor }
        }
    }

    /// Thinks so long before each answer.
    public func delayed(_ delay: Duration) -> ScriptedSite { bent { $1.delay += delay } }

    /// Sends nothing more after so many bytes of a body.
    public func stalling(after count: Int) -> ScriptedSite { bent { $1.stallsAfter = count } }

    /// Breaks the connection after so many bytes of a body, for each path so many times.
    public func breaking(after count: Int, times: Int = .max) -> ScriptedSite {
        bent { if $0.count <= times { $1.breaksAfter = count } }
    }

    /// Answers only so many requests, and those above that with a status that asks for fewer.
    public func limited(by bucket: TokenBucket, status: Int = 429, retryAfter: Int? = nil) -> ScriptedSite {
        ScriptedSite { request in
            guard !bucket.takes(at: request.time) else { return self.answer(request) }
            return ScriptedAnswer(status, headers: retryAfter.map { ["Retry-After": "\($0)"] } ?? [:])
        }
    }

    public func limited(rate: Double, burst: Int, status: Int = 429, retryAfter: Int? = nil) -> ScriptedSite {
        limited(by: TokenBucket(rate: rate, burst: burst), status: status, retryAfter: retryAfter)
    }

    /// Answers so until a request, and from it on as another site, for good: to play it again, make it again.
    public func until(
        _ begins: @escaping @Sendable (ScriptedRequest) -> Bool, then other: ScriptedSite
    ) -> ScriptedSite {
        let isOver = Atomic(false)
        return ScriptedSite { request in
            if begins(request) { isOver.store(true, ordering: .relaxed) }
            return isOver.load(ordering: .relaxed) ? other.answer(request) : self.answer(request)
        }
    }
}
