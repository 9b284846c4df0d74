// Opens a socket and makes it usable: password, database, and a PING that a loading server refuses.

import NIOCore
import NIOPosix

struct RedisLogin: Sendable {
    let configuration: RedisConfiguration
    let loop: any EventLoop

    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    /// - Returns: a wire whose server has accepted the login, on `loop`.
    func open() -> EventLoopFuture<NIOLoopBound<RedisWire>> {
        connectSocket().flatMap { channel in
            logIn(channel).flatMapErrorThrowing { error in
                channel.close(promise: nil)
                throw error
            }
        }
    }

    private func connectSocket() -> EventLoopFuture<any Channel> {
        let replyBytesMax = configuration.replyBytesMax
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(configuration.connectDeadline))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RedisWire(replyBytesMax: replyBytesMax))
                }
            }
        switch configuration.address {
        case .unixSocket(let path):
            return bootstrap.connect(unixDomainSocketPath: path)
        case .tcp(let host, let port):
            return bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
        }
    }

    private func logIn(_ channel: any Channel) -> EventLoopFuture<NIOLoopBound<RedisWire>> {
        let answered = loop.makePromise(of: Void.self)
        do {
            let wire = try channel.pipeline.syncOperations.handler(type: RedisWire.self)
            let deadline = NIODeadline.now() + TimeAmount(configuration.connectDeadline)
            let call = RedisCall(pipeline: commands, deadline: deadline) { result in
                answered.completeWith(Result { try Self.check(result) })
            }
            wire.send(call)
            wire.flush()
            let timeout = loop.scheduleTask(deadline: deadline) {
                answered.fail(Refused(description: "no answer to the login"))
            }
            let bound = NIOLoopBound(wire, eventLoop: loop)
            return answered.futureResult.map {
                timeout.cancel()
                return bound
            }
        } catch {
            answered.fail(error)
            return loop.makeFailedFuture(error)
        }
    }

    private var commands: [[RedisArgument]] {
        var commands: [[RedisArgument]] = []
        if let password = configuration.password {
            commands.append(["AUTH"] + (configuration.user.map { [.text($0)] } ?? []) + [.text(password)])
        }
        if configuration.database != 0 {
            commands.append(["SELECT", .integer(configuration.database)])
        }
        return commands + [["PING"]]
    }

    private static func check(_ result: Result<RedisValue, RedisFailure>) throws {
        for reply in try result.get().asArray ?? [] {
            if let message = reply.asError { throw Refused(description: message) }
        }
    }
}
