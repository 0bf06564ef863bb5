import ArgumentParser
import Concord
import ConcordConsole

/// What a host of a tree needs to know, made from the one table of its files.
struct Hosting: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print how a tree is uploaded and served: for nginx, Caddy, rsync, rclone, or as a table.",
        discussion: """
            nginx   lines for the server block of the tree, with «root» or as an included file
            caddy   lines for the site block of the tree, beside «root» and «file_server»
            rsync   the shell script by which publish.sh uploads: bash -s TREE HOST:/PATH
            rclone  the same for object stores and whatever else rclone knows: bash -s TREE REMOTE:PATH
            rsync-prune, rclone-prune
                    the scripts that remove from a host what «prune» has removed from the tree
            table   step of the upload, names, content type and caching of each kind of file, tabs between
            """)

    enum Form: String, CaseIterable, ExpressibleByArgument {
        case nginx, caddy, rsync, rclone
        case rsyncPrune = "rsync-prune"
        case rclonePrune = "rclone-prune"
        case table
    }

    @Argument(help: "nginx, caddy, rsync, rclone, rsync-prune, rclone-prune or table.")
    var form: Form

    func run() throws {
        let text =
            switch form {
            case .nginx: ServerConfiguration.nginx
            case .caddy: ServerConfiguration.caddy
            case .rsync: UploadScript.rsync
            case .rclone: UploadScript.rclone
            case .rsyncPrune: UploadScript.rsyncPrune
            case .rclonePrune: UploadScript.rclonePrune
            case .table: Self.table
            }
        try Output.write(Array(text.utf8))
    }

    private static var table: String {
        TreeFileKind.all.map { "\($0.stage)\t\($0.glob)\t\($0.contentType)\t\($0.cacheControl)\n" }.joined()
    }
}
