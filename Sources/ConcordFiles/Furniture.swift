/// What file systems and desktops put at the top of a volume, where a tree or a folder of it may begin: it is nobody's data,
/// and mostly not to be read.
public enum Furniture {
    /// Whether a folder of this name in a tree is one of those. `audit.sh` knows the same names.
    public static func isFolder(_ name: String) -> Bool {
        names.contains(name) || name.hasPrefix(".Trash-")
    }

    private static let names: Set = [
        // ext2 to ext4; NetApp and others; ZFS; Btrfs tools; NTFS; macOS.
        "lost+found", ".snapshot", ".snapshots", ".zfs", "System Volume Information", "$RECYCLE.BIN",
        ".Trash",
        ".Trashes", ".Spotlight-V100", ".fseventsd", ".TemporaryItems",
    ]
}
