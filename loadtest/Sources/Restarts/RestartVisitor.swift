// A visitor who joins, polls and asks the shop, on one kept-alive connection at a time, and turns to the other gateway
// when one goes.
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import UsherAPI

struct RestartVisitor: Sendable {
    /// Milliseconds between two requests.
    private static let think = 50...150
    private static let attemptsMax = 20
    private static let pause = Duration.milliseconds(50)

    let number: Int
    let pair: GatewayPair
    let tally: RestartTally
    let group: MultiThreadedEventLoopGroup

    /// Until cancelled; the request under way is ended first.
    func run(while goesOn: @Sendable () -> Bool) async {
        var place: String?
        var count = 0
        var line = Line(visitor: self)
        while goesOn() {
            count += 1
            var request = Request.get("/v1/shows")
            if place == nil || count % 10 == 1 {
                let device = "restart" + String(repeating: "0", count: 20) + "\(number)x\(count)"
                request = Request.post(Path.room(GatewayPair.room, "join")).with(HeaderName.device, device)
            } else if count % 5 != 2 {
                request = Request.get(Path.room(GatewayPair.room, "place")).with(HeaderName.place, place)
            }
            if let reply = await line.answer(to: request), request.method == .POST,
                let joined = try? JSONDecoder().decode(JoinReply.self, from: Data(reply.body))
            {
                place = joined.token
            }
            try? await Task.sleep(for: .milliseconds(Int.random(in: Self.think)))
        }
        line.close()
    }

    /// The visitor's connection, and which gateway it is to.
    private struct Line {
        let visitor: RestartVisitor
        var gateway: Int
        var connection: VisitorConnection?

        init(visitor: RestartVisitor) {
            self.visitor = visitor
            gateway = visitor.number % 2
        }

        /// Sends the request until a gateway answers it. Joins carry a device, so sending one again is safe.
        mutating func answer(to request: Request) async -> Reply? {
            for _ in 0..<RestartVisitor.attemptsMax {
                do throws(TransportFailure) {
                    let reply = try await open().send(request)
                    if reply.headers.first(name: "Connection") == "close" {
                        visitor.tally.note { $0.toldToMove += 1 }
                        close()
                        gateway = 1 - gateway
                    }
                    guard reply.status < 500 else {
                        let words = "\(reply.status) \(String(decoding: reply.body, as: UTF8.self))"
                        visitor.tally.note {
                            $0.failed += 1
                            $0.firstFailure = $0.firstFailure ?? words
                        }
                        return nil
                    }
                    visitor.tally.note { $0.answered += 1 }
                    return reply
                } catch {
                    note(error)
                    close()
                    gateway = 1 - gateway
                    try? await Task.sleep(for: RestartVisitor.pause)
                }
            }
            visitor.tally.note { $0.lost += 1 }
            return nil
        }

        private func note(_ failure: TransportFailure) {
            visitor.tally.note { counts in
                switch failure {
                case .notConnected: counts.refused += 1
                case .lost: counts.unanswered += 1
                case .cutShort, .replyTooLong: counts.cutShort += 1
                }
            }
        }

        private mutating func open() -> VisitorConnection {
            if let connection { return connection }
            gateway = visitor.pair.choice(preferring: gateway)
            let opened = VisitorConnection(
                target: visitor.pair.targets[gateway],
                address: visitor.pair.addresses[gateway],
                source: VisitorConnection.source(ofVisitor: visitor.number),
                group: visitor.group
            )
            connection = opened
            return opened
        }

        mutating func close() {
            connection?.close()
            connection = nil
        }
    }
}
