import Concord

/// What a client tells while it works.
public enum ClientEvent: Sendable {
    /// A host of a trustnet did something wrong, and what is held goes on to be held.
    case trustnetFault(Fault)
    /// An authority's headers are gone down to this height, to see what it says of one far below its newest.
    case walking(AuthorityName, height: Int)
    /// Authorities contradict each other about a block: what differs first is looked for.
    case searching(BlockID)
    /// Headers are followed, up to a height of so many.
    case headers(height: Int, of: Int)
    /// A set is fetched.
    case fetching(SetFetch.Event)
}
