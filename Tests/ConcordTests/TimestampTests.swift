import TestSupport
import Foundation
import Testing

@testable import Concord

@Suite struct TimestampTests {
    static let last: Int64 = 253_402_300_799

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_795_345_200, "2026-11-22T11:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (951_868_800, "2000-03-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
            (68_169_600, "1972-02-29T00:00:00Z"), (94_694_399, "1972-12-31T23:59:59Z"),
            (last, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func knownTimes(seconds: Int64, text: String) {
        #expect(Timestamp.text(seconds) == text)
        #expect(Timestamp.seconds(text) == seconds)
    }

    @Test func asFoundationsCalendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        var random = SeededRandom()
        for _ in 0..<3000 {
            let seconds = Int64.random(in: 0...Self.last, using: &random)
            let date = Date(timeIntervalSince1970: Double(seconds))
            let part = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
            let text = String(
                format: "%04d-%02d-%02dT%02d:%02d:%02dZ", part.year ?? 0, part.month ?? 0, part.day ?? 0,
                part.hour ?? 0,
                part.minute ?? 0, part.second ?? 0)
            #expect(Timestamp.text(seconds) == text, "seed \(random.seed)")
            #expect(Timestamp.seconds(text) == seconds, "seed \(random.seed)")
        }
    }

    /// 400 years of them, one by one: every leap day and every end of a month.
    @Test func everyDayFollowsTheOneBefore() throws {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var (year, month, day) = (1970, 1, 1)
        for number in 0..<146_097 {
            let pad = { (n: Int) in n < 10 ? "0\(n)" : "\(n)" }
            let text = "\(year)-\(pad(month))-\(pad(day))T00:00:00Z"
            if Timestamp.text(Int64(number) * 86_400) != text
                || Timestamp.seconds(text) != Int64(number) * 86_400
            {
                Issue.record("\(text)")
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > lengths[month - 1] + (month == 2 && isLeap ? 1 : 0) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(year == 2370)
    }

    @Test(arguments: [
        // No such day or hour.
        "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2016-12-31T23:59:60Z", "9999-12-31T23:59:99Z",
        // Outside the years.
        "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "1969-12-31T24:00:00Z",
        // In another form.
        "", "2026-11-22", "2026-11-22T11:00Z", "2026-11-22T11:00:00", "2026-11-22T11:00:00z",
        "2026-11-22t11:00:00Z",
        "2026-11-22 11:00:00Z", "2026/11/22T11:00:00Z", "2026-11-22T11.00.00Z", "20261122T110000Z",
        "2026-1-22T11:00:00ZZ",
        "2026-11-22T11:00:00.Z", "+026-11-22T11:00:00Z", "2026-11-22T11:00:0 Z", "2026-11-22T1:000:00Z",
        " 2026-11-22T11:00:00", "2026-11-22T11:00:00Z\n", "２０２６-11-22T11:00:00Z",
        // Characters that count as more or less than nine and sum up to a time.
        "2026-11-21T1;:00:00Z", "2026-11-22T10:5::00Z", "2026-0;-22T11:00:00Z", "2026-11-22T11:00:/:Z",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(Timestamp.seconds(text) == nil)
    }

    @Test func eachOtherCharacterIsRefusedEverywhere() {
        let good = Array("2026-11-22T11:00:00Z".utf8)
        for i in good.indices {
            for byte in 0...255 as ClosedRange<UInt8> where byte != good[i] {
                var bytes = good
                bytes[i] = byte
                let text = String(decoding: bytes, as: UTF8.self)
                guard let seconds = Timestamp.seconds(text) else { continue }
                #expect(Timestamp.text(seconds) == text && (0x30...0x39).contains(byte), "\(text)")
            }
        }
    }
}
