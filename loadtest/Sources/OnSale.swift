// Runs a whole on-sale: every visitor a task of its own, a line each second, a report at the end.
import Foundation
import NIOCore
import NIOPosix
import UsherAPI

struct OnSale: Sendable {
    let sale: Sale
    let pacer: Pacer
    let accounts: [PreparedAccount?]
    let timeout: Duration
    let group: any EventLoopGroup

    /// Ends when every visitor has ended, or after `timeout`, whichever comes first.
    func run(printing line: @escaping @Sendable (String) -> Void) async -> Report {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await crowd() }
            group.addTask { await progress(line) }
            await group.next()
            group.cancelAll()
        }
        let time = sale.start.duration(to: .now)
        let state = sale.scoreboard.snapshot()
        return Report(state, visitors: pacer.visitors, session: sale.session, room: sale.room, lasting: time)
    }

    private func crowd() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: timeout) }
            group.addTask {
                await withDiscardingTaskGroup { visitors in
                    for index in 0..<pacer.visitors { visitors.addTask { await visit(index) } }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func visit(_ index: Int) async {
        let due = sale.start + pacer.arrival(of: index)
        guard (try? await Task.sleep(until: due)) != nil else {
            return sale.scoreboard.ended(.unfinished(at: .join), wasInShop: false)
        }
        sale.scoreboard.arrived(late: due.duration(to: .now))
        let source = sale.target.isLoopback ? VisitorConnection.source(ofVisitor: index) : nil
        let connection = VisitorConnection(
            target: sale.target,
            address: sale.address,
            source: source,
            group: group
        )
        let visitor = Visitor(index, of: sale, account: accounts[index], connection: connection)
        let ending = await visitor.visit()
        connection.close()
        sale.scoreboard.ended(ending, wasInShop: visitor.isInShop)
    }

    private func progress(_ line: @Sendable (String) -> Void) async {
        var requests = 0
        while !Task.isCancelled {
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            let state = sale.scoreboard.snapshot()
            line(Lines.progress(state, after: sale.start.duration(to: .now), requestsBefore: requests))
            requests = state.requests
        }
    }
}

extension Target {
    /// Only then can a visitor have an address of its own.
    var isLoopback: Bool { host.hasPrefix("127.") || host == "localhost" }
}
