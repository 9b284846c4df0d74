// HTTP connections whose tasks run on the event loop of their socket.
import HTTPTypes
package import HummingbirdCore
package import Logging
package import NIOCore

package struct LoopBoundChannel: ServerChildChannel {
    package typealias Value = HTTP1Channel.Value

    private let base: HTTP1Channel
    private let executors: LoopExecutors

    init(_ base: HTTP1Channel, executors: LoopExecutors) {
        self.base = base
        self.executors = executors
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        base.setup(channel: channel, logger: logger)
    }

    package func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(executors.executor(of: value.channel.eventLoop)) {
            await base.handle(value: value, logger: logger)
        }
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 for a server whose connections are on the loops of `group`.
    package static func http1(boundTo group: any EventLoopGroup) -> HTTPServerBuilder {
        let executors = LoopExecutors(group)
        return HTTPServerBuilder { responder in
            LoopBoundChannel(HTTP1Channel(responder: responder), executors: executors)
        }
    }
}
