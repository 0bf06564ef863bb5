import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Colour for words on a terminal. It never says anything that the words do not.
public enum Colour: String, Sendable {
    case green = "32"
    case yellow = "33"
    case red = "31"
    case bold = "1"

    /// Whether standard output shows colours: it is a terminal, and nobody asked for none (https://no-color.org).
    public static let isShown: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return isatty(STDOUT_FILENO) == 1 && environment["NO_COLOR", default: ""].isEmpty
            && environment["TERM"] != "dumb"
    }()

    /// The words in this colour, where colours are shown.
    public func callAsFunction(_ text: String) -> String {
        Self.isShown && !text.isEmpty ? "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" : text
    }
}
