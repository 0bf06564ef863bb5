import Concord
import ConcordFetch

/// What a person and a script are shown of a contradiction.
enum EvidenceWords {
    /// - Parameter problems: what could not be had on the way down.
    static func account(_ evidence: Evidence, _ problems: [String] = []) -> String {
        var lines = ["block \(evidence.block.hash.reversedHex) at height \(evidence.block.height)"]
        for side in evidence.sides {
            lines.append("\nstatement \(side.statement.digest.hex)")
            for one in side.signed {
                lines.append(
                    "  signed by \(who(one)) at \(Timestamp.text(one.attestation.attestation.time)), key "
                        + "\(one.attestation.attestation.key.hex): \(one.file.printable)")
            }
        }
        for difference in evidence.differences {
            let sides = names(difference, evidence)
            let isBelow = difference.block != evidence.block
            lines.append(
                "\n\(sides.own) and \(sides.other) differ \(isBelow ? "first " : "")at height \(difference.block.height)"
                    + (isBelow ? ", block \(difference.block.hash.reversedHex)," : "") + " in:")
            for field in difference.fields {
                lines += ["  \(field.name)"] + sides.lines(field.own, field.other).map { "  " + $0 }
            }
            lines += words(difference, evidence).flatMap { $0 }.map { "  " + $0 }
        }
        lines += Set(problems).sorted().map(\.printable)
        return lines.joined(separator: "\n")
    }

    /// What the folder calls the authority, and what it calls itself.
    private static func who(_ signed: Evidence.Signed) -> String {
        let own = signed.attestation.attestation.authority.description
        return signed.name == own ? own : "\(signed.name.printable), who signs as \(own),"
    }

    /// The account as it lies in the folder.
    static func file(_ evidence: Evidence, _ problems: [String]) -> String {
        """
        \(account(evidence, problems))

        Check all of it with: concord evidence FOLDER
        Check a signature with: openssl dgst -sha256 -verify NAME.pem -signature FILE.sig FILE

        """
    }

    private static func words(_ difference: Evidence.Difference, _ evidence: Evidence) -> [[String]] {
        let statement = evidence.sides[0].statement
        return difference.causes.map {
            $0.words(names(difference, evidence), on: statement.network, epochStart: statement.epochStart)
        }
    }

    private static func names(
        _ difference: Evidence.Difference, _ evidence: Evidence
    ) -> WayDown.Cause.Sides {
        let names = [difference.own, difference.other].map { place in
            evidence.sides[place].signed.map(\.name.printable).joined(separator: ", ")
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
            let name, key, time, file: String
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
            let causes: [WayDown.Cause.JSON]
        }

        let height: Int
        let block: String
        let sides: [Side]
        let differences: [Difference]
        let problems: [String]

        init(_ evidence: Evidence, problems: [String] = []) {
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
                            file: one.file)
                    })
            }
            differences = evidence.differences.map { difference in
                Difference(
                    statements: [difference.own, difference.other].map {
                        evidence.sides[$0].statement.digest.hex
                    },
                    height: difference.block.height, block: difference.block.hash.reversedHex,
                    fields: difference.fields.map { Field(name: $0.name, values: [$0.own, $0.other]) },
                    causes: zip(difference.causes, words(difference, evidence)).map { $0.json($1) })
            }
        }
    }
}
