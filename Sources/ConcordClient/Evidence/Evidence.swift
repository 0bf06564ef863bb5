import Concord
import ConcordFiles
import ConcordTree
import ConcordTransfers

/// The proof that authorities contradict each other about a block, in a folder that a third person can check without
/// asking anybody:
///
///     NAME-DIGEST.txt, .sig   what was signed: of the block, and of the lowest block where the difference was found
///     NAME.pem                the key, for openssl
///     sides/DIGEST/           what a statement names, as far as it was needed to see the difference: a tree's layout
///     account.txt             who says what, in words
///
/// Everything is read back from the folder and checked: what is shown to whoever made it is what others see.
public struct Evidence: Sendable {
    /// An attestation, and the file it is in.
    public struct Signed: Sendable {
        public let file: String
        public let attestation: SignedAttestation

        /// What stands before the digest in the file's name: what the client calls the authority.
        public var name: String { String(file.dropLast(Evidence.digits + 5)) }
        public var key: PublicKey { attestation.attestation.key }
    }

    /// One of the statements of the block, and who signed it.
    public struct Side: Sendable {
        public let statement: Statement
        public let signed: [Signed]
    }

    /// How two sides differ, at the lowest block where that was found.
    public struct Difference: Sendable {
        /// Places in `sides`.
        public let own, other: Int
        public let block: BlockID
        public let fields: [Field]
        public let causes: [DivergenceSearch.Cause]

        public struct Field: Sendable {
            /// As it stands in statements.
            public let name: String
            public let own: String
            public let other: String
        }
    }

    /// The folder.
    public let path: String
    /// The highest block in it that has two statements.
    public let block: BlockID
    /// What most signed first.
    public let sides: [Side]
    /// The first side with each other one.
    public let differences: [Difference]

    static let digits = 64
    static let account = "account.txt"

    /// What a folder shows that somebody else may have made. Throws `FileError` for a file that is not what it should be,
    /// or if there is no contradiction in it.
    public init(reading folder: Folder) throws {
        path = folder.root
        var blocks: [BlockID: [Signed]] = [:]
        for file in try Folder.names(in: folder.root).sorted()
        where file.hasSuffix(".txt") && file != Self.account {
            let signed = Signed(file: file, attestation: try Self.read(folder.path(file)))
            guard file.hasSuffix("-\(signed.attestation.attestation.digest.hex).txt") else {
                throw FileError(folder.path(file), "is not named by what it holds")
            }
            blocks[signed.attestation.statement.blockID, default: []].append(signed)
        }
        let contradicted = blocks.filter { Set($0.value.map(\.attestation.statement)).count > 1 }.keys
        guard let block = contradicted.max(by: { $0.height < $1.height }), let said = blocks[block] else {
            throw FileError(path, "holds no two signed statements of one block that differ")
        }
        let sides = Dictionary(grouping: said, by: \.attestation.statement).map(Side.init).sorted {
            ($1.signed.count, $0.statement.digest) < ($0.signed.count, $1.statement.digest)
        }
        self.block = block
        self.sides = sides
        differences = try sides.indices.dropFirst().map { other in
            try Difference(0, other, sides, blocks, in: folder)
        }
    }

    private static func read(_ path: String) throws(FileError) -> SignedAttestation {
        let bytes = try File.read(path, atMost: Attestation.maxBytes)
        let signature = try File.read(
            TreePath.signature(path), atMost: SignedAttestation.maxSignatureBytes)
        do {
            let key = try Attestation(parsing: bytes).key
            return try SignedAttestation(checking: bytes, signature: signature, key: key)
        } catch {
            throw FileError(path, "\(error)")
        }
    }

    /// The files of an attestation. Named by its contents: an older piece of evidence is never overwritten.
    static func stage(
        _ signed: SignedAttestation, of name: AuthorityName, in folder: Folder
    ) throws(FileError) -> [Folder.Staged] {
        let file = "\(name)-\(signed.attestation.digest.hex.prefix(digits)).txt"
        // A text that can be seen is complete.
        return [
            try folder.stage(signed.signature, at: TreePath.signature(file)),
            try folder.stage(signed.attestation.key.pem, at: "\(name).pem"),
            try folder.stage(signed.bytes, at: file),
        ]
    }

    /// The folder with what a statement names.
    static func side(_ statement: Statement) -> String { "sides/\(statement.digest.hex.prefix(digits))" }

    /// Leaves the account in words with the rest.
    public func write(account: String) throws(FileError) {
        let folder = try Folder(path)
        try folder.install([try folder.stage(account, at: Self.account)])
    }
}

extension Evidence.Difference {
    /// At the lowest block of which the folder has two statements that differ, one of a key of each side.
    fileprivate init(
        _ own: Int, _ other: Int, _ sides: [Evidence.Side], _ blocks: [BlockID: [Evidence.Signed]],
        in folder: Folder
    ) throws {
        let keys = sides.map { Set($0.signed.map(\.key)) }
        func said(_ block: BlockID) -> (Statement, Statement)? {
            if block == sides[own].statement.blockID { return (sides[own].statement, sides[other].statement) }
            let signed = blocks[block] ?? []
            // Of a key that is on both sides nobody knows which side it is on below.
            let mine = signed.first { keys[own].subtracting(keys[other]).contains($0.key) }
            let theirs = signed.first { keys[other].subtracting(keys[own]).contains($0.key) }
            guard let mine, let theirs else { return nil }
            return (mine.attestation.statement, theirs.attestation.statement)
        }
        let top = (sides[own].statement, sides[other].statement)
        let start = top.0.epochStart
        let lowest = blocks.keys.filter { (start..<top.0.height).contains($0.height) }.sorted {
            $0.height < $1.height
        }.first { block in said(block).map { $0.0 != $0.1 } ?? false }
        let (mine, theirs) = lowest.flatMap(said) ?? top
        self.own = own
        self.other = other
        block = mine.blockID
        fields = mine.differences(from: theirs).map {
            Field(name: $0, own: mine.value(of: $0), other: theirs.value(of: $0))
        }
        let before = said(BlockID(height: mine.height - 1, hash: mine.parent))
        let data = [mine, theirs].map { CommittedData(in: Folder(reading: folder.path(Evidence.side($0)))) }
        causes = try DivergenceSearch(data[0], data[1]).causes(
            mine, theirs, beforeIsSame: before.map { $0.0 == $0.1 } ?? false)
    }
}
