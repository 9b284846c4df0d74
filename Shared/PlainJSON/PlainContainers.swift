// Members of an object and elements of a list, read from a tape.

struct MembersOnTape<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: PlainDecoder

    var codingPath: [any CodingKey] { object.codingPath }

    var allKeys: [Key] {
        var keys: [Key] = []
        var index = object.index + 1
        while index < object.value.next {
            if let name = object.tape.text(of: object.tape.values[index]), let key = Key(stringValue: name) {
                keys.append(key)
            }
            index = object.tape.values[index + 1].next
        }
        return keys
    }

    /// Where the value of a member is.
    private func find(_ name: String) -> Int? {
        var index = object.index + 1
        while index < object.value.next {
            if object.tape.isText(object.tape.values[index], name) { return index + 1 }
            index = object.tape.values[index + 1].next
        }
        return nil
    }

    private func member(_ key: Key) throws -> PlainDecoder {
        if let index = find(key.stringValue) { return object.child(index, key) }
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: "no such member")
        throw DecodingError.keyNotFound(key, context)
    }

    private func optional(_ key: Key) -> PlainDecoder? {
        guard let index = find(key.stringValue), object.tape.values[index].kind != .null else { return nil }
        return object.child(index, key)
    }

    func contains(_ key: Key) -> Bool { find(key.stringValue) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try member(key).decodeNil() }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try member(key).decode(type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try member(key).decode(type) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try member(key).decode(type) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try member(key).decode(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try member(key).decode(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try member(key).decode(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try member(key).decode(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try member(key).decode(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try member(key).decode(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try member(key).decode(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try member(key).decode(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try member(key).decode(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try member(key).decode(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try member(key).decode(type) }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try member(key).read(type) }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try optional(key)?.decode(type) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try optional(key)?.decode(type) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optional(key)?.decode(type) }
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        try optional(key)?.read(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try member(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try member(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        guard let index = find(SuperKey.super.stringValue) else { throw object.mismatch((any Decoder).self) }
        return object.child(index, SuperKey.super)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }
}

private struct ElementKey: CodingKey {
    let place: Int

    var stringValue: String { "Index \(place)" }
    var intValue: Int? { place }

    init(_ place: Int) { self.place = place }
    init?(stringValue: String) { nil }
    init?(intValue: Int) { place = intValue }
}

struct ElementsOnTape: UnkeyedDecodingContainer {
    let list: PlainDecoder
    private(set) var currentIndex = 0
    private var index: Int

    init(list: PlainDecoder) {
        self.list = list
        index = list.index + 1
    }

    var codingPath: [any CodingKey] { list.codingPath }
    var isAtEnd: Bool { index >= list.value.next }

    var count: Int? {
        var (count, index) = (0, list.index + 1)
        while index < list.value.next { (count, index) = (count + 1, list.tape.values[index].next) }
        return count
    }

    private func element(_ type: Any.Type) throws -> PlainDecoder {
        let key = ElementKey(currentIndex)
        guard !isAtEnd else {
            let context = DecodingError.Context(codingPath: codingPath + [key], debugDescription: "the list has ended")
            throw DecodingError.valueNotFound(type, context)
        }
        return list.child(index, key)
    }

    private mutating func pass() {
        index = list.tape.values[index].next
        currentIndex += 1
    }

    mutating func decodeNil() throws -> Bool {
        guard try element(Never.self).decodeNil() else { return false }
        pass()
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try element(type).read(type)
        pass()
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try element([String: Any].self).container(keyedBy: type)
        pass()
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try element([Any].self).unkeyedContainer()
        pass()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try element(Never.self)
        pass()
        return decoder
    }
}
