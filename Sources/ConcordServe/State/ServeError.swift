import ConcordClient

/// Why there is no answer from a home.
public enum ServeError: Error, Sendable {
    /// Authorities of the list contradict each other.
    case contradicted(Home.Contradiction)
    /// The headers are not here, or the installed block is not on the chain that they are of: `concord fetch` brings both.
    case noHeaders
}
