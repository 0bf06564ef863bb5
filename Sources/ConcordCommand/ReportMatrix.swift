import Concord
import ConcordConsole
import ConcordClient

/// The matrix as the template draws it: places in the SVG, and words for the table that says the same.
struct ReportMatrix {
    /// So many blocks as a phone has room for.
    struct Part {
        let strips: [Strip]
        let labels: [Label]
    }

    /// An authority, from left to right the oldest block first.
    struct Strip {
        let stripName, stripVerdict: String
        /// Where the name stands, and the squares.
        let nameY, y: Int
        let squares: [Square]
    }

    struct Square {
        let x: Int
        /// Of a symbol in the template.
        let kind, title: String
        let squareLink: String?
    }

    struct Label {
        let labelX: Int
        let anchor, text: String
    }

    /// A height, newest first.
    struct Line {
        let lineHeight, lineBlock, shortBlock: String
        let entries: [Entry]
    }

    struct Entry {
        let entryName, entryKind, words: String
        let entryLink: String?
    }

    struct Meaning {
        let markKind, word, meaning: String
    }

    let first, last: String
    /// Of each part.
    let width, height, labelY: Int
    /// Newest first.
    let parts: [Part]
    let names: [String]
    let lines: [Line]
    let meanings: [Meaning]

    private static let step = 20
    private static let columns = 24
    private static let stripHeight = 52

    init(_ matrix: AttestationMatrix, _ facts: ReportFacts) {
        let heard = facts.survey.report.heard
        let blocks = matrix.blocks
        first = String(blocks.first?.height ?? 0)
        last = String(blocks.last?.height ?? 0)
        width = Self.columns * Self.step
        height = heard.count * Self.stripHeight + 22
        labelY = height - 6
        names = heard.map { $0.authority.name.description }
        parts = stride(from: blocks.count, to: 0, by: -Self.columns).map { end in
            Self.part(matrix, facts, max(0, end - Self.columns)..<end)
        }
        lines = blocks.indices.reversed().map { column in
            let block = blocks[column]
            return Line(
                lineHeight: String(block.height), lineBlock: block.hash.reversedHex,
                shortBlock: "…" + block.hash.reversedHex.suffix(8),
                entries: heard.indices.map { i in
                    let cell = matrix.rows[i][column]
                    return Entry(
                        entryName: heard[i].authority.name.description, entryKind: Self.kind(cell.mark),
                        words: Self.words(cell),
                        entryLink: cell.mark.isAttested ? facts.link(i, attestationOf: cell.block) : nil)
                })
        }
        meanings = AttestationMatrix.Mark.allCases.map {
            Meaning(markKind: Self.kind($0), word: Self.word($0), meaning: Self.meaning($0))
        }
    }

    private static func part(_ matrix: AttestationMatrix, _ facts: ReportFacts, _ range: Range<Int>) -> Part {
        let heard = facts.survey.report.heard
        // What is not a whole part stands at the right, below the newer ones.
        let x = { (column: Int) in (columns - range.upperBound + column) * step }
        return Part(
            strips: heard.indices.map { i in
                Strip(
                    stripName: heard[i].authority.name.description,
                    stripVerdict: facts.survey.report.outcome.verdicts[i].rawValue,
                    nameY: i * stripHeight + 22, y: i * stripHeight + 30,
                    squares: range.map { column in
                        let cell = matrix.rows[i][column]
                        return Square(
                            x: x(column), kind: kind(cell.mark),
                            title:
                                "\(heard[i].authority.name), height \(matrix.blocks[column].height): "
                                + words(cell),
                            squareLink: cell.mark.isAttested
                                ? facts.link(i, attestationOf: cell.block) : nil)
                    })
            },
            labels: range.reversed().filter { (range.upperBound - 1 - $0).isMultiple(of: 6) }.map { column in
                let isLast = column == range.upperBound - 1
                return Label(
                    labelX: x(column) + (isLast ? step - 1 : step / 2), anchor: isLast ? "end" : "middle",
                    text: String(matrix.blocks[column].height))
            })
    }

    /// The CSS class and the symbol of a mark.
    private static func kind(_ mark: AttestationMatrix.Mark) -> String {
        mark == .otherBranch ? "branch" : mark.rawValue
    }

    /// That of the mark which says of one block what a verdict says of an authority.
    static func kind(_ verdict: Verdict) -> String {
        let mark: AttestationMatrix.Mark =
            switch verdict {
            case .agrees: .agrees
            case .lagging, .stale: .lagging
            case .otherBranch: .otherBranch
            case .dissents, .equivocates: .differs
            case .unreachable: .unreachable
            case .invalid: .invalid
            case .withdrawn: .withdrawn
            }
        return kind(mark)
    }

    private static func word(_ mark: AttestationMatrix.Mark) -> String {
        switch mark {
        case .absent: "nothing attested"
        case .lagging: "not yet"
        default: mark.rawValue
        }
    }

    private static func words(_ cell: AttestationMatrix.Cell) -> String {
        switch cell.mark {
        case .differs: "differs in " + cell.fields.joined(separator: ", ")
        case .otherBranch: "other branch, block …\(cell.block.hash.reversedHex.suffix(8))"
        default: word(cell.mark)
        }
    }

    private static func meaning(_ mark: AttestationMatrix.Mark) -> String {
        switch mark {
        case .agrees: "It signed the same statement of the block as others."
        case .alone: "It attests the block, and no other authority was heard to do so."
        case .differs: "It signed another statement of the same block: a contradiction. Both cannot be right."
        case .otherBranch: "It attests another block at that height. Branches settle with the next blocks."
        case .lagging: "The height is above its newest attestation."
        case .absent: "Its host has no attestation of the block. That is neither agreement nor dissent."
        case .unreachable: "Its host did not answer. That says nothing about the authority."
        case .invalid: "Its host has files that its key did not sign. That says nothing about the authority."
        case .withdrawn: "Its key does not count any more at that height."
        }
    }
}
