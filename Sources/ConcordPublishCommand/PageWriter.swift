import ConcordConsole
import ConcordFiles
import ConcordPublish

/// Writes the tree's page again and again. Whatever is wrong with it is said, once for as long as it is the same, and
/// stops nothing: the page only tells of what is attested.
final class PageWriter {
    private var page: TreePage
    private let progress: ProgressLine
    private var problem: String?

    init(_ page: TreePage, _ progress: ProgressLine) {
        self.page = page
        self.progress = progress
    }

    func write() {
        do throws(FileError) {
            try page.write()
            problem = nil
        } catch {
            if error.description != problem {
                progress.say("warning: \(error); the tree's index.html stays as it is")
            }
            problem = error.description
        }
    }
}
