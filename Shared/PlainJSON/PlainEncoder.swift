// The three kinds of container an `Encodable` writes itself into, all of them on one sheet.

struct PlainEncoder: Encoder {
    let sheet: Sheet
    /// The containers that were open when this value began.
    let depth: Int

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        sheet.begin(isObject: true, at: depth)
        return KeyedEncodingContainer(PlainMembers(sheet: sheet, index: depth))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        sheet.begin(isObject: false, at: depth)
        return PlainElements(sheet: sheet, index: depth)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { PlainValue(sheet: sheet) }
}

private struct PlainMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let sheet: Sheet
    let index: Int

    var codingPath: [any CodingKey] { [] }

    private func begin(_ key: some CodingKey) -> Sheet {
        sheet.beginMember(key.stringValue, of: index)
        return sheet
    }

    func encodeNil(forKey key: Key) { begin(key).writeNull() }
    func encode(_ value: Bool, forKey key: Key) { begin(key).write(truth: value) }
    func encode(_ value: String, forKey key: Key) { begin(key).write(text: value) }
    func encode(_ value: Double, forKey key: Key) throws { try begin(key).write(fraction: value, at: [key]) }
    func encode(_ value: Float, forKey key: Key) throws { try begin(key).write(fraction: value, at: [key]) }
    func encode(_ value: Int, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: Int8, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: Int16, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: Int32, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: Int64, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: UInt, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: UInt8, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: UInt16, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: UInt32, forKey key: Key) { begin(key).write(number: value) }
    func encode(_ value: UInt64, forKey key: Key) { begin(key).write(number: value) }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try begin(key).write(value) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        encoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder(key).unkeyedContainer() }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }
    func superEncoder() -> any Encoder { encoder(SuperKey.super) }

    private func encoder(_ key: some CodingKey) -> PlainEncoder {
        let sheet = begin(key)
        return PlainEncoder(sheet: sheet, depth: sheet.depth)
    }
}

enum SuperKey: CodingKey { case `super` }

private struct PlainElements: UnkeyedEncodingContainer {
    let sheet: Sheet
    let index: Int

    var codingPath: [any CodingKey] { [] }
    var count: Int { sheet.count(of: index) }

    private func begin() -> Sheet {
        sheet.beginElement(of: index)
        return sheet
    }

    func encodeNil() { begin().writeNull() }
    func encode(_ value: Bool) { begin().write(truth: value) }
    func encode(_ value: String) { begin().write(text: value) }
    func encode(_ value: Double) throws { try begin().write(fraction: value, at: []) }
    func encode(_ value: Float) throws { try begin().write(fraction: value, at: []) }
    func encode(_ value: Int) { begin().write(number: value) }
    func encode(_ value: Int8) { begin().write(number: value) }
    func encode(_ value: Int16) { begin().write(number: value) }
    func encode(_ value: Int32) { begin().write(number: value) }
    func encode(_ value: Int64) { begin().write(number: value) }
    func encode(_ value: UInt) { begin().write(number: value) }
    func encode(_ value: UInt8) { begin().write(number: value) }
    func encode(_ value: UInt16) { begin().write(number: value) }
    func encode(_ value: UInt32) { begin().write(number: value) }
    func encode(_ value: UInt64) { begin().write(number: value) }
    func encode<Value: Encodable>(_ value: Value) throws { try begin().write(value) }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        encoder().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder() }

    private func encoder() -> PlainEncoder {
        let sheet = begin()
        return PlainEncoder(sheet: sheet, depth: sheet.depth)
    }
}

private struct PlainValue: SingleValueEncodingContainer {
    let sheet: Sheet

    var codingPath: [any CodingKey] { [] }

    func encodeNil() { sheet.writeNull() }
    func encode(_ value: Bool) { sheet.write(truth: value) }
    func encode(_ value: String) { sheet.write(text: value) }
    func encode(_ value: Double) throws { try sheet.write(fraction: value, at: []) }
    func encode(_ value: Float) throws { try sheet.write(fraction: value, at: []) }
    func encode(_ value: Int) { sheet.write(number: value) }
    func encode(_ value: Int8) { sheet.write(number: value) }
    func encode(_ value: Int16) { sheet.write(number: value) }
    func encode(_ value: Int32) { sheet.write(number: value) }
    func encode(_ value: Int64) { sheet.write(number: value) }
    func encode(_ value: UInt) { sheet.write(number: value) }
    func encode(_ value: UInt8) { sheet.write(number: value) }
    func encode(_ value: UInt16) { sheet.write(number: value) }
    func encode(_ value: UInt32) { sheet.write(number: value) }
    func encode(_ value: UInt64) { sheet.write(number: value) }
    func encode<Value: Encodable>(_ value: Value) throws { try sheet.write(value) }
}
