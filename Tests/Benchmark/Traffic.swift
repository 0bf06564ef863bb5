/// What was asked for and what came, by kind of file.
struct Traffic: Sendable, Equatable {
    enum Kind: String, CaseIterable, Sendable {
        case attestations, headers, manifest, filters, shards, directories, changes, muhashes, other

        /// - Parameter start: the first byte that is asked for; nil for the whole file.
        init(path: String, start: Int?) {
            let parts = path.split(separator: "/")
            switch parts.first {
            case "attestations": self = .attestations
            case "headers": self = .headers
            case "muhashes": self = .muhashes
            // The directory is what such a file begins with.
            case "patches", "deltas": self = start == 0 ? .directories : .changes
            case "snapshots":
                switch parts.dropFirst(2).first {
                case "manifest.txt": self = .manifest
                case "filters": self = .filters
                case "shards": self = .shards
                default: self = .other
                }
            default: self = .other
            }
        }
    }

    struct Count: Sendable, Equatable, Encodable {
        var requests = 0
        /// Of bodies.
        var bytes = 0

        static func + (a: Count, b: Count) -> Count {
            Count(requests: a.requests + b.requests, bytes: a.bytes + b.bytes)
        }
    }

    private var counts: [Kind: Count] = [:]

    subscript(kind: Kind) -> Count { counts[kind] ?? Count() }

    /// All kinds together.
    var total: Count { counts.values.reduce(Count(), +) }

    mutating func ask(_ kind: Kind) { counts[kind, default: Count()].requests += 1 }
    mutating func receive(_ bytes: Int, of kind: Kind) { counts[kind, default: Count()].bytes += bytes }
}

extension Traffic: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(counts.reduce(into: [:]) { $0[$1.key.rawValue] = $1.value })
    }
}
