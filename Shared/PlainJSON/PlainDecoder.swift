// The three kinds of container a `Decodable` reads itself from, all of them on one tape.

extension PlainJSON {
    /// Reads what ``bytes(of:names:)`` writes, and whatever else is JSON, with the errors of Foundation's decoder and at a
    /// part of its cost. Types that Foundation's decoder treats in a way of its own (`Date`, `Data`, `URL`, `Decimal`) are
    /// read as they read themselves. Of two members of one name the first counts.
    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let tape: Tape
        do throws(Tape.Flaw) {
            tape = try Tape(bytes)
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no JSON: \(error)"))
        }
        return try PlainDecoder(tape: tape, index: 0, codingPath: []).read(type)
    }
}

struct PlainDecoder: Decoder, SingleValueDecodingContainer {
    let tape: Tape
    let index: Int
    let codingPath: [any CodingKey]

    var userInfo: [CodingUserInfoKey: Any] { [:] }
    var value: Tape.Value { tape.values[index] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard value.kind == .object else { throw mismatch([String: Any].self) }
        return KeyedDecodingContainer(MembersOnTape(object: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard value.kind == .list else { throw mismatch([Any].self) }
        return ElementsOnTape(list: self)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    // MARK: values

    func read<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: self) }

    func decodeNil() -> Bool { value.kind == .null }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard value.kind == .truth || value.kind == .lie else { throw mismatch(type) }
        return value.kind == .truth
    }

    func decode(_ type: String.Type) throws -> String {
        guard value.kind == .text else { throw mismatch(type) }
        guard let text = tape.text(of: value) else { throw corrupt("a text that cannot be read") }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard value.kind == .number else { throw mismatch(type) }
        guard let number = tape.fraction(of: value) else { throw corrupt("a number that does not fit") }
        return number
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try whole() }
    func decode(_ type: Int8.Type) throws -> Int8 { try whole() }
    func decode(_ type: Int16.Type) throws -> Int16 { try whole() }
    func decode(_ type: Int32.Type) throws -> Int32 { try whole() }
    func decode(_ type: Int64.Type) throws -> Int64 { try whole() }
    func decode(_ type: UInt.Type) throws -> UInt { try whole() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try whole() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try whole() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try whole() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try whole() }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try read(type) }

    private func whole<Number: FixedWidthInteger>() throws -> Number {
        guard value.kind == .number else { throw mismatch(Number.self) }
        guard let number: Number = tape.number(of: value) else { throw corrupt("a number that does not fit") }
        return number
    }

    // MARK: errors

    func mismatch(_ type: Any.Type) -> DecodingError {
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: "it is a \(value.kind)")
        return value.kind == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    private func corrupt(_ what: String) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: codingPath, debugDescription: what))
    }

    /// One of the values it contains.
    func child(_ index: Int, _ key: any CodingKey) -> PlainDecoder {
        PlainDecoder(tape: tape, index: index, codingPath: codingPath + CollectionOfOne(key))
    }
}
