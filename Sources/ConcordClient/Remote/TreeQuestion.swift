import Concord
import ConcordFiles
import ConcordTransfers
import ConcordTree

/// A question to a published tree: which files, how large they can be, and what makes an answer of them. Everything that
/// comes from a host is bounded, parsed and held to what is known of it here, and nowhere else.
public struct TreeQuestion<Answer: Sendable>: Sendable {
    public let asked: TreeFile
    let files: [TransferJob.File]
    /// Whether its one file comes to the disk.
    let isLarge: Bool
    /// Throws what is wrong: `Fault.Kind`, or an error of a format, a signature or a file's contents.
    let accept: @Sendable ([TransferJob.Piece]) throws -> Answer

    init(
        _ asked: TreeFile, _ files: [TransferJob.File], isLarge: Bool = false,
        accept: @escaping @Sendable ([TransferJob.Piece]) throws -> Answer
    ) {
        (self.asked, self.files, self.isLarge, self.accept) = (asked, files, isLarge, accept)
    }

    /// Where the file lies in a tree; of several the first.
    var path: String { files[0].path }
}

/// What a tree says of itself, unsigned: whose it is, and its newest block.
public struct TreeHint: Sendable {
    public let authority: AuthorityFile
    public let latest: BlockID
}

extension TreeQuestion where Answer == TreeHint {
    /// - Parameter key: the one that the tree must name; any if nil.
    public static func hint(of key: PublicKey?) -> Self {
        Self(
            .hint,
            [
                TransferJob.File(TreePath.authority, limit: AuthorityFile.maxBytes),
                TransferJob.File(TreePath.latest, limit: 128),
            ]
        ) { pieces in
            let authority = try TransferJob.part(0) { try AuthorityFile(parsing: pieces[0].bytes) }
            if let key, key != authority.key { throw Fault.Kind.otherKey(authority.key, wanted: key) }
            return TreeHint(
                authority: authority,
                latest: try TransferJob.part(1) { try BlockID(parsingLatest: pieces[1].bytes) })
        }
    }
}

extension TreeQuestion where Answer == SignedAttestation {
    /// What one of these keys signs of a block. Whatever its statement says of the block is the authority's word; that it is
    /// of this block, in a tree of this kind, is the host's part.
    public static func attestation(
        of block: BlockID, _ parameters: TreeParameters, keys: Set<PublicKey>
    ) -> Self {
        let path = TreePath.attestation(block, parameters)
        return Self(
            .attestation(block),
            [
                TransferJob.File(path, limit: Attestation.maxBytes),
                TransferJob.File(TreePath.signature(path), limit: SignedAttestation.maxSignatureBytes),
            ]
        ) { pieces in
            var key = keys.count == 1 ? keys.first : nil
            if key == nil {
                let named = try Attestation(parsing: pieces[0].bytes).key
                guard keys.contains(named) else { throw AttestationError.otherKey(named) }
                key = named
            }
            guard let key else { preconditionFailure("somebody's attestation is asked for") }
            let signed = try SignedAttestation(
                checking: pieces[0].bytes, signature: pieces[1].bytes, key: key)
            let statement = signed.statement
            // Another height is the authority's word too.
            guard statement.block == block.hash else { throw Fault.Kind.otherBlock(statement.blockID) }
            return signed
        }
    }
}

/// A trustnet's document as a host has it; who signed it is not checked yet.
struct TrustnetDocument: Sendable {
    let bytes: [UInt8]
    let trustnet: Trustnet
}

extension TreeQuestion where Answer == TrustnetDocument {
    /// A version of a trustnet; the newest if nil.
    static func trustnet(version: Int?) -> Self {
        let path = version.map(TrustnetPath.version) ?? TrustnetPath.newest
        return Self(.trustnet(version: version), [TransferJob.File(path, limit: Trustnet.maxBytes)]) {
            pieces in
            let bytes = pieces[0].bytes
            let document: TrustnetDocument
            do throws(TrustnetError) {
                let trustnet = try Trustnet(parsing: bytes)
                document = TrustnetDocument(bytes: bytes, trustnet: trustnet)
            } catch {
                throw Fault.Kind.notDocument(error)
            }
            if let version, document.trustnet.version != version {
                throw Fault.Kind.otherVersion(document.trustnet.version)
            }
            return document
        }
    }
}

