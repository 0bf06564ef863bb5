import Concord
import ConcordFiles
import ConcordPages
import Foundation
import TestSupport
import Testing

@testable import ConcordPublish

/// What a page is made of: templates, charts, numbers.
@Suite struct PageTests {
    let scratch: TestSupport.Scratch
    let path: String

    init() throws {
        scratch = try TestSupport.Scratch()
        path = scratch.path("index.html")
    }

    private func render(_ template: String, _ values: [String: Any] = [:]) throws -> String {
        try scratch.write(template, to: "index.html")
        return try PageTemplate(path, orBuiltIn: []).render(values: values)
    }

    @Test func valuesAreEscaped() throws {
        #expect(
            try render("<p>{{a}}</p>{{{a}}}", ["a": "<b>&\"'"]) == "<p>&lt;b&gt;&amp;&quot;&#39;</p><b>&\"'")
        #expect(
            try render("{{#all}}{{x}}{{name}} {{/all}}", ["all": [["x": "1"], ["x": "2"]], "name": "n"])
                == "1n 2n ")
        #expect(try render("{{#a}}yes {{a}}{{/a}}{{^a}}no{{/a}}", ["a": false]) == "no")
    }

    @Test(arguments: [
        ("{{wrong}}", "asks for the value «wrong», which the page does not have"),
        ("{{#a}}{{wrong}}{{/a}}", "asks for the value «wrong»"),
        ("{{#wrong}}{{/wrong}}", "asks for the value «wrong»"),
        ("one\n{{#a}}\nthree", "line 3"),
        ("one\n{{/a}}\nthree", "line 2, «{{/a}}»"),
        ("one\n{{a", "line 2"),
    ])
    func whatIsWrongIsNamed(template: String, words: String) throws {
        let error = #expect(throws: FileError.self) { try render(template, ["a": "x"]) }
        let isNamed = error.map { $0.description.hasPrefix("\(path): ") && $0.description.contains(words) }
        #expect(isNamed == true, "\(String(describing: error))")
    }

    @Test func whatIsNoText() throws {
        #expect(throws: FileError.self) { try PageTemplate(path, orBuiltIn: []) }
        try scratch.write([0x61, 0xff], to: "index.html")
        let error = #expect(throws: FileError.self) { try PageTemplate(path, orBuiltIn: []) }
        #expect(error?.description == "\(path): is no template: it is not UTF-8")
        try scratch.write([UInt8](repeating: 0x61, count: PageTemplate.maxBytes + 1), to: "index.html")
        #expect(throws: FileError.self) { try PageTemplate(path, orBuiltIn: []) }
    }

    /// A file that is being written when it is read, cut anywhere, is refused or is a page.
    @Test func noTemplateStopsTheProgram() throws {
        let text = String(decoding: PackageResources.index_html, as: UTF8.self)
        let tags = text.indices.filter { text[$0...].hasPrefix("{{") }
        try #require(tags.count > 60)
        var refused = 0
        for tag in tags {
            for length in 0...4 {
                let end = text.index(tag, offsetBy: length, limitedBy: text.endIndex) ?? text.endIndex
                do { _ = try render(String(text[..<end])) } catch is FileError { refused += 1 }
            }
        }
        #expect(refused > tags.count)
    }

    @Test func numbersAndTimes() {
        let sizes: [(UInt64, String)] = [
            (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1 kB"), (1234, "1.23 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"), (999_500, "1 MB"), (9_120_000_000, "9.12 GB"), (5_000_000_000_000, "5 TB"),
        ]
        for (bytes, words) in sizes { #expect(PageText.size(bytes) == words) }
        #expect(PageText.count(9999) == "9999" && PageText.count(165_432_100) == "165 M")
        #expect(PageText.time(1_795_345_200) == "2026-11-22 11:00:00 UTC")
        let ages: [(Int64, String)] = [
            (-5, "0 seconds"), (1, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (7200, "2 hours"),
            (200_000, "2 days"), (63_113_904, "2 years"),
        ]
        for (seconds, words) in ages { #expect(PageText.duration(seconds) == words) }
    }

    private static func chart(_ values: [UInt64], form: TreeChart.Form) -> [String: Any] {
        let points = values.enumerated().map {
            TreeChart.Point(height: 100 + $0.offset, time: UInt32($0.offset) * 86_400, value: $0.element)
        }
        return TreeChart(points, form: form, label: { "\($0)" }).values
    }

    @Test func aLine() throws {
        let values = Self.chart([0, 15, 30], form: .line)
        #expect(values["line"] as? String == "M0 300L500 150L1000 0")
        #expect(values["area"] as? String == "M0 300L500 150L1000 0V300H0z")
        #expect(values["valueMarks"] as? [String] == ["30", "20", "10", "0"])
        #expect(values["grid"] as? String == "M0 0H1000M0 100H1000M0 200H1000M0 300H1000")
        let marks = try #require(values["heightMarks"] as? [[String: String]])
        #expect(marks.map { $0["height"] } == ["100", "101", "102"])
        #expect(marks.map { $0["date"] } == ["1970-01-01", "1970-01-02", "1970-01-03"])
    }

    @Test func bars() {
        let values = Self.chart([5, 10], form: .bars)
        #expect(values["line"] as? Bool == false)
        #expect(values["area"] as? String == "M0 300V150h333V300zM667 300V0h333V300z")
    }

    /// Nothing to divide by, and numbers that no set has.
    @Test func extremes() {
        for form in [TreeChart.Form.line, .bars] {
            for values in [[0], [7], [0, 0], [.max], [0, .max, 1]] as [[UInt64]] {
                let chart = Self.chart(values, form: form)
                let marks = chart["valueMarks"] as? [String] ?? []
                #expect((2...5).contains(marks.count) && marks.last == "0", "\(values): \(marks)")
                let path = chart["area"] as? String ?? ""
                let numbers = path.split { !$0.isNumber && $0 != "-" }.compactMap { Int($0) }
                #expect(numbers.allSatisfy { (0...1000).contains($0) }, "\(path)")
            }
        }
        #expect(Self.chart([7], form: .line)["line"] as? String == "M0 38H1000")
    }
}
