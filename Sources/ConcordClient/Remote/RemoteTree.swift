import Concord

/// A published tree at one host, as a reader sees it: the questions that `Tree` answers from a disk. What comes back has
/// passed; what has not is thrown as a `Fault`. Questions to many hosts at once go to the reader itself.
public struct RemoteTree {
    let place: TreeReader.Place
    let reader: TreeReader

    public init(_ url: String, reader: TreeReader) {
        place = TreeReader.Place(url)
        self.reader = reader
    }

    public var url: String { place.url }

    /// What the tree says of itself, unsigned.
    ///
    /// - Parameter key: the one that it must name; any if nil.
    public func hint(of key: PublicKey? = nil) throws -> TreeHint { try answer(.hint(of: key)) }

    /// The attestation of a block by this key, its signature checked.
    public func attestation(
        of block: BlockID, parameters: TreeParameters, key: PublicKey
    ) throws -> SignedAttestation {
        let question = TreeQuestion.attestation(of: block, parameters, keys: [key])
        let signed = try answer(question)
        let statement = signed.statement
        guard statement.blockID == block, statement.parameters == parameters else {
            throw fault(
                question,
                statement.blockID == block
                    ? .otherTree(TreeKind(statement), expected: nil) : .otherBlock(statement.blockID))
        }
        return signed
    }

    /// The headers of the epoch of a block, up to it.
    public func headers(leadingTo block: BlockID, parameters: TreeParameters) throws -> HeaderChain {
        try answer(.headers(leadingTo: block, parameters))
    }

    /// The manifest of a snapshot, held to the root that a statement names.
    public func manifest(of block: BlockID, parameters: TreeParameters, root: Digest) throws -> Manifest {
        try answer(.manifest(of: block, parameters, root: root))
    }

    /// Whether there is a manifest of a block's snapshot; throws where the host says neither that there is nor that there is
    /// not.
    public func hasManifest(of block: BlockID, parameters: TreeParameters) throws -> Bool {
        let reply = try reader.answer(.manifest(of: block, parameters, root: nil), at: [place])
        if reply.answer != nil { return true }
        guard let fault = reply.faults.last, !fault.isAbsence else { return false }
        throw fault
    }

    private func answer<Answer>(_ question: TreeQuestion<Answer>) throws -> Answer {
        let reply = try reader.answer(question, at: [place])
        guard let answer = reply.answer else { throw reply.faults.last ?? fault(question, .absent) }
        return answer
    }

    private func fault<Answer>(_ question: TreeQuestion<Answer>, _ kind: Fault.Kind) -> Fault {
        Fault(url: place.url, asked: question.asked, path: question.path, kind)
    }
}
