import Concord
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A published tree, or any folder, looked at with a person's tools: names, bytes, `zstd -d`.
public struct PlainTree: Sendable {
    public let root: String

    public init(_ root: String) {
        self.root = root
    }

    public func path(_ relative: String) -> String { "\(root)/\(relative)" }

    /// The paths of all files, hidden ones too, relative to the root, sorted; none where there is no such folder.
    public func files(under folder: String = "") -> [String] {
        var all: [String] = []
        gather(folder, into: &all)
        return all.sorted()
    }

    private func gather(_ folder: String, into all: inout [String]) {
        guard let stream = opendir(path(folder)) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name == "." || name == ".." { continue }
            let relative = folder.isEmpty ? name : "\(folder)/\(name)"
            if entry.pointee.d_type == DT_DIR { gather(relative, into: &all) } else { all.append(relative) }
        }
    }

    public func read(_ relative: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: path(relative))))
    }

    public func text(_ relative: String) throws -> String {
        String(decoding: try read(relative), as: UTF8.self)
    }

    /// What a run must leave alone: of every file its bytes and the time it was changed last.
    public struct Look: Sendable, Equatable {
        public struct File: Sendable, Equatable {
            public let digest: Digest
            /// Nanoseconds since 1970.
            public let changed: Int64
        }

        public let files: [String: File]

        /// The names of files that are not the same in both.
        public func differences(from other: Look) -> [String] {
            Set(files.keys).union(other.files.keys).filter { files[$0] != other.files[$0] }.sorted()
        }
    }

    public func look() throws -> Look {
        var all: [String: Look.File] = [:]
        for relative in files() {
            var status = stat()
            guard lstat(path(relative), &status) == 0 else { throw TestError("\(relative): gone") }
            #if canImport(Darwin)
                let time = status.st_mtimespec
            #else
                let time = status.st_mtim
            #endif
            all[relative] = Look.File(
                digest: SHA256.hash(try read(relative)),
                changed: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
        }
        return Look(files: all)
    }

    /// Unpacks every `.zst` file of the tree, with `zstd -d`, into a folder of the same shape; names lose the ending.
    public func unpack(into folder: String) throws -> PlainTree {
        let scratch = try Scratch()
        let packed = files().filter { $0.hasSuffix(".zst") }
        let list = try scratch.write(packed.joined(separator: "\n") + "\n", to: "list")
        try Program.installed("zstd").print(
            "-dq", "--filelist", list, "--output-dir-mirror", folder, in: root)
        return PlainTree(folder)
    }

    /// The fields of an attestation, or of authority.txt, name by name.
    public func fields(_ relative: String) throws -> [String: String] {
        try text(relative).split(separator: "\n").reduce(into: [:]) { fields, line in
            guard let colon = line.firstRange(of: ": ") else { return }
            fields[String(line[..<colon.lowerBound])] = String(line[colon.upperBound...])
        }
    }

    /// The paths of the attestations, by height; more than one where the tree has stale branches.
    public func attestations() -> [Int: [String]] {
        files(under: "attestations").filter { $0.hasSuffix(".txt") }.reduce(into: [:]) { all, relative in
            let name = relative.split(separator: "/").last ?? ""
            if let height = Int(name.prefix(7)) { all[height, default: []].append(relative) }
        }
    }

    /// The statement of an attestation: everything up to the empty line.
    public func statement(_ relative: String) throws -> String {
        let text = try text(relative)
        guard let end = text.firstRange(of: "\n\n") else { throw TestError("\(relative): no statement") }
        return String(text[..<end.lowerBound]) + "\n"
    }
}
