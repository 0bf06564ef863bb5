import Testing

@testable import Concord

/// What others had a hand in is shown, and does nothing.
@Suite struct PrintableTests {
    @Test(
        arguments: [
            // Controls of both sets, a tab, an escape sequence.
            ("a\u{0}b\u{7f}\u{85}\u{9b}", "a\\u{0}b\\u{7F}\\u{85}\\u{9B}"),
            ("a\tb\nc\rd", "a\\u{9}b\\u{A}c\\u{D}d"),
            ("\u{1b}[31mred", "\\u{1B}[31mred"),
            // What turns the direction of text, and isolates.
            ("\u{202e}cod.exe", "\\u{202E}cod.exe"),
            ("\u{2066}a\u{2069}\u{200f}\u{61c}", "\\u{2066}a\\u{2069}\\u{200F}\\u{61C}"),
            // What is not seen: of no width, filling, variation, tags.
            ("a\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}", "a\\u{200B}\\u{200D}\\u{2060}\\u{FEFF}\\u{AD}"),
            ("\u{34f}\u{115f}\u{3164}\u{fe0f}\u{e0041}", "\\u{34F}\\u{115F}\\u{3164}\\u{FE0F}\\u{E0041}"),
            // Spaces that are no space, ends of lines that are no line feed, an empty pattern.
            (
                "a\u{a0}b\u{2003}c\u{3000}\u{2028}\u{2029}\u{2800}",
                "a\\u{A0}b\\u{2003}c\\u{3000}\\u{2028}\\u{2029}\\u{2800}"
            ),
            // No characters.
            ("\u{fffe}\u{ffff}\u{1fffe}", "\\u{FFFE}\\u{FFFF}\\u{1FFFE}"),
        ])
    func whatIsHiddenIsShown(text: String, shown: String) {
        #expect(text.printable == shown)
        #expect(text.printable.printable == shown)
    }

    @Test(arguments: ["", "/srv/trees/größe 1 – «日本» שלום ‚a’.txt", "\u{fffd}", "e\u{301}", "🙂\\u{41}"])
    func everythingElseStays(text: String) {
        #expect(text.printable == text)
    }

    /// Those that Swift's literals do not take either.
    @Test(arguments: [0xfdd0, 0xfdef] as [UInt32]) func noCharacters(value: UInt32) throws {
        let scalar = try #require(Unicode.Scalar(value))
        #expect(String(scalar).printable == "\\u{\(String(value, radix: 16).uppercased())}")
    }

    @Test func linesStayWhereTheyAreOnes() {
        #expect("a\nb\u{1b}c\r\n".printable(keepingLines: true) == "a\nb\\u{1B}c\\u{D}\n")
    }
}
