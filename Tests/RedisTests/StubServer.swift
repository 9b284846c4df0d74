// A server that logs everybody in and answers every later command with the same bytes.

import Foundation
import NIOCore
import NIOPosix
import Redis
import TestSupport
import Testing

func withStubServer(
    answering bytes: String,
    _ body: @Sendable (RedisConfiguration, MultiThreadedEventLoopGroup) async throws -> Void
) async throws {
    let path = "/tmp/usher-stub-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(StubAnswers(bytes: bytes))
            }
        }
        .bind(unixDomainSocketPath: path).get()
    let result: Result<Void, any Error>
    do {
        try await body(RedisConfiguration(address: .unixSocket(path: path)), group)
        result = .success(())
    } catch {
        result = .failure(error)
    }
    try await server.close()
    try await group.shutdownGracefully()
    unlink(path)
    try result.get()
}

private final class StubAnswers: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let bytes: String

    init(bytes: String) { self.bytes = bytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let text = String(buffer: unwrapInboundIn(data))
        let answer = text.contains("PING") ? "+PONG\r\n" : bytes
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }
}
