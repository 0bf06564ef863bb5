import Concord

/// Statements that lead from one to another by the fewest patches and deltas, the lowest first. Inside an epoch each is
/// named by the one above it, so that the last, which authorities agree on, pins them all (FORMAT.md, «Statements»).
struct StatementWay: Sendable {
    let statements: [Statement]

    /// Nil where one does not name the one before, or none is given.
    init?(_ statements: [Statement]) {
        guard !statements.isEmpty, Self.firstBroken(in: statements) == nil else { return nil }
        self.statements = statements
    }

    /// One that leads nowhere.
    init(_ statement: Statement) { statements = [statement] }

    /// The files that lead from each to the next.
    var files: [ChangeFile] { Self.files(statements) }

    static func files(_ statements: [Statement]) -> [ChangeFile] {
        zip(statements, statements.dropFirst()).compactMap { before, statement in
            ChangeFile(statement, span: statement.height - before.height)
        }
    }

    /// The place of the first that does not name the one before it, with its digest; nil if all do.
    static func firstBroken(in statements: [Statement]) -> Int? {
        zip(statements, statements.dropFirst()).enumerated().first { _, pair in
            let (before, statement) = pair
            return statement.ancestor(statement.height - before.height) != before.digest
        }.map { $0.offset + 1 }
    }
}
