extension String {
    /// The name of a file as one word for a shell, in a command that is shown to a person.
    public var shellWord: String {
        let plain = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/._-".utf8)
        let path = hasPrefix("-") ? "./" + self : self
        if !path.isEmpty, path.utf8.allSatisfy({ plain.contains($0) }) { return path }
        return "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
            + "'"
    }
}