extension TreeQuestion where Answer == HeaderTail? {
    /// The last headers up to a block; nil where they do not lead to it.
    static func tail(of block: BlockID, _ parameters: TreeParameters) -> Self {
        let range = HeaderTail.range(of: block.height, parameters)
        return Self(
            .headers(epoch: parameters.epochStart(of: block.height)),
            [
                TransferJob.File(
                    TreePath.headers(epochOf: block.height, parameters), limit: range.count, range: range)
            ]
        ) { HeaderTail($0[0].bytes, leadingTo: block, parameters) }
    }
}

extension TreeQuestion where Answer == [UInt8] {
    /// The signature of a version of a trustnet, or the one by the bootstrap key that it replaces.
    static func signature(ofTrustnet version: Int, isPrevious: Bool) -> Self {
        let path = TrustnetPath.version(version)
        return Self(
            .trustnet(version: version),
            [
                TransferJob.File(
                    isPrevious ? TrustnetPath.previousSignature(path) : TrustnetPath.signature(path),
                    limit: SignedTrustnet.maxSignatureBytes)
            ]
        ) { $0[0].bytes }
    }

    /// The headers of an epoch, 80 bytes each, as they come: they are held to the rules by whoever follows them.
    ///
    /// - Parameter heights: those whose headers are wanted, all of one epoch. A host may have more of them, or fewer: what
    ///   they lead to shows.
    static func headers(_ heights: ClosedRange<Int>, _ parameters: TreeParameters) -> Self {
        let start = parameters.epochStart(of: heights.lowerBound)
        let isWhole = heights.lowerBound == start
        let range =
            (heights.lowerBound - start) * BlockHeader.size..<(heights.upperBound + 1 - start)
            * BlockHeader.size
        return Self(
            .headers(epoch: start),
            [
                TransferJob.File(
                    TreePath.headers(epochOf: start, parameters),
                    limit: isWhole ? parameters.epoch * BlockHeader.size : range.count,
                    range: isWhole ? nil : range)
            ]
        ) { pieces in
            let bytes = pieces[0].bytes
            guard !bytes.isEmpty, bytes.count.isMultiple(of: BlockHeader.size) else {
                throw HeaderFault(.truncated, height: heights.lowerBound + bytes.count / BlockHeader.size)
            }
            try check(bytes, from: heights.lowerBound)
            return Array(bytes.prefix(range.count))
        }
    }

    /// Whoever makes headers up without work is found out where they come from.
    private static func check(_ headers: [UInt8], from height: Int) throws(HeaderFault) {
        try headers.withBytes { raw throws(HeaderFault) in
            var cursor = ByteCursor(raw)
            var (height, parent) = (height, Digest?.none)
            while !cursor.isAtEnd {
                guard let header = try? BlockHeader(parsing: &cursor) else {
                    throw HeaderFault(.truncated, height: height)
                }
                if let parent, header.parent != parent { throw HeaderFault(.notChild, height: height) }
                guard header.meetsItsTarget else { throw HeaderFault(.noWork, height: height) }
                (height, parent) = (height + 1, header.hash)
            }
        }
    }
}

extension TreeQuestion where Answer == HeaderChain {
    /// The headers of the epoch of a block, up to it: each links to the one before and carries work.
    static func headers(leadingTo tip: BlockID, _ parameters: TreeParameters) -> Self {
        let start = parameters.epochStart(of: tip.height)
        return Self(
            .headers(epoch: start),
            [
                TransferJob.File(
                    TreePath.headers(epochOf: tip.height, parameters),
                    limit: parameters.epoch * BlockHeader.size)
            ]
        ) { pieces in
            let size = (tip.height + 1 - start) * BlockHeader.size
            guard let chain = try? HeaderChain(parsing: Array(pieces[0].bytes.prefix(size)), from: start),
                chain.block(at: tip.height) == tip
            else { throw Fault.Kind.leadsElsewhere(tip) }
            return chain
        }
    }
}

