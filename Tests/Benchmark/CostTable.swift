/// The rows of a benchmark, for people and for programs.
struct CostTable {
    let rows: [WalletBench.Row]

    /// How many rows are shown by kind of file.
    private static let shownByKind = 6

    /// One line a row, and below them what the largest rows are made of.
    var text: String {
        let head = ["wallet", "situation", "held", "bytes", "requests", "headers", "BIP157", "seconds"]
        let costs = rows.map { row in
            [
                row.wallet, row.situation, "\(row.held)", Self.size(row.bytes),
                "\(row.traffic.total.requests)", Self.size(row.traffic[.headers].bytes),
                Self.size(row.filterBytes), "\(tenths: row.seconds)",
            ]
        }
        let largest = rows.sorted { $0.bytes > $1.bytes }.prefix(Self.shownByKind)
        let kinds = Traffic.Kind.allCases
        let parts = largest.map { row in
            [row.wallet, row.situation]
                + kinds.map { kind in
                    let count = row.traffic[kind]
                    return count.requests == 0 ? "" : "\(Self.size(count.bytes)) (\(count.requests))"
                }
        }
        return Self.lines([head] + costs) + "\nBytes (requests) of the largest, by kind of file:\n\n"
            + Self.lines([["wallet", "situation"] + kinds.map(\.rawValue)] + parts)
    }

    /// As the table has it, and all kinds of files. Of headers only the bytes are left out of `bytes`.
    struct JSONRow: Encodable {
        let wallet: String
        let from: Int?
        let to, held, followed, bytes, requests, headerBytes, filterBytes: Int
        let seconds: Double
        let kinds: Traffic
    }

    var json: [JSONRow] {
        rows.map { row in
            JSONRow(
                wallet: row.wallet, from: row.from, to: row.to, held: row.held, followed: row.followed,
                bytes: row.bytes, requests: row.traffic.total.requests,
                headerBytes: row.traffic[.headers].bytes, filterBytes: row.filterBytes, seconds: row.seconds,
                kinds: row.traffic)
        }
    }

    /// Thousands or millions of bytes.
    static func size(_ bytes: Int) -> String {
        bytes < 1_000_000
            ? "\(tenths: Double(bytes) / 1000) kB" : "\(tenths: Double(bytes) / 100_000 / 10) MB"
    }

    /// Columns as wide as they must be; the first two begin at the left.
    private static func lines(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column < 2 ? cell.0 + space : space + cell.0
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}

extension WalletBench.Row {
    var situation: String {
        guard let from else { return "first start at \(to)" }
        return "\(to - from) block\(to - from == 1 ? "" : "s") to \(to)"
    }
}

extension DefaultStringInterpolation {
    /// A number with one digit behind the point.
    mutating func appendInterpolation(tenths value: Double) {
        let tenths = Int((value * 10).rounded())
        appendLiteral("\(tenths / 10).\(tenths % 10)")
    }
}
