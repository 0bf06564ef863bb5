import Concord

/// Numbers, sizes and times as index.html prints them.
enum PageText {
    /// Three significant digits and a decimal unit: `812 bytes`, `12.3 kB`, `9.12 GB`.
    static func size(_ bytes: UInt64) -> String {
        bytes < 1000 ? "\(bytes) \(bytes == 1 ? "byte" : "bytes")" : "\(short(bytes, ["k", "M", "G", "T"]))B"
    }

    /// The same without a unit for bytes: `812`, `12.3 k`, `165 M`.
    static func count(_ number: UInt64) -> String {
        number < 10_000 ? String(number) : short(number, ["k", "M", "G", "T"])
    }

    private static func short(_ number: UInt64, _ units: [String]) -> String {
        var (unit, scale) = (0, UInt64(1000))
        // 999,500 is 1.00 M, not 1000 k.
        while unit + 1 < units.count, number >= scale * 1000 - scale / 2 {
            scale *= 1000
            unit += 1
        }
        let whole = number / scale
        let places: UInt64 = whole >= 100 ? 1 : whole >= 10 ? 10 : 100
        let rounded = (number % scale * places + scale / 2) / scale + whole * places
        let fraction = String(rounded % places + places).dropFirst()
        let zeros = fraction.reversed().prefix { $0 == "0" }.count
        let kept = fraction.dropLast(zeros)
        return "\(rounded / places)\(kept.isEmpty ? "" : ".\(kept)") \(units[unit])"
    }

    /// `2026-11-22 11:00:00 UTC`.
    static func time(_ seconds: Int64) -> String {
        let text = Timestamp.text(seconds)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
    }

    /// `2026-11-22`.
    static func date(_ seconds: Int64) -> String { String(Timestamp.text(seconds).prefix(10)) }

    /// How long something is, in the largest unit of which there are two: `90 seconds`, `45 minutes`, `17 years`.
    static func duration(_ seconds: Int64) -> String {
        let units: [(String, Int64)] = [
            ("years", 31_556_952), ("days", 86_400), ("hours", 3600), ("minutes", 60),
        ]
        for (name, unit) in units where seconds >= 2 * unit { return "\(seconds / unit) \(name)" }
        return seconds == 1 ? "1 second" : "\(max(0, seconds)) seconds"
    }
}
