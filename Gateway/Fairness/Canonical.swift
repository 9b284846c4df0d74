// The one way numbers and texts become bytes before they are hashed: fixed widths, and every text with its length in
// front, so that no two different inputs give the same bytes.

struct Canonical {
    static let textLengthMax = 255

    private(set) var bytes: [UInt8]

    /// Starts with the name of what is hashed, such as `usher/draw/v1`; no name is the start of another.
    init(_ domain: String) {
        bytes = Array(domain.utf8)
    }

    mutating func append(text: String) {
        precondition(text.utf8.count <= Self.textLengthMax, "a text in a hash has at most 255 bytes")
        bytes.append(UInt8(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ value: some FixedWidthInteger) {
        bytes.append(bigEndian: value)
    }

    /// Only for values of a length that the format fixes.
    mutating func append(fixed value: [UInt8]) {
        bytes.append(contentsOf: value)
    }
}

extension [UInt8] {
    /// Appends an integer in its own width, highest byte first.
    package mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// The integer of its own width at `offset`, highest byte first.
    func bigEndian<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type = Value.self) -> Value {
        Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
