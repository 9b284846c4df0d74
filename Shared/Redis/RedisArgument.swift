package import NIOCore

/// One word of a command. Binary safe: it goes out with its length, so no value needs escaping.
package enum RedisArgument: Sendable, Hashable {
    case text(String)
    case bytes([UInt8])
    case integer(Int)
}

extension RedisArgument: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
}

extension RedisArgument {
    package init(_ text: String) { self = .text(text) }
    package init(_ bytes: [UInt8]) { self = .bytes(bytes) }
    package init(_ number: Int) { self = .integer(number) }
}

extension ByteBuffer {
    /// Writes a command as a RESP array of bulk strings.
    package mutating func writeRedisCommand(_ arguments: [RedisArgument]) {
        writeLengthLine(marker: UInt8(ascii: "*"), arguments.count)
        for argument in arguments {
            switch argument {
            case .text(let text):
                writeLengthLine(marker: UInt8(ascii: "$"), text.utf8.count)
                writeString(text)
            case .bytes(let bytes):
                writeLengthLine(marker: UInt8(ascii: "$"), bytes.count)
                writeBytes(bytes)
            case .integer(let number):
                let text = String(number)
                writeLengthLine(marker: UInt8(ascii: "$"), text.utf8.count)
                writeString(text)
            }
            writeStaticString("\r\n")
        }
    }

    private mutating func writeLengthLine(marker: UInt8, _ length: Int) {
        writeInteger(marker)
        writeString(String(length))
        writeStaticString("\r\n")
    }
}
