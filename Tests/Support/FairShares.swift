/// How transfers share lines, as connections of TCP do in the long run: each gets as much as any other,
/// unless its sender or its host's line gives less; what those leave is shared by the rest.
struct FairShares {
    struct Flow {
        let host: String
        /// Bytes a second that its sender gives at most.
        let most: Double
    }

    /// Bytes a second of each flow.
    ///
    /// - Parameters:
    ///   - line: what the line has that all share.
    ///   - hosts: what the lines of hosts have; those that are not in it have no limit.
    static func rates(of flows: [Flow], line: Double, hosts: [String: Double]) -> [Double] {
        var rates = [Double](repeating: 0, count: flows.count)
        var open = Array(flows.indices)
        var level = 0.0
        var (lineLeft, hostsLeft) = (line, hosts)
        // All rise together until something is used up; what that holds down stays where it is.
        while !open.isEmpty {
            var counts: [String: Double] = [:]
            for index in open { counts[flows[index].host, default: 0] += 1 }
            var rise = lineLeft / Double(open.count)
            for index in open { rise = min(rise, flows[index].most - level) }
            for (host, count) in counts { rise = min(rise, (hostsLeft[host] ?? .infinity) / count) }
            guard rise.isFinite else {
                for index in open { rates[index] = .infinity }
                break
            }
            level += rise
            lineLeft -= rise * Double(open.count)
            for (host, count) in counts { hostsLeft[host]? -= rise * count }
            for index in open { rates[index] = level }
            let tiny = level * 1e-9
            open.removeAll {
                flows[$0].most - level <= tiny || lineLeft <= tiny
                    || (hostsLeft[flows[$0].host] ?? .infinity) <= tiny
            }
        }
        return rates
    }
}
