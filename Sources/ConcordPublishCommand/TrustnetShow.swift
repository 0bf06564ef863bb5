import ArgumentParser

struct TrustnetShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the list, what is signed of it and what is not.")

    @OptionGroup var options: TrustnetOptions

    func run() throws { try TrustnetShown(options.path).print(isJSON: options.json) }
}
