import TestSupport
import Testing

/// What other tests rest on: a page that is too wide, blank or asks others is seen.
@Suite(.waits) struct ChromiumTests {
    @Test func whatIsWrongIsSeen() throws {
        let scratch = try Scratch()
        let chromium = try Chromium()
        let wide = try scratch.write(
            "<!DOCTYPE html><p id=x>words</p><img src='http://127.0.0.1:9/planted.png' style='width: 700px; height: 1px'>",
            to: "wide.html")
        #expect(try chromium.elements(of: "file://\(wide)").contains("<p id=\"x\">words</p>"))
        #expect(try chromium.requests(of: "file://\(wide)") == ["http://127.0.0.1:9/planted.png"])
        #expect(try chromium.contentWidth(ofFile: wide, at: 390) > 700)
        let blank = try scratch.write(
            "<!DOCTYPE html><meta name=color-scheme content='light dark'>", to: "blank.html")
        for isDark in [false, true] {
            let picture = try chromium.picture(of: "file://\(blank)", width: 390, height: 500, isDark: isDark)
            #expect(picture.width == 390 && picture.height == 500 && picture.isDark == isDark)
            #expect(picture.painted == 0 && picture.colors == 1)
        }
        #expect(try chromium.requests(of: "file://\(blank)") == [])
    }
}
