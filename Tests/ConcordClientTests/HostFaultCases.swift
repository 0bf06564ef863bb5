import Concord
import TestSupport

@testable import ConcordClient

extension HostFault {
    static let cases: [HostFault] =
        statuses + lengths + contents + manners + ranges + states + uploads + compressed

    /// What a host says instead of a file.
    private static let statuses = [
        HostFault("201", bent { $1.status = 201 }, "none", "refused authority"),
        HostFault("204", status(204), "none", "refused authority"),
        HostFault(
            "206 unasked", bent { $1.status = 206 }, "none", "refused authority"),
        HostFault(
            "redirects for ever", answers { ScriptedAnswer(301, headers: ["Location": "/tree/\($0.path)"]) },
            "none", "broken authority"),
        HostFault(
            "redirect to nowhere", status(302, ["Location": "http://nowhere.example/"]), "none",
            "unreachable authority"),
        HostFault("304", status(304), "none", "refused authority"),
        HostFault("400", status(400), "none", "refused authority"),
        HostFault("401", status(401), "none", "forbidden authority"),
        HostFault("403", status(403), "none", "forbidden authority"),
        HostFault("404", status(404), "none", "absent authority"),
        HostFault("408", status(408), "none", "refused authority"),
        HostFault("410", status(410), "none", "absent authority"),
        HostFault("416", status(416), "none", "refused authority"),
        HostFault("418", status(418), "none", "refused authority"),
        HostFault("429", status(429), "none", "givenUp authority", mirror: "busy authority"),
        HostFault(
            "429 for a day", status(429, ["Retry-After": "86400"]), "none", "busy authority"),
        HostFault("500", status(500), "none", "refused authority"),
        HostFault(
            "500 now and then", bent { if isFlaky($0) { $1 = ScriptedAnswer(500) } }, "65",
            "refused attestation, refused manifest, refused shard"),
        HostFault("502", status(502), "none", "refused authority"),
        HostFault("503", status(503), "none", "givenUp authority", mirror: "busy authority"),
        HostFault("504", status(504), "none", "refused authority"),
        HostFault("999", status(999), "none", "refused authority"),
        HostFault("404 of shards", status(404, of: .shard), "65", fetch: "no shard: absent", "absent shard"),
        HostFault(
            "403 of patches", status(403, of: .patch), "65", fetch: "no patch: forbidden", "forbidden patch"),
        HostFault(
            "500 of shards", status(500, of: .shard), "65", fetch: "no shard: refused refused refused",
            "refused shard"),
        HostFault("503 of patches", status(503, of: .patch), "65", fetch: "no patch: busy", "busy patch"),
        HostFault(
            "404 of headers", status(404, of: .headers), "noHeaders", "absent headers"),
    ]

    /// Whether a request is the first for one of every three files.
    private static func isFlaky(_ request: ScriptedRequest) -> Bool {
        request.count == 1 && request.path.utf8.reduce(0) { $0 + Int($1) } % 3 == 0
    }

    /// Files that end before or behind their end.
    private static let lengths = [
        HostFault(
            "cut at 0", bent { $1.breaksAfter = 0 }, "none", "broken authority"),
        HostFault(
            "cut at 1", bent { $1.breaksAfter = 1 }, "none", "broken authority"),
        HostFault(
            "cut before the last byte", bent { $1.breaksAfter = $1.body.count - 1 }, "none",
            "broken authority"),
        HostFault(
            "shorter than announced",
            bent { ($1.length, $1.body) = (.bytes($1.body.count), $1.body.dropLast()) }, "none",
            "broken authority"),
        HostFault(
            "ends at 0", bytes { _ in [] }, "none", "malformed authority"),
        HostFault(
            "ends at 1", bytes { Array($0.prefix(1)) }, "none", "malformed authority"),
        HostFault(
            "lacks the last byte", bytes { $0.dropLast() }, "none", "malformed authority"),
        HostFault(
            "a byte more", bytes { $0 + [0] }, "none", "malformed authority"),
        HostFault("length unknown", bent { $1.length = .none }, "65", ""),
        HostFault(
            "length unknown, cut", bent { ($1.length, $1.body) = (.none, $1.body.dropLast()) }, "none",
            "malformed authority"),
        HostFault(
            "more than announced", bent { ($1.length, $1.body) = (.bytes($1.body.count), $1.body + [7, 7]) },
            "65", ""),
        HostFault(
            "endless", bent { ($1.length, $1.body) = (.none, $1.body + endless) }, "none",
            "tooLarge authority"),
        HostFault(
            "endless, announced", bent { $1.body += endless }, "none", "tooLarge authority"),
        HostFault(
            "shards endless", bent(.shard) { ($1.length, $1.body) = (.none, $1.body + endless) }, "65",
            fetch: "no shard: tooLarge", "tooLarge shard"),
        HostFault(
            "headers shorter", bytes(.headers) { $0.dropLast(80) }, "noHeaders", "header headers"),
        HostFault(
            "headers cut", bytes(.headers) { $0.dropLast(33) }, "noHeaders", "header headers"),
        HostFault(
            "headers longer", bytes(.headers) { $0 + $0.suffix(80) }, "noHeaders", "tooLarge headers"),
    ]

