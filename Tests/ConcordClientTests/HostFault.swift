import Concord
import ConcordFiles
import TestSupport
import Testing

@testable import ConcordClient

/// A way in which a host is no good host, and what comes of it.
struct HostFault: Sendable, CustomTestStringConvertible {
    typealias Bend = @Sendable (MadeTree) throws -> ScriptedSite

    let name: String
    /// What becomes of a good host of this tree.
    let bend: Bend
    /// How checking and fetching end where it is the only host of the only authority.
    let check: String
    let fetch: String
    /// What is said of the host then: what was wrong, with which files.
    let said: String
    /// How mirroring it ends.
    let mirror: String

    init(
        _ name: String, _ bend: @escaping Bend, _ check: String,
        fetch: String? = nil, _ said: String, mirror: String? = nil
    ) {
        (self.name, self.bend, self.check) = (name, bend, check)
        self.fetch = fetch ?? check
        self.said = said
        // What nobody can agree for is what stops a mirror too.
        self.mirror = mirror ?? (["none", "noHeaders"].contains(self.fetch) ? said : self.fetch)
    }

    var testDescription: String { name }

    /// The tree that it is about for a client that has installed height 47: where shards matter one that lacks a patch on the
    /// way from there, so that the new snapshot has to come.
    func seenByAClient(_ tree: MadeTree) -> MadeTree {
        said.contains("shard")
            ? tree.lacking(TreePath.patch(tree.chain.blockID(at: 48), tree.parameters)) : tree
    }

    /// A good host but for the answers to some requests.
    static func bent(
        _ files: Files = .all, _ bend: @escaping @Sendable (ScriptedRequest, inout ScriptedAnswer) -> Void
    ) -> Bend {
        { tree in tree.site.bent { if files.contains($0.path) { bend($0, &$1) } } }
    }

    /// A good host, but it says this of some files.
    static func answers(
        _ files: Files = .all, _ answer: @escaping @Sendable (ScriptedRequest) -> ScriptedAnswer
    ) -> Bend { bent(files) { $1 = answer($0) } }

    static func status(
        _ status: Int, of files: Files = .all, _ headers: [String: String] = [:]
    ) -> Bend {
        answers(files) { _ in ScriptedAnswer(status, Array("status \(status)\n".utf8), headers: headers) }
    }

    /// Other bytes of some files, as a good host has them: ranges too.
    static func bytes(
        _ files: Files = .all, _ change: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) -> Bend { changed { tree in tree.changed(files, change) } }

    /// A good host of a tree that was changed.
    static func changed(
        _ change: @escaping @Sendable (MadeTree) throws -> MadeTree
    ) -> Bend { { try change($0).site } }

    /// Files of a tree.
    enum Files: String, CaseIterable, Sendable {
        case all, authority, latest, attestation, signature, headers, manifest, shard, filter, patch, delta,
            muhashes,
            other

        init(_ path: String) {
            let kinds: [(Files, (String) -> Bool)] = [
                (.authority, { $0 == TreePath.authority }), (.latest, { $0 == TreePath.latest }),
                (.signature, { $0.hasSuffix(".txt.sig") }),
                (.attestation, { $0.hasPrefix("attestations/") }),
                (.headers, { $0.hasPrefix("headers/") }), (.manifest, { $0.hasSuffix("/manifest.txt") }),
                (.shard, { $0.contains("/shards/") }), (.filter, { $0.contains("/filters/") }),
                (.patch, { $0.hasPrefix("patches/") }), (.delta, { $0.hasPrefix("deltas/") }),
                (.muhashes, { $0.hasPrefix("muhashes/") }),
            ]
            self = kinds.first { $0.1(path) }?.0 ?? .other
        }

        func contains(_ path: String) -> Bool { self == .all || Files(path) == self }
    }
}

extension MadeTree {
    func changed(_ files: HostFault.Files, _ change: ([UInt8]) -> [UInt8]) -> MadeTree {
        var tree = self
        for (path, bytes) in self.files where files.contains(path) { tree.files[path] = change(bytes) }
        return tree
    }

    func without(_ files: HostFault.Files) -> MadeTree {
        var tree = self
        tree.files = self.files.filter { !files.contains($0.key) }
        return tree
    }

    /// Gives each file of a kind the bytes of the next one of it.
    func swapped(_ kind: HostFault.Files) -> MadeTree {
        var tree = self
        let paths = files.keys.filter(kind.contains).sorted()
        for (path, other) in zip(paths, paths.dropFirst() + paths.prefix(1)) {
            tree.files[path] = files[other]
        }
        return tree
    }
}

extension Fault {
    /// What was wrong, and with which kind of file.
    var summary: String { "\(kind.name) \(HostFault.Files(path))" }
}

extension Fault.Kind {
    /// The case, without what it says.
    var name: String { String("\(self)".prefix { $0 != "(" }.split(separator: ".").last ?? "") }
}

extension ClientRun {
    /// How it ended, in a word or two.
    var summary: String {
        switch end {
        case .done(let height): "\(height)"
        case .notThere:
            if let error = error as? NotThere {
                "no \(HostFault.Files(error.path)): \(error.faults.map(\.kind.name).joined(separator: " "))"
            } else {
                "no file"
            }
        case .fault(let kind):
            if let fault = error as? Fault { fault.summary } else { kind.name }
        case .noAgreement: "none"
        case .other where (error as? FileError)?.isConflict ?? false: "conflict"
        default: "\(end)"
        }
    }

    /// What was wrong with which kinds of files, each once.
    var said: String { Set(faults.map(\.summary)).sorted().joined(separator: ", ") }
}
