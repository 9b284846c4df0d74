import NIOCore

/// One call on its way: its encoded commands and what to do with the answer.
struct RedisCall {
    typealias Completion = @Sendable (Result<RedisValue, RedisFailure>) -> Void

    let bytes: ByteBuffer
    /// Commands in `bytes`. With `isPipeline` their replies are delivered together as `.array`.
    let commandCount: Int
    let isPipeline: Bool
    let deadline: NIODeadline
    let complete: Completion

    init(_ command: [RedisArgument], deadline: NIODeadline, complete: @escaping Completion) {
        var bytes = ByteBuffer()
        bytes.writeRedisCommand(command)
        self.bytes = bytes
        commandCount = 1
        isPipeline = false
        self.deadline = deadline
        self.complete = complete
    }

    init(pipeline commands: [[RedisArgument]], deadline: NIODeadline, complete: @escaping Completion) {
        var bytes = ByteBuffer()
        for command in commands { bytes.writeRedisCommand(command) }
        self.bytes = bytes
        commandCount = commands.count
        isPipeline = true
        self.deadline = deadline
        self.complete = complete
    }
}

/// A call that was handed to the socket. `complete` is gone once the caller was told that its deadline has passed;
/// the entry stays to swallow the late replies.
struct AwaitedReplies {
    private var values: [RedisValue] = []
    private let commandCount: Int
    private let isPipeline: Bool
    private var complete: RedisCall.Completion?
    let deadline: NIODeadline

    init(_ call: RedisCall) {
        commandCount = call.commandCount
        isPipeline = call.isPipeline
        complete = call.complete
        deadline = call.deadline
    }

    var isLive: Bool { complete != nil }

    /// Takes one reply. Returns true when it was the last one of the call.
    mutating func take(_ value: RedisValue) -> Bool {
        guard isPipeline else {
            if case .error(let message) = value {
                complete?(.failure(.refused(message: message)))
            } else {
                complete?(.success(value))
            }
            return true
        }
        values.append(value)
        guard values.count == commandCount else { return false }
        complete?(.success(.array(values)))
        return true
    }

    /// Gives the completion away: the caller will be told something else than the reply.
    mutating func abandon() -> RedisCall.Completion? {
        defer { complete = nil }
        return complete
    }
}
