// hiredis' incremental reader, with replies built directly as `RedisValue`.

import CHiredis
import NIOCore

/// A reply that is not RESP. The connection cannot be used any further.
struct ReplyFlaw: Error {
    let reason: String
}

/// Turns the bytes of one connection into replies. Not safe to share: it belongs to the connection's loop.
final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let assembly = ReplyAssembly()
    private let replyBytesMax: Int
    private var bytesSinceReply = 0

    init(replyBytesMax: Int) {
        self.replyBytesMax = replyBytesMax
        functions = .allocate(capacity: 1)
        functions.initialize(to: ReplyAssembly.functions)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            preconditionFailure("redis: no memory for a reply reader")
        }
        self.reader = reader
        reader.pointee.privdata = Unmanaged.passUnretained(assembly).toOpaque()
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
    }

    func feed(_ bytes: ByteBufferView) throws(ReplyFlaw) {
        bytesSinceReply += bytes.count
        guard bytesSinceReply <= replyBytesMax else { throw ReplyFlaw(reason: "longer than \(replyBytesMax) bytes") }
        let status = bytes.withUnsafeBytes { raw in
            redisReaderFeed(reader, raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count)
        }
        guard status == REDIS_OK else { throw flaw }
    }

    /// The next complete reply, or `nil` when more bytes are needed.
    func next() throws(ReplyFlaw) -> RedisValue? {
        var token: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &token) == REDIS_OK else { throw flaw }
        guard token != nil, let value = assembly.takeReply() else { return nil }
        bytesSinceReply = reader.pointee.len - reader.pointee.pos
        return value
    }

    private var flaw: ReplyFlaw {
        let text = withUnsafeBytes(of: reader.pointee.errstr) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        return ReplyFlaw(reason: text)
    }
}

/// Receives the parser's events. hiredis wants a pointer per object and only hands it back; the assembly keeps the
/// nesting itself and gives its own address as every pointer.
private final class ReplyAssembly {
    private struct OpenArray {
        var missing: Int
        var elements: [RedisValue]
    }

    private static let reserveMax = 1024
    private var open: [OpenArray] = []
    private var reply: RedisValue?

    static let functions = redisReplyObjectFunctions(
        createString: { task, text, length in
            guard let task else { return nil }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            let value: RedisValue =
                switch task.pointee.type {
                case REDIS_REPLY_STATUS: .status(String(decoding: bytes, as: UTF8.self))
                case REDIS_REPLY_ERROR: .error(String(decoding: bytes, as: UTF8.self))
                default: .bytes(Array(bytes))
                }
            return ReplyAssembly.of(task).add(value)
        },
        createArray: { task, count in
            guard let task else { return nil }
            return ReplyAssembly.of(task).beginArray(count: Int(count))
        },
        createInteger: { task, number in
            guard let task else { return nil }
            return ReplyAssembly.of(task).add(.integer(Int(number)))
        },
        createNil: { task in
            guard let task else { return nil }
            return ReplyAssembly.of(task).add(.null)
        },
        freeObject: { _ in }
    )

    func takeReply() -> RedisValue? {
        defer { reply = nil }
        return reply
    }

    private static func of(_ task: UnsafePointer<redisReadTask>) -> ReplyAssembly {
        guard let address = task.pointee.privdata else {
            preconditionFailure("redis: reply reader without its assembly")
        }
        return Unmanaged<ReplyAssembly>.fromOpaque(address).takeUnretainedValue()
    }

    private func beginArray(count: Int) -> UnsafeMutableRawPointer {
        guard count > 0 else { return add(.array([])) }
        var elements: [RedisValue] = []
        elements.reserveCapacity(min(count, Self.reserveMax))
        open.append(OpenArray(missing: count, elements: elements))
        return Unmanaged.passUnretained(self).toOpaque()
    }

    private func add(_ value: RedisValue) -> UnsafeMutableRawPointer {
        var value = value
        while let last = open.indices.last {
            open[last].elements.append(value)
            open[last].missing -= 1
            guard open[last].missing == 0 else { return Unmanaged.passUnretained(self).toOpaque() }
            value = .array(open.removeLast().elements)
        }
        reply = value
        return Unmanaged.passUnretained(self).toOpaque()
    }
}
