import Concord
import ConcordFiles
import Mustache

/// A page's mustache template: the one in this program, or a file in its place.
struct PageTemplate {
    private let template: MustacheTemplate

    static let mostBytes = 1 << 20

    /// - Parameter path: nil for the program's own. Throws an error that names the file and the line.
    init(_ path: String?, orBuiltIn bytes: [UInt8]) throws(FileError) {
        let name = path ?? "the page's own template"
        let bytes = if let path { try File.read(path, atMost: Self.mostBytes) } else { bytes }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FileError(name, "is no template: it is not UTF-8")
        }
        do {
            template = try MustacheTemplate(string: text)
        } catch let error as MustacheTemplate.ParserError {
            throw FileError(
                name,
                "is no mustache template: \(error.error) in line \(error.context.lineNumber), «\(error.context.line)»"
            )
        } catch {
            throw FileError(name, "is no mustache template: \(error)")
        }
    }

    /// The page. Texts of the model that others had a hand in must have gone through `harmless`.
    func render(_ model: Any) -> String { template.render(model) }

    /// Text from outside that mustache escapes as HTML needs it.
    ///
    /// swift-mustache escapes whole characters: a quote with a combining mark behind it or a prepended one in front of it is
    /// one, and would stay as it is. Here such a character becomes a question mark, as does what turns the direction of text.
    static func harmless(_ text: String, keepsLines: Bool = false) -> String {
        let scalars =
            text.unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control where scalar != "\n" || !keepsLines: "?"
                case .format: "?"
                default: scalar
                }
            } as [Unicode.Scalar]
        return String(
            String(String.UnicodeScalarView(scalars)).map { character in
                let scalars = character.unicodeScalars
                return scalars.count > 1 && scalars.contains { "<>&\"'".unicodeScalars.contains($0) }
                    ? "?" : character
            })
    }
}
