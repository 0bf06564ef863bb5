import Concord
import ConcordFiles
import Mustache

/// The template of index.html: the one in this program, or `index.html` in a folder of the operator's.
///
/// It is Mustache without partials. A value that the page does not have is an error here, where Mustache itself would
/// leave a gap.
struct PageTemplate {
    private let path: String?
    /// What was read and parsed last: a template may change while the publisher follows the chain.
    private var parsed: (bytes: [UInt8], template: MustacheTemplate)?

    static let mostBytes = 1 << 20

    /// - Parameter folder: where the template is; nil for the embedded one.
    init(folder: String?) {
        path = folder.map { "\($0)/index.html" }
    }

    /// The page with these values in it.
    mutating func render(_ values: [String: Any]) throws(FileError) -> String {
        let names = Names(values)
        let page = try template().render(names)
        if let unknown = names.unknown.first {
            throw FileError(
                shownPath, "asks for the value «\(unknown.printable)», which the page does not have")
        }
        return page
    }

    private var shownPath: String { path ?? "the embedded template" }

    private mutating func template() throws(FileError) -> MustacheTemplate {
        let bytes =
            try path.map { path throws(FileError) in try File.read(path, atMost: Self.mostBytes) }
            ?? PackageResources.index_html
        if let parsed, parsed.bytes == bytes { return parsed.template }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FileError(shownPath, "is not UTF-8")
        }
        let template: MustacheTemplate
        do {
            template = try MustacheTemplate(string: text)
        } catch let error as MustacheTemplate.ParserError {
            throw FileError(
                shownPath,
                "is no Mustache template: line \(error.context.lineNumber), «\(error.context.line.printable)»: "
                    + "\(error.error)")
        } catch {
            throw FileError(shownPath, "is no Mustache template: \(error)")
        }
        parsed = (bytes, template)
        return template
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
}
