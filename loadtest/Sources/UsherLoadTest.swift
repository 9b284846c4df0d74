import ArgumentParser

@main
struct UsherLoadTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usher-loadtest",
        abstract: "Put load on Usher the way visitors do.",
        subcommands: [
            OnSaleCommand.self, BuyCommand.self, HistoryCommand.self, HashesCommand.self, DrawCommand.self,
            RestartsCommand.self,
        ]
    )
}