extension TreeQuestion where Answer == Statement {
    /// The statement of a block, whoever signed it, for its digest is known, or will be.
    static func statement(of block: BlockID, _ parameters: TreeParameters, digest: Digest?) -> Self {
        Self(
            .statement(block),
            [TransferJob.File(TreePath.attestation(block, parameters), limit: Attestation.maxBytes)]
        ) { pieces in
            let statement = try Attestation(parsing: pieces[0].bytes).statement
            guard statement.blockID == block, statement.parameters == parameters else {
                throw Fault.Kind.otherBlock(statement.blockID)
            }
            guard digest == nil || statement.digest == digest else {
                throw Fault.Kind.mismatch("has another statement than the one that later statements name")
            }
            return statement
        }
    }
}

extension TreeQuestion where Answer == ShardMuHashes {
    /// The MuHashes of all shards after the block of a statement.
    static func muhashes(_ statement: Statement) -> Self {
        let parameters = statement.parameters
        return Self(
            .muhashes(statement.blockID),
            [
                TransferJob.File(
                    TreePath.muhashes(statement.blockID, parameters), limit: ShardMuHashes.size(parameters))
            ]
        ) { pieces in
            let muhashes = try ShardMuHashes(parsing: pieces[0].bytes, parameters)
            guard muhashes.root == statement.muhashes else {
                throw Fault.Kind.mismatch("are not the MuHashes that the statement names")
            }
            return muhashes
        }
    }
}

extension TreeQuestion where Answer == Manifest {
    /// The manifest of the snapshot of a block, held to the root that a statement names; nil only to see whether there is
    /// one.
    static func manifest(of block: BlockID, _ parameters: TreeParameters, root: Digest?) -> Self {
        Self(
            .manifest(block),
            [TransferJob.File(TreePath.manifest(block), limit: Manifest.maxBytes(shards: parameters.shards))]
        ) { pieces in
            let manifest = try Manifest(parsing: pieces[0].bytes, shards: parameters.shards)
            guard root == nil || manifest.root == root else {
                throw Fault.Kind.mismatch("is not the manifest that the statement names")
            }
            return manifest
        }
    }
}

extension TreeQuestion where Answer == Folder.Staged {
    /// A shard of the snapshot that a manifest lists.
    static func shard(_ shard: Int, of block: BlockID, _ manifest: Manifest) -> Self {
        let line = manifest.shards[shard]
        return large(
            .shard(shard, of: block), TreePath.shard(shard, of: block),
            limit: ZstdDecompressor.maxBytes(canonical: Int(line.contents.bytes))
        ) {
            var reader = try ShardReader($0, expected: line.contents)
            try reader.check()
        }
    }

    /// The same, and its coins are counted on the way: `count` is given what they come to.
    static func shard(
        _ shard: Int, of block: BlockID, _ manifest: Manifest, _ parameters: TreeParameters,
        count: @escaping @Sendable (ShardTotals) -> Void
    ) -> Self {
        let line = manifest.shards[shard]
        return large(
            .shard(shard, of: block), TreePath.shard(shard, of: block),
            limit: ZstdDecompressor.maxBytes(canonical: Int(line.contents.bytes))
        ) {
            var reader = try ShardReader($0, expected: line.contents)
            count(try reader.count(shard, of: parameters, for: $0))
        }
    }

    /// The filter of a shard.
    static func filter(_ shard: Int, of block: BlockID, _ manifest: Manifest) -> Self {
        let line = manifest.shards[shard]
        return large(
            .filter(shard, of: block), TreePath.filter(shard, of: block), limit: Int(line.filter.bytes)
        ) {
            _ = try ShardFilter.read($0, block, line)
        }
    }

    /// The patch or delta that a statement names.
    static func changes(_ file: ChangeFile, _ parameters: TreeParameters) -> Self {
        large(
            file.span == 1 ? .patch(file.block) : .delta(file.block, span: file.span), file.path(parameters),
            limit: PatchDirectory.maxFileBytes(parameters, span: file.span)
        ) {
            var checker = PatchFile.Checker()
            try checker.check($0, is: file, parameters)
        }
    }

    private static func large(
        _ asked: TreeFile, _ path: String, limit: Int, check: @escaping @Sendable (String) throws -> Void
    ) -> Self {
        Self(asked, [TransferJob.File(path, limit: limit)], isLarge: true) { pieces in
            let part = pieces[0].path ?? ""
            try check(part)
            return Folder.Staged(temporary: part, path: path)
        }
    }
}
