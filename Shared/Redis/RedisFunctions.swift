package import NIOCore

/// A library of Redis functions, named by the hash of its text, so that processes of different versions use the same
/// server side by side and a changed text can never run under an old name.
///
/// In the text `@HASH@` stands for that hash, in the library name and in every function name:
/// `#!lua name=rooms_@HASH@` … `redis.register_function('join_@HASH@', join)`.
package struct RedisFunctionLibrary: Sendable {
    package let name: String
    package let hash: String
    /// The text as the server gets it.
    package let text: String

    private static let placeholder = "@HASH@"

    package init(name: String, source: String) {
        let hash = Self.contentHash(source)
        self.hash = hash
        self.name = "\(name)_\(hash)"
        text = source.split(separator: Self.placeholder, omittingEmptySubsequences: false).joined(separator: hash)
    }

    package init(name: String, source: [UInt8]) {
        self.init(name: name, source: String(decoding: source, as: UTF8.self))
    }

    /// FNV-1a, 64 bits, as 16 hexadecimal digits: it tells versions apart, it protects nothing.
    private static func contentHash(_ source: String) -> String {
        let hash = source.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The function registered as `<name>_@HASH@`.
    package func function(_ name: String) -> RedisFunction {
        RedisFunction(library: self, name: "\(name)_\(hash)")
    }

    var loadCommand: [RedisArgument] { ["FUNCTION", "LOAD", .text(text)] }
}

package struct RedisFunction: Sendable {
    package let library: RedisFunctionLibrary
    package let name: String

    func command(keys: [RedisArgument], arguments: [RedisArgument]) -> [RedisArgument] {
        ["FCALL", .text(name), .integer(keys.count)] + keys + arguments
    }

    /// What the server says when it does not have the library: after a start, a flush, or for a new version.
    static func isLost(_ failure: RedisFailure) -> Bool {
        failure == .refused(message: "ERR Function not found")
    }

    /// The reply of the call in a `FUNCTION LOAD`, `FCALL` pipeline. A neighbour may have loaded the library
    /// meanwhile; any other failure to load is the answer.
    static func secondReply(_ replies: [RedisValue]) -> Result<RedisValue, RedisFailure> {
        guard replies.count == 2 else { return .failure(.refused(message: "ERR incomplete pipeline")) }
        if let message = replies[0].asError, !message.contains("already exists") {
            return .failure(.refused(message: message))
        }
        if let message = replies[1].asError { return .failure(.refused(message: message)) }
        return .success(replies[1])
    }
}

extension RedisClient {
    /// Calls a function; loads its library and calls again when the server does not have it. A function that is not
    /// found has not run, so the second call repeats nothing.
    package func call(
        _ function: RedisFunction,
        keys: [RedisArgument],
        arguments: [RedisArgument] = [],
        deadline: Duration? = nil
    ) async throws(RedisFailure) -> RedisValue {
        let command = function.command(keys: keys, arguments: arguments)
        do {
            return try await call(command, deadline: deadline)
        } catch {
            guard RedisFunction.isLost(error) else { throw error }
        }
        let replies = try await pipeline([function.library.loadCommand, command], deadline: deadline)
        return try RedisFunction.secondReply(replies).get()
    }

    /// As `call`, for code on an event loop; see `callFuture(_:deadline:on:)`.
    package func callFuture(
        _ function: RedisFunction,
        keys: [RedisArgument],
        arguments: [RedisArgument] = [],
        deadline: Duration? = nil,
        on loop: any EventLoop
    ) -> EventLoopFuture<RedisValue> {
        let command = function.command(keys: keys, arguments: arguments)
        return callFuture(command, deadline: deadline, on: loop).flatMapError { error in
            guard let failure = error as? RedisFailure, RedisFunction.isLost(failure) else {
                return loop.makeFailedFuture(error)
            }
            return self.pipelineFuture([function.library.loadCommand, command], deadline: deadline, on: loop)
                .flatMapResult { RedisFunction.secondReply($0) }
        }
    }

    /// Loads a library ahead of its first call.
    package func load(_ library: RedisFunctionLibrary, deadline: Duration? = nil) async throws(RedisFailure) {
        do {
            _ = try await call(library.loadCommand, deadline: deadline)
        } catch {
            guard case .refused(let message) = error, message.contains("already exists") else { throw error }
        }
    }
}

extension RedisClient {
    /// Calls one function many times, in order, as one pipeline. The library goes ahead of the calls each time: a server
    /// that has it says so without reading it, and one that lost it runs the calls in order all the same.
    /// - Returns: one value per call; an error reply is a value (`.error`).
    package func pipeline(
        _ function: RedisFunction,
        calls: [(keys: [RedisArgument], arguments: [RedisArgument])],
        deadline: Duration? = nil
    ) async throws(RedisFailure) -> [RedisValue] {
        guard !calls.isEmpty else { return [] }
        let commands = calls.map { function.command(keys: $0.keys, arguments: $0.arguments) }
        return Array(try await pipeline([function.library.loadCommand] + commands, deadline: deadline).dropFirst())
    }
}
