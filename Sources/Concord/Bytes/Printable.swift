extension String {
    /// Text that somebody else may have had a hand in, as it can be shown on a terminal and in a page: whatever moves a
    /// cursor, turns the direction of text or is not seen stands there as its code point, like `\u{202E}`.
    ///
    /// - Parameter keepingLines: whether line feeds stay. Then the parts that came from outside have gone through this
    ///   without it, or somebody else could begin lines of his own.
    public func printable(keepingLines: Bool) -> String {
        guard unicodeScalars.contains(where: \.isHidden) else { return self }
        var shown = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.isHidden, scalar != "\n" || !keepingLines {
                shown.append(
                    contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars)
            } else {
                shown.append(scalar)
            }
        }
        return String(shown)
    }

    /// In one line.
    public var printable: String { printable(keepingLines: false) }
}

extension Unicode.Scalar {
    /// Whether nobody sees it as itself: control and format characters, those that change how others are read, spaces but
    /// the common one, and what is no character at all (Unicode, chapters 23.1 to 23.7).
    public var isHidden: Bool {
        if (0x20..<0x7f).contains(value) { return false }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate: return true
        default:
            // The last is an empty pattern of Braille.
            return properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint
                || value == 0x2800
        }
    }
}
