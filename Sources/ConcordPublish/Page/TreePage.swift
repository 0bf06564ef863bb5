import Concord
import ConcordFiles
import ConcordPages
import ConcordTree

/// index.html: what a tree says of itself to people. Nobody signs it and no program reads it. The same tree and the same
/// template make the same page.
public struct TreePage {
    private let folder: Folder
    private let authority: AuthorityFile
    /// The file of the operator's template; nil for the embedded one.
    private let template: String?
    private var facts: TreeFacts

    private static let name = "index.html"

    /// - Parameters:
    ///   - folder: the tree, opened for writing.
    ///   - template: a folder with an `index.html` to use in place of the embedded one.
    public init(of folder: Folder, authority: AuthorityFile, template: String?) {
        self.folder = folder
        self.authority = authority
        self.template = template.map { "\($0)/\(Self.name)" }
        facts = TreeFacts(folder, authority)
    }

    /// Writes the page, if anything of it has changed and there is something to tell. Throws what is wrong with the
    /// template or the tree; the page that is there stays then.
    public mutating func write() throws(FileError) {
        guard let newest = try facts.newest() else { return }
        // A template may change while the publisher follows the chain.
        let template = try PageTemplate(template, orBuiltIn: PackageResources.index_html)
        let page = Array(try template.render(values: values(newest)).utf8)
        if (try? File.read(folder.path(Self.name), atMost: page.count)) == page { return }
        try folder.write(page, at: Self.name)
    }

    private mutating func values(_ newest: TreeFacts.Sample) -> [String: Any] {
        let (snapshots, below) = facts.snapshots(upTo: newest)
        var values = authorityValues
        values.merge(Self.newestValues(newest, authority)) { first, _ in first }
        values["charts"] = charts(newest)
        values["isWitness"] = newest.patch == nil
        values["hasScript"] = (try? folder.contains("audit.sh")) ?? false
        values["snapshots"] = snapshots.map(snapshotValues)
        values["hasSnapshots"] = !snapshots.isEmpty
        values["snapshot"] = snapshots.first.map(snapshotValues) ?? false
        values["snapshotsBelow"] = below == 0 ? false : String(below)
        return values
    }

    /// What stays the same.
    private var authorityValues: [String: Any] {
        let key = authority.key.hex
        let code = QRCode(Array(key.utf8))
        return [
            "name": authority.name.description, "key": key,
            "words": authority.key.words,
            "qrSize": (code?.size ?? 0) + 8, "qrPath": code?.svgPath() ?? "",
            "network": authority.network.rawValue, "isMain": authority.network == .main,
            "shards": String(authority.parameters.shards),
            "epoch": String(authority.parameters.epoch), "first": String(authority.first),
            "software": Software.name,
        ]
    }

    private static func newestValues(_ newest: TreeFacts.Sample, _ authority: AuthorityFile) -> [String: Any]
    {
        let statement = newest.statement
        let attested = newest.attestation.time
        let file = TreePath.attestation(statement.blockID, authority.parameters)
        return [
            "height": String(statement.height),
            "block": statement.block.reversedHex,
            "blockTime": PageText.time(Int64(newest.time)),
            "blockTimestamp": Timestamp.text(Int64(newest.time)),
            "attestedTime": PageText.time(attested), "attestedTimestamp": Timestamp.text(attested),
            "age": PageText.duration(attested - Int64(newest.time)),
            "coins": String(statement.coins), "amount": Amount.bitcoin(statement.amount),
            "muhash": statement.muhash.reversedHex,
            "attestation": file, "signature": TreePath.signature(file),
            "attestationName": TreePath.name(statement.blockID) + ".txt",
            "headers": TreePath.headers(epochOf: statement.height, authority.parameters),
            "note": newest.attestation.note ?? false,
        ]
    }

    private func snapshotValues(_ snapshot: TreeFacts.Snapshot) -> [String: Any] {
        let statement = snapshot.sample.statement
        let manifest = TreePath.manifest(statement.blockID)
        let file = TreePath.attestation(statement.blockID, authority.parameters)
        return [
            "height": String(statement.height),
            "block": statement.block.reversedHex,
            "date": PageText.date(Int64(snapshot.sample.time)),
            "coins": String(statement.coins), "size": PageText.size(snapshot.size),
            "root": statement.snapshotRoot?.hex ?? "",
            "manifest": manifest, "folder": String(manifest.dropLast("/manifest.txt".count)),
            "attestation": file, "signature": TreePath.signature(file),
            "attestationName": TreePath.name(statement.blockID) + ".txt",
            "torrent": (try? folder.contains(TreePath.torrent(statement.blockID))) == true
                ? TreePath.torrent(statement.blockID) : false,
            "magnet": facts.magnet(of: statement.blockID) ?? false,
        ]
    }

    private mutating func charts(_ newest: TreeFacts.Sample) -> [[String: Any]] {
        let (samples, distance) = facts.chart(to: newest)
        let coins = samples.map {
            TreeChart.Point(height: $0.statement.height, time: $0.time, value: $0.statement.coins)
        }
        var charts: [[String: Any]] = []
        if let first = coins.first, let last = coins.last {
            var values = TreeChart(coins, form: .line, label: PageText.count).values
            values["title"] = "Coins in the set"
            values["summary"] =
                "From \(first.value) at height \(first.height) to "
                + "\(last.value) at height \(last.height)."
            charts.append(values)
        }
        let patches = samples.compactMap { sample in
            sample.patch.map {
                TreeChart.Point(height: sample.statement.height, time: sample.time, value: $0)
            }
        }
        let sizes = patches.map(\.value).sorted()
        if let least = sizes.first, let most = sizes.last {
            var values = TreeChart(patches, form: .bars, label: PageText.size).values
            values["title"] = "Bytes of a patch"
            values["summary"] =
                "\(distance == 1 ? "Every block" : "One block in \(distance)"): from "
                + "\(PageText.size(least)) to \(PageText.size(most)), half of them at most "
                + "\(PageText.size(sizes[sizes.count / 2]))."
            charts.append(values)
        }
        return charts
    }
}
