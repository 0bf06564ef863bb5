import Concord
import ConcordClient

/// What a person and a script are shown of a contradiction.
///
/// A name that the reader's own list has for a key is a name. Any other, of a file or of the key itself, is a claim that
/// nobody vouches for: the key stands first, and the name in quotes.
enum EvidenceDescription {
    /// The names that the list of the reader, or of those who wrote the folder for themselves, has for keys.
    typealias Names = [PublicKey: AuthorityName]

    /// - Parameter problems: what could not be had on the way down.
    static func account(_ evidence: Evidence, _ problems: [String] = [], known: Names = [:]) -> String {
        var lines = ["block \(evidence.block.hash.reversedHex) at height \(evidence.block.height)"]
        for side in evidence.sides {
            lines.append("\nstatement \(side.statement.digest.hex)")
            for one in side.signed {
                lines.append(
                    "  signed by \(who(one, known)) at \(Timestamp.text(one.attestation.attestation.time)): "
                        + one.file.printable)
            }
        }
        for difference in evidence.differences {
            let sides = names(difference, evidence, known)
            let isBelow = difference.block != evidence.block
            lines.append(
                "\n\(sides.own) and \(sides.other) differ \(isBelow ? "first " : "")at height \(difference.block.height)"
                    + (isBelow ? ", block \(difference.block.hash.reversedHex)," : "") + " in:")
            for field in difference.fields {
                lines += ["  \(field.name)"] + sides.lines(field.own, field.other).map { "  " + $0 }
            }
            lines += words(difference, evidence, known).flatMap { $0 }.map { "  " + $0 }
        }
        lines += Set(problems).sorted().map(\.printable)
        if !evidence.sides.flatMap(\.signed).allSatisfy({ known[$0.key] != nil }) {
            lines.append("\nNames in quotes are claims: nobody vouches for them here. Compare the keys")
        }
        return lines.joined(separator: "\n")
    }

    private static func who(_ signed: Evidence.Signed, _ known: Names) -> String {
        let own = signed.attestation.attestation.authority.description
        if let name = known[signed.key] {
            return "\(name), key \(signed.key.hex)"
                + (name.description == own ? "" : ", which signs as \"\(own)\",")
        }
        return "the key \(signed.key.hex), which signs as \"\(own)\""
            + (signed.name == own ? "" : " and is \"\(signed.name.printable)\" by the file's name,")
    }

    /// The account as it lies in the folder.
    static func file(_ evidence: Evidence, _ problems: [String]) -> String {
        """
        \(account(evidence, problems))

        Check all of it with: concord evidence FOLDER
        Check a signature with: openssl dgst -sha256 -verify NAME.pem -signature FILE.sig FILE

        """
    }

    private static func words(
        _ difference: Evidence.Difference, _ evidence: Evidence, _ known: Names
    ) -> [[String]] {
        let statement = evidence.sides[0].statement
        return difference.causes.map {
            $0.words(
                names(difference, evidence, known), on: statement.network, epochStart: statement.epochStart)
        }
    }

    private static func names(
        _ difference: Evidence.Difference, _ evidence: Evidence, _ known: Names
    ) -> DivergenceSearch.Cause.Sides {
        let names = [difference.own, difference.other].map { place in
            evidence.sides[place].signed.map { one in
                known[one.key]?.description
                    ?? "key \(one.key.hex.prefix(10))… (\"\(one.name.printable)\")"
            }.joined(separator: ", ")
        }
        // Who signed both is told apart by the statements.
        guard names[0] == names[1] else { return .init(own: names[0], other: names[1]) }
        let digests = [difference.own, difference.other].map {
            evidence.sides[$0].statement.digest.hex.prefix(8)
        }
        return .init(own: "\(names[0]) (\(digests[0]))", other: "\(names[1]) (\(digests[1]))")
    }

    /// What --json prints.
    struct JSON: Encodable {
        struct Signer: Encodable {
            /// Of the file: a claim.
            let name: String
            let key, time, file: String
            /// What the signed text says: the key's own claim.
            let signsAs: String
            /// The name that the list has for the key; nil for one that it does not have.
            let known: String?
        }
        struct Side: Encodable {
            let statement: String
            let signers: [Signer]
        }
        struct Field: Encodable {
            let name: String
            /// Of the two sides, in the order of `statements`.
            let values: [String]
        }
        struct Difference: Encodable {
            /// The two sides' statements of the block in question.
            let statements: [String]
            /// The lowest block where they were found to differ.
            let height: Int
            let block: String
            let fields: [Field]
            let causes: [DivergenceSearch.Cause.JSON]
        }

        let network: String
        let height: Int
        let block: String
        let sides: [Side]
        let differences: [Difference]
        let problems: [String]

        init(_ evidence: Evidence, problems: [String] = [], known: Names) {
            network = evidence.sides[0].statement.network.rawValue
            height = evidence.block.height
            block = evidence.block.hash.reversedHex
            self.problems = problems
            sides = evidence.sides.map { side in
                Side(
                    statement: side.statement.digest.hex,
                    signers: side.signed.map { one in
                        let attestation = one.attestation.attestation
                        return Signer(
                            name: one.name, key: attestation.key.hex, time: Timestamp.text(attestation.time),
                            file: one.file, signsAs: attestation.authority.description,
                            known: known[attestation.key]?.description)
                    })
            }
            differences = evidence.differences.map { difference in
                Difference(
                    statements: [difference.own, difference.other].map {
                        evidence.sides[$0].statement.digest.hex
                    },
                    height: difference.block.height, block: difference.block.hash.reversedHex,
                    fields: difference.fields.map { Field(name: $0.name, values: [$0.own, $0.other]) },
                    causes: zip(difference.causes, words(difference, evidence, known)).map { $0.json($1) })
            }
        }
    }
}
