import Concord

/// The shell scripts that upload a tree, step by step: a step begins when all of the one before is at the host. What
/// points to others is copied before the first step, so that a publisher may go on beside an upload.
enum UploadScript {
    private static let arguments =
        """
        set -euo pipefail
        tree=$1 target=$2
        shift 2
        options=("$@")
        """

    private static let hasData =
        """
        if [ ! -e "$tree/latest.txt" ] || [ ! -d "$tree/snapshots" ]; then
            echo "error: $tree is no tree with data" >&2
            exit 1
        fi
        """

    /// Files are compared by size and time, those that change by their contents: two versions of `latest.txt` may have
    /// the same length and second. rsync puts a file under its name when it is whole.
    static let rsync =
        """
        # Uploads the tree $1 to $2, a HOST:/PATH or a folder, by rsync. What follows are more options of rsync. What is at
        # the host already is not sent again, so a repetition goes on where an upload ended.
        \(arguments)
        # send FOLDER OPTION…
        send() {
            local folder=$1
            shift
            rsync -rtL --chmod=D755,F644 --prune-empty-dirs --timeout=300 "${options[@]}" "$@" --exclude='*' -- "$folder/" "$target"
        }

        """
        + copy
        + steps { kinds in
            // A folder at a time: shards, then their manifest.
            groups(of: kinds) { folders(above: $0.glob) == folders(above: $1.glob) }.map { same in
                let patterns = folders(above: same[0].glob) + same.map { "/" + $0.glob }
                let checked = same[0].isImmutable ? "" : " --checksum"
                let included = patterns.map { " \\\n    --include='\($0)'" }.joined()
                let all = "send \"$\(folder(of: same[0]))\"\(checked)\(included)"
                guard same[0].stage == .headers else { return all }
                return "send \"$tree\"\(checked) --files-from=\"$copy/older\"\(included)\n\(all)"
            }.joined(separator: "\n")
        }

    /// Immutable names are compared by size: an object store has its files whole or not at all, and any other host whole
    /// or shorter. Files that change are compared by checksum, and where a host knows none, the few that can change
    /// without changing their size are sent each time.
    static let rclone =
        """
        # Uploads the tree $1 to $2, a REMOTE:PATH, by rclone, with the headers that an object store serves. What follows are
        # more options of rclone. What is at the host already is not sent again, so a repetition goes on where an upload
        # ended.
        \(arguments)
        # send FOLDER OPTION…
        send() {
            local folder=$1
            shift
            rclone copy -L "${options[@]}" "$@" -- "$folder" "$target"
        }

        """
        + copy
        + steps { kinds in
            groups(of: kinds) { ($0.contentType, $0.cacheControl) == ($1.contentType, $1.cacheControl) }.map {
                same in
                let headers =
                    " --header-upload 'Content-Type: \(same[0].contentType)'"
                    + " --header-upload 'Cache-Control: \(same[0].cacheControl)'"
                let folder = folder(of: same[0])
                let compared =
                    same[0].isImmutable ? "--size-only" : folder == "copy" ? "--ignore-times" : "--checksum"
                let all =
                    "send \"$\(folder)\" \(compared)\(headers)"
                    + same.map { " \\\n    --include '/\($0.glob)'" }.joined()
                guard same[0].stage == .headers else { return all }
                return """
                    [ ! -s "$copy/older" ] || send "$tree" --checksum\(headers) --files-from "$copy/older"

                    """ + all
            }.joined(separator: "\n")
        }

    /// Nobody finds the list of what is being removed: it goes first.
    static let rsyncPrune =
        """
        # Removes from $2, a HOST:/PATH or a folder, the old data that the tree $1 has not any more, by rsync. What
        # follows are more options of rsync.
        \(arguments)
        \(hasData)
        clear() {
            rsync -rqL --existing --ignore-existing --delete --timeout=300 "${options[@]}" "$@" --exclude='*' -- "$tree/" "$target"
        }
        echo 'removing old data' >&2
        # Folders that are not empty stay in this step, which rsync tells; if more is wrong, the next step says so.
        clear --include=/snapshots/ --include='/snapshots/[0-9]*-*/' --include='/snapshots/[0-9]*-*/manifest.txt' 2>/dev/null || true
        clear --include=/snapshots/ --include='/snapshots/[0-9]*-*/***' \(TreePath.epochFolders.map { "--include=/\($0)/ --include='/\($0)/[0-9]*/***'" }.joined(separator: " "))

        """

