import ArgumentParser

/// Which block is asked about.
struct HeightQuestion: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "After this block, one of those that the fetch came by: from the epoch's snapshot on those where a delta or patch "
                + "ends. (default: the newest)", valueName: "height"))
    var at: Int?
}
