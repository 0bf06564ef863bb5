import ArgumentParser
import Concord
import ConcordConsole
import ConcordClient
import ConcordFiles
import ConcordPages
import ConcordTransfers

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a web page that shows where the authorities agree, and where not.",
        discussion: """
            Asks as «concord check» does, and then each authority for what it attests of the last blocks. The folder is \
            made if it is not there; it gets index.html, report.json with the same facts, and where authorities contradict \
            each other the signed files in evidence. The page needs no other host, no script and no place of its own: \
            upload the folder anywhere, index.html last. Exit status: that of «concord check»; a contradiction in the blocks \
            below the agreed one is one too.
            """)

    @Argument(help: ArgumentHelp("The folder of the page.", valueName: "dir"))
    var folder: String
    @OptionGroup var home: HomeOptions
    @OptionGroup var hosts: HostOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var headers: HeaderOptions
    @Option(
        help: ArgumentHelp(
            "Ask about this height. (default: the highest that can be agreed on)", valueName: "height"))
    var height: Int?
    @Option(help: ArgumentHelp("Show so many heights.", valueName: "n"))
    var heights = 24
    @Option(
        help: ArgumentHelp(
            "A mustache template for the page, a changed copy of site-template/report.html. (default: the "
                + "program's own)", valueName: "file"))
    var template: String?
    @Flag(help: "Print JSON: what is in report.json.")
    var json = false

    func validate() throws {
        guard (1...500).contains(heights) else { throw ValidationError("--heights is 1 to 500.") }
        guard !folder.isEmpty else { throw ValidationError("The folder has a name.") }
    }

    func run() throws {
        let progress = ProgressLine(isQuiet: json)
        // What can be wrong here is found before anybody is asked.
        let template = try PageTemplate(template, orBuiltIn: PackageResources.report_html)
        let lock = try FolderLock(withoutFile: folder)
        let site = Folder(reading: folder)
        guard try site.contains(Self.data) || !site.contains(Self.page) else {
            throw FileError(
                site.path(Self.page),
                "is not a page of this command, which has \(Self.data) beside it: give another folder",
                kind: .conflict)
        }
        try site.prepare()
        let client = try home.client(hosts, progress)
        let policy = try policy.policy(height: height, work, headers, follows: false)
        var survey = try client.session(policy)
        var matrix = try matrix(survey, client, progress)
        try client.log().remember(matrix?.signed ?? [])
        if survey.evidence == nil, matrix?.contradiction != nil {
            // It is in the memory now: asked again, all are heard on that block, and the signed files are kept.
            survey = try client.session(policy)
            matrix = try self.matrix(survey, client, progress)
        }
        let facts = ReportFacts(survey, matrix)
        var files = try evidence(facts, into: site)
        try client.close()
        let evidence = files.map(\.path)
        files.append(try site.stage(try encodedJSON(facts.json), at: Self.data))
        let html = template.render(ReportPage(facts, evidence: evidence))
        // Last, so that whatever it links to is there.
        files.append(try site.stage(html, at: Self.page))
        try site.install(files)
        try site.removeTemporaries()
        lock.release()
        progress.clear()
        if json {
            try printJSON(facts.json)
        } else {
            try Output.say(VerdictTable.text(survey) + "\n\nThe page is \(site.path(Self.page))")
        }
        try facts.end()
    }

    private static let page = "index.html"
    private static let data = "report.json"

    /// Nil where nothing is known that could be compared.
    private func matrix(
        _ survey: AgreementSession, _ client: Client, _ progress: ProgressLine
    ) throws -> AttestationMatrix? {
        guard let center = ReportFacts.center(survey) else { return nil }
        return try AttestationMatrix(
            of: survey.report.heard, around: center.block, center.parameters,
            known: survey.headers?.blocks ?? [], heights: heights, reader: client.reader
        ) { progress.update("asked for attestations down to height \($0)") }
    }

    /// Copies of the evidence, not in their places yet. What earlier runs have put there stays.
    private func evidence(_ facts: ReportFacts, into site: Folder) throws(FileError) -> [Folder.Staged] {
        guard let source = facts.survey.evidence?.path, let target = facts.evidence else { return [] }
        return try copies(of: source, to: target, in: site)
    }

    private func copies(
        of source: String, to target: String, in site: Folder
    ) throws(FileError) -> [Folder.Staged] {
        var staged: [Folder.Staged] = []
        for name in try Folder.names(in: source) where !name.hasPrefix(".") {
            let path = "\(source)/\(name)"
            if try Folder.isFolder(path) {
                staged += try copies(of: path, to: "\(target)/\(name)", in: site)
            } else {
                staged.append(try site.stage(try File.read(path, atMost: 1 << 30), at: "\(target)/\(name)"))
            }
        }
        return staged
    }
}
