/// Times as attestations hold them: `2026-11-22T11:00:00Z`, UTC, whole seconds, years 1970 to 9999.
public enum Timestamp {
    public static func text(_ seconds: Int64) -> String {
        let (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, dayOfMonth) = civil(fromDay: day)
        return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(dayOfMonth, 2) + "T" + pad(second / 3600, 2)
            + ":"
            + pad(second / 60 % 60, 2) + ":" + pad(second % 60, 2) + "Z"
    }

    /// Seconds since 1970, or nil for anything that `text` would not print.
    public static func seconds(_ text: String) -> Int64? {
        let digits = Array(text.utf8)
        guard digits.count == 20 else { return nil }
        let number = { (range: Range<Int>) in
            digits[range].reduce(Int64(0)) { $0 * 10 + Int64($1) - 0x30 }
        }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else {
            return nil
        }
        let seconds =
            Self.day(fromYear: year, month: month, day: day) * 86_400 + number(11..<13) * 3600
            + number(14..<16) * 60 + number(17..<19)
        return seconds >= 0 && self.text(seconds) == text ? seconds : nil
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Days since 1970 of a date of the Gregorian calendar; years are counted from March, so that leap days come last.
    private static func day(fromYear year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let yearOfEra = y % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return y / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(fromDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = day + 719_468
        let dayOfEra = z % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (
            z / 146_097 * 400 + yearOfEra + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * shifted + 2) / 5 + 1
        )
    }
}
