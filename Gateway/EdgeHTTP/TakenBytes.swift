// What the other side of a socket has taken so far, as its kernel has acknowledged it.
import NIOCore

enum TakenBytes {
    /// The first 128 bytes of Linux' `struct tcp_info` (linux/tcp.h); `tcpi_bytes_acked` is the last 8 of them.
    private typealias TCPInfo = (
        UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64,
        UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64
    )
    private static let tcpInfoOption = NIOBSDSocket.Option(rawValue: 11)

    /// To be called on the channel's loop. 0 for what is no TCP socket.
    static func of(_ channel: any Channel) -> UInt64 {
        guard let socket = channel as? any SocketOptionProvider else { return 0 }
        var taken: UInt64 = 0
        let info: EventLoopFuture<TCPInfo> = socket.unsafeGetSocketOption(level: .tcp, name: tcpInfoOption)
        info.assumeIsolated().whenSuccess { taken = $0.15 }
        return taken
    }
}
