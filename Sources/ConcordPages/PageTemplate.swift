import Concord
import ConcordFiles
import Mustache

/// A page's Mustache template: the one in a program, or a file of the operator's in its place.
public struct PageTemplate {
    private let template: MustacheTemplate
    private let name: String

    public static let maxBytes = 1 << 20

    /// - Parameter path: nil for the program's own. Throws an error that names the file and the line.
    public init(_ path: String?, orBuiltIn bytes: [UInt8]) throws(FileError) {
        name = path ?? "the page's own template"
        let bytes = if let path { try File.read(path, atMost: Self.maxBytes) } else { bytes }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FileError(name, "is no template: it is not UTF-8")
        }
        do {
            template = try MustacheTemplate(string: text)
        } catch let error as MustacheTemplate.ParserError {
            throw FileError(
                name,
                "is no Mustache template: \(error.error) in line \(error.context.lineNumber), "
                    + "«\(error.context.line.printable)»"
            )
        } catch {
            throw FileError(name, "is no Mustache template: \(error)")
        }
    }

    /// The page. Texts of the model that others had a hand in must have gone through `harmless`.
    public func render(_ model: Any) -> String { template.render(model) }

    /// The page with these values in it. One that it asks for and that is not there is an error here, where Mustache itself
    /// would leave a gap.
    public func render(values: [String: Any]) throws(FileError) -> String {
        let names = Names(values)
        let page = template.render(names)
        if let unknown = names.unknown.first {
            throw FileError(name, "asks for the value «\(unknown.printable)», which the page does not have")
        }
        return page
    }

    /// The values, which remember what was asked for in vain: names are looked up here last.
    private final class Names: MustacheParent {
        private let values: [String: Any]
        private(set) var unknown: [String] = []

        init(_ values: [String: Any]) {
            self.values = values
        }

        func child(named name: String) -> Any? {
            if let value = values[name] { return value }
            unknown.append(name)
            return nil
        }
    }

    /// Text from outside that mustache escapes as HTML needs it.
    ///
    /// swift-mustache escapes whole characters: a quote with a combining mark behind it or a prepended one in front of it is
    /// one, and would stay as it is. Here such a character becomes a question mark. What is not seen is shown as `printable`
    /// does.
    public static func harmless(_ text: String, keepsLines: Bool = false) -> String {
        String(
            text.printable(keepingLines: keepsLines).map { character in
                let scalars = character.unicodeScalars
                return scalars.count > 1 && scalars.contains { "<>&\"'".unicodeScalars.contains($0) }
                    ? "?" : character
            })
    }
}
