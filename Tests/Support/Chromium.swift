import Foundation

/// Debian's Chromium without a window, for pages that people look at. Each call is a browser of its own; it reaches loopback
/// addresses and files, and no other host.
public struct Chromium {
    private let program: Program
    private let scratch: Scratch

    public init() throws {
        program = try .installed("chromium")
        scratch = try Scratch()
    }

    /// The elements of a page once it is loaded, as HTML.
    public func elements(of url: String) throws -> String {
        String(decoding: try run(["--dump-dom", url]), as: UTF8.self)
    }

    /// The URLs of http and https that a page makes the browser ask for, its own left out.
    public func requests(of url: String) throws -> [String] {
        struct Log: Decodable {
            struct Constants: Decodable { let logEventTypes: [String: Int] }
            struct Event: Decodable {
                struct Parameters: Decodable { let url, initiator: String? }
                let type: Int
                let params: Parameters?
            }
            let constants: Constants
            let events: [Event]
        }
        let path = scratch.path("\(UUID().uuidString).json")
        try run(["--log-net-log=\(path)", "--dump-dom", url])
        let log = try JSONDecoder().decode(Log.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        let start = log.constants.logEventTypes["URL_REQUEST_START_JOB"]
        return log.events.compactMap { event in
            // What the browser asks for itself, updates and the page, has no origin.
            guard event.type == start, let asked = event.params?.url, asked.hasPrefix("http"),
                let initiator = event.params?.initiator, initiator != "not an origin"
            else { return nil }
            return asked
        }
    }

    /// How wide a page's contents are in a window of this width, CSS pixels: more than `width`, and it scrolls sideways.
    ///
    /// - Parameter path: of a file.
    public func contentWidth(ofFile path: String, at width: Int) throws -> Int {
        let answer = try ask(
            """
            <iframe style="border: 0; width: \(width)px; height: 800px" src="file://\(path)"></iframe>
            """,
            """
            const page = document.querySelector('iframe').contentDocument.documentElement
            return [page.clientWidth, page.scrollWidth]
            """)
        guard answer.count == 2, answer[0] == width else {
            throw TestError("\(path): shown \(answer) wide instead of \(width)")
        }
        return answer[1]
    }

    /// What a window of this size shows.
    public func picture(of url: String, width: Int, height: Int, isDark: Bool) throws -> Picture {
        let path = scratch.path("\(UUID().uuidString).png")
        try run([
            "--window-size=\(width),\(height)", "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)",
            "--screenshot=\(path)", url,
        ])
        let png = try Data(contentsOf: URL(fileURLWithPath: path))
        let answer = try ask(
            "<img src=\"data:image/png;base64,\(png.base64EncodedString())\">",
            """
            const image = document.querySelector('img')
            const canvas = document.createElement('canvas')
            canvas.width = image.width
            canvas.height = image.height
            const context = canvas.getContext('2d')
            context.drawImage(image, 0, 0)
            const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)
            const counts = new Map()
            for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
            const [color, count] = [...counts].reduce((a, b) => a[1] < b[1] ? b : a)
            return [image.width, image.height, color & 255, color >> 8 & 255, color >> 16 & 255, count, counts.size]
            """)
        guard answer.count == 7 else { throw TestError("\(url): no picture: \(answer)") }
        return Picture(
            png: [UInt8](png), width: answer[0], height: answer[1],
            background: (answer[2], answer[3], answer[4]), colors: answer[6],
            painted: 1 - Double(answer[5]) / Double(answer[0] * answer[1]))
    }

    public struct Picture {
        public let png: [UInt8]
        public let width, height: Int
        /// The commonest colour, red, green, blue.
        public let background: (Int, Int, Int)
        /// How many different ones there are.
        public let colors: Int
        /// The share of pixels with another colour than the commonest.
        public let painted: Double

        public var isDark: Bool { background.0 + background.1 + background.2 < 3 * 128 }
    }

    /// The numbers that a script returns in a page of our own.
    private func ask(_ html: String, _ script: String) throws -> [Int] {
        let page = try scratch.write(
            """
            <!DOCTYPE html><meta charset="utf-8"><body style="margin: 0">\(html)
            <script>onload = () => { document.body.textContent = '[' + (() => { \(script) })() + ']' }</script>
            """, to: "\(UUID().uuidString).html")
        let shown = try elements(of: "file://\(page)")
        guard let start = shown.lastIndex(of: "["), let end = shown.lastIndex(of: "]"), start < end else {
            throw TestError("the page that looks at another says nothing: \(shown.prefix(1000))")
        }
        return shown[start..<end].dropFirst().split(separator: ",").compactMap { Int($0) }
    }

    @discardableResult
    private func run(_ arguments: [String]) throws -> [UInt8] {
        let profile = scratch.path(UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: profile) }
        // Root, as in a container, has no sandbox; the pages are our own.
        return try program.print(
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--allow-file-access-from-files",
                "--user-data-dir=\(profile)",
            ] + arguments, timeout: 120)
    }
}