    static let rclonePrune =
        """
        # Removes from $2, a REMOTE:PATH, the old data that the tree $1 has not any more, by rclone. What follows
        # are more options of rclone.
        \(arguments)
        \(hasData)
        # old FOLDER PATTERN: the names of folders at the host that the tree has not.
        old() {
            [ -d "$tree/$1" ] || return 0
            rclone lsf --dirs-only "${options[@]}" -- "$target/$1" | sed -n -E "s|^($2)/\\$|\\1|p" | while read -r name; do
                [ -e "$tree/$1/$name" ] || echo "$1/$name"
            done
        }
        echo 'removing old data' >&2
        snapshots=$(old snapshots '[0-9]{7}-[0-9a-f]{64}')
        epochs=$(\(TreePath.epochFolders.map { "old \($0) '[0-9]{7}'" }.joined(separator: "; ")))
        for path in $snapshots; do
            rclone deletefile "${options[@]}" -- "$target/$path/manifest.txt" || true
            rclone purge "${options[@]}" -- "$target/$path"
        done
        for path in $epochs; do rclone purge "${options[@]}" -- "$target/$path"; done

        """

    /// The headers, the pages and the hint as they are before the first step. A reorganisation changes the newest headers
    /// without changing their size, across an epoch height two files of them; older ones are sent from the tree.
    private static let copy =
        """
        # A publisher may be at work: what points to others is sent as it is now, and what comes is left to the next upload.
        copy=$(mktemp -d)
        trap 'rm -rf "$copy"' EXIT
        until cmp -s -- "$tree/latest.txt" "$copy/latest.txt"; do
            cp -p -- "$tree/latest.txt" "$copy"
            for name in \(TreeFileKind.all.filter { $0.stage == .pages }.map(\.glob).joined(separator: " ")); do
                [ ! -e "$tree/$name" ] || cp -p -- "$tree/$name" "$copy"
            done
            rm -rf "$copy/headers"
            mkdir "$copy/headers"
            find -L "$tree/headers/" -name '*.bin' | sed 's|.*/|headers/|' | sort >"$copy/all"
            tail -n 2 "$copy/all" | while read -r name; do cp -p -- "$tree/$name" "$copy/headers"; done
            sed '$d' "$copy/all" | sed '$d' >"$copy/older"
        done

        """

    /// The script's variable for the folder that files of a kind are sent from.
    private static func folder(of kind: TreeFileKind) -> String {
        kind.stage == .data || kind.stage == .attestations ? "tree" : "copy"
    }

    private static func steps(_ commands: ([TreeFileKind]) -> String) -> String {
        TreeFileKind.Stage.allCases.map { stage in
            let kinds = TreeFileKind.all.filter { $0.stage == stage }
            return "echo 'uploading \(stage)' >&2\n"
                + groups(of: kinds) { $0.isImmutable == $1.isImmutable }.map { commands($0) + "\n" }.joined()
        }.joined()
    }

    /// The kinds in runs of those that are alike.
    private static func groups(
        of kinds: [TreeFileKind], alike: (TreeFileKind, TreeFileKind) -> Bool
    ) -> [[TreeFileKind]] {
        kinds.reduce(into: []) { groups, kind in
            if let last = groups.last?.last, alike(last, kind) {
                groups[groups.count - 1].append(kind)
            } else {
                groups.append([kind])
            }
        }
    }

    /// The folders that rsync has to enter to come to the files of a pattern.
    private static func folders(above glob: String) -> [String] {
        let parts = glob.split(separator: "/").dropLast()
        return parts.indices.map { "/" + parts[...$0].joined(separator: "/") + "/" }
    }
}