    private static let endless = [UInt8](repeating: 0x30, count: 2 << 20)

    /// How it comes, or does not.
    private static let manners = [
        HostFault(
            "hangs", bent { $1 = ScriptedAnswer(.hangs) }, "none", "givenUp authority, slow authority",
            mirror: "slow authority"),
        HostFault(
            "stalls behind the headers", bent { $1.stallsAfter = 0 }, "none",
            "givenUp authority, slow authority", mirror: "slow authority"),
        HostFault(
            "stalls after half", bent { $1.stallsAfter = $1.body.count / 2 }, "none",
            "givenUp authority, slow authority", mirror: "slow authority"),
        HostFault(
            "shards stall after half", bent(.shard) { $1.stallsAfter = $1.body.count / 2 }, "65",
            fetch: "no shard: slow slow slow", "slow shard"),
        HostFault("trickles", bent { $1.rate = 200 }, "65", ""),
        HostFault(
            "trickles below all patience", bent { $1.rate = 1 }, "none",
            "givenUp authority, slow authority", mirror: "slow authority"),
        HostFault(
            "reset now and then", bent { if isFlaky($0) { $1.breaksAfter = $1.body.count / 2 } }, "65",
            "broken attestation, broken manifest, broken shard"),
        HostFault(
            "reset", bent { $1.breaksAfter = $1.body.count / 2 }, "none", "broken authority"),
        HostFault(
            "shards reset", bent(.shard) { $1.breaksAfter = $1.body.count / 2 }, "65",
            fetch: "no shard: broken broken broken", "broken shard"),
        HostFault(
            "refuses", bent { $1 = ScriptedAnswer(.refuses) }, "none", "unreachable authority"),
        HostFault(
            "refuses now and then", bent { if isFlaky($0) { $1 = ScriptedAnswer(.refuses) } }, "65",
            "unreachable attestation, unreachable manifest, unreachable shard"),
        HostFault(
            "vanished", bent { $1 = ScriptedAnswer(.vanishes) }, "none", "timedOut authority"),
        HostFault(
            "hangs up", bent { $1 = ScriptedAnswer(.hangsUp) }, "none", "broken authority"),
        HostFault(
            "hangs up now and then", bent { if isFlaky($0) { $1 = ScriptedAnswer(.hangsUp) } }, "65",
            "broken attestation, broken manifest, broken shard"),
        HostFault(
            "goes away", { $0.site.until({ HostFault.Files($0.path) == .manifest }, then: .refusing) }, "65",
            fetch: "no manifest: unreachable unreachable unreachable", "unreachable manifest",
            mirror: "unreachable manifest"),
        HostFault("slow to answer", bent { $1.delay = .seconds(3) }, "65", ""),
    ]

    /// Parts of files.
    private static let ranges = [
        HostFault("no ranges", { $0.site.withoutRanges }, "65", ""),
        HostFault(
            "another range", bent { if $0.range != nil { $1.headers["Content-Range"] = "bytes 0-79/1600" } },
            "65", ""),
        HostFault("range without its place", bent { if $0.range != nil { $1.headers = [:] } }, "65", ""),
        HostFault(
            "range too short", bent { if $0.range != nil { $1.body = $1.body.dropLast(80) } }, "65", ""),
        HostFault("range too long", bent { if $0.range != nil { $1.body += $1.body } }, "65", ""),
        HostFault("416 to ranges", bent { if $0.range != nil { $1 = ScriptedAnswer(416) } }, "65", ""),
        HostFault("501 to ranges", bent { if $0.range != nil { $1 = ScriptedAnswer(501) } }, "65", ""),
    ]
}
