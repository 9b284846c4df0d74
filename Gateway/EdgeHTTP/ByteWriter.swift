// Writes bytes into memory that somebody else owns. Every write is checked against the end of that memory.
package import NIOCore

package struct ByteWriter {
    private let space: UnsafeMutableRawBufferPointer
    package private(set) var count = 0

    package init(_ space: UnsafeMutableRawBufferPointer) {
        self.space = space
    }

    package var capacity: Int { space.count }

    @inline(__always)
    package mutating func put(byte: UInt8) {
        precondition(count < space.count, "no room for another byte")
        space[count] = byte
        count &+= 1
    }

    @inline(__always)
    package mutating func put(_ bytes: UnsafeRawBufferPointer) {
        let end = count + bytes.count
        precondition(end <= space.count, "no room for these bytes")
        guard let from = bytes.baseAddress, let to = space.baseAddress else { return }
        (to + count).copyMemory(from: from, byteCount: bytes.count)
        count = end
    }

    @inline(__always)
    package mutating func put(_ text: StaticString) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    package mutating func put(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { put($0) }
    }

    package mutating func put(_ text: String) {
        var text = text
        text.withUTF8 { put(UnsafeRawBufferPointer($0)) }
    }

    /// In decimal, without sign.
    package mutating func put(number: UInt64) {
        guard number >= 10 else {
            put(byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number))
            return
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = number
            var start = 20
            while rest > 0 {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            put(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[start..<20]))
        }
    }

    package mutating func put(number: Int) { put(number: UInt64(max(0, number))) }
}

extension ByteBuffer {
    /// Room for `capacity` bytes at the end, of which `write` uses as many as it needs.
    @inline(__always)
    package mutating func write(upTo capacity: Int, _ write: (inout ByteWriter) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { space in
            var writer = ByteWriter(space)
            write(&writer)
            return writer.count
        }
    }
}
