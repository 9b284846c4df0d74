// A head as it came: its bytes, and where everything stands in them.
import NIOCore

/// A run of bytes within a head.
struct ByteSpan: Sendable, Equatable {
    /// So that a position fits in 16 bits.
    static let positionMax = 60_000

    var start: UInt16
    var count: UInt16

    init(_ range: Range<Int>) {
        start = UInt16(truncatingIfNeeded: range.lowerBound)
        count = UInt16(truncatingIfNeeded: range.count)
    }

    static let empty = ByteSpan(0..<0)

    var range: Range<Int> { Int(start)..<(Int(start) + Int(count)) }
}

struct FieldSlot: Sendable {
    var name: ByteSpan
    var value: ByteSpan
}

/// Never changed once it is made: heads share it.
final class HeadBytes: Sendable {
    static let fieldsMax = 254

    let bytes: ByteBuffer
    let target: ByteSpan
    /// Of `target`, how much comes before the question mark.
    let pathCount: Int
    let host: ByteSpan
    let slots: ContiguousArray<FieldSlot>
    let known: KnownSlots

    init(
        bytes: ByteBuffer,
        target: ByteSpan,
        pathCount: Int,
        host: ByteSpan,
        slots: ContiguousArray<FieldSlot>,
        known: KnownSlots
    ) {
        self.bytes = bytes
        self.target = target
        self.pathCount = pathCount
        self.host = host
        self.slots = slots
        self.known = known
    }

    @inline(__always)
    func with<Answer>(_ span: ByteSpan, _ body: (UnsafeRawBufferPointer) throws -> Answer) rethrows -> Answer {
        try bytes.withUnsafeReadableBytes { try body(UnsafeRawBufferPointer(rebasing: $0[span.range])) }
    }

    func text(_ span: ByteSpan) -> String {
        with(span) { String(decoding: $0, as: UTF8.self) }
    }

    func firstSlot(named name: String) -> FieldSlot? {
        var name = name
        return name.withUTF8 { name in
            bytes.withUnsafeReadableBytes { bytes in
                slots.first { slot in
                    guard Int(slot.name.count) == name.count else { return false }
                    let start = Int(slot.name.start)
                    return name.indices.allSatisfy {
                        ByteRules.lowered(bytes[start + $0]) == ByteRules.lowered(name[$0])
                    }
                }
            }
        }
    }
}

/// Lays down a head from its parts, as the parser would have found it.
struct HeadComposer {
    private var bytes = ByteBuffer()
    private var slots = ContiguousArray<FieldSlot>()
    private var known = KnownSlots()

    private mutating func put(_ text: String) -> ByteSpan {
        let start = bytes.writerIndex
        bytes.writeString(text)
        return ByteSpan(start..<bytes.writerIndex)
    }

    private mutating func put(_ field: EdgeHeaders.Field) {
        let slot = FieldSlot(name: put(field.name), value: put(field.value))
        bytes.withUnsafeReadableBytes { bytes in
            let name = UnsafeRawBufferPointer(rebasing: bytes[slot.name.range])
            if let field = KnownField.named(name) { known.set(field, slots.count) }
        }
        slots.append(slot)
    }

    /// Fields behind `HeadBytes.fieldsMax`, or behind `ByteSpan.positionMax` bytes, are left out.
    static func compose(target: String, host: String, headers: EdgeHeaders) -> HeadBytes {
        var composer = HeadComposer()
        let targetSpan = composer.put(target)
        let hostSpan = composer.put(host)
        for field in headers.fields where composer.slots.count < HeadBytes.fieldsMax {
            let end = composer.bytes.writerIndex + field.name.utf8.count + field.value.utf8.count
            if end <= ByteSpan.positionMax { composer.put(field) }
        }
        return HeadBytes(
            bytes: composer.bytes,
            target: targetSpan,
            pathCount: target.utf8.firstIndex(of: UInt8(ascii: "?")).map {
                target.utf8.distance(from: target.startIndex, to: $0)
            }
                ?? target.utf8.count,
            host: hostSpan,
            slots: composer.slots,
            known: composer.known
        )
    }
}
