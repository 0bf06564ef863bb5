extension String {
    /// Text that somebody else may have had a hand in, with what moves a terminal's cursor replaced.
    public var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
