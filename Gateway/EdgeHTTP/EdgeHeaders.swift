/// Header fields in the order they came or will be written. Names compare without case.
package struct EdgeHeaders: Sendable, ExpressibleByDictionaryLiteral {
    /// One line of a head. It cannot end its line or the head, nor speak of the framing: none like that can be made.
    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: String

        /// Nil when the name is not a token, the value has a control byte, or the field frames a body, which the codec alone does.
        package init?(name: String, value: String) {
            var (name, value) = (name, value)
            let isGood = name.withUTF8 { name in
                let name = UnsafeRawBufferPointer(name)
                return !name.isEmpty && name.allSatisfy(ByteRules.isToken) && !Self.framesBody(name)
            }
            let isLine = value.withUTF8 { ByteRules.valueKind(UnsafeRawBufferPointer($0)) != .bad }
            guard isGood, isLine else { return nil }
            self.name = name
            self.value = value
        }

        private static func framesBody(_ name: UnsafeRawBufferPointer) -> Bool {
            switch name.count {
            case 14: ByteRules.isSame(name, "content-length")
            case 17: ByteRules.isSame(name, "transfer-encoding")
            default: false
            }
        }
    }

    package private(set) var fields: [Field]

    package init(_ fields: [Field] = []) {
        self.fields = fields
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        self.fields = elements.compactMap { Field(name: $0.0, value: $0.1) }
    }

    package func first(_ name: String) -> String? {
        for field in fields where Self.areEqual(field.name, name) { return field.value }
        return nil
    }

    package func all(_ name: String) -> [String] {
        fields.compactMap { Self.areEqual($0.name, name) ? $0.value : nil }
    }

    package func contains(_ name: String) -> Bool {
        first(name) != nil
    }

    /// A field that cannot be one line of a head is left out.
    package mutating func add(_ name: String, _ value: String) {
        if let field = Field(name: name, value: value) { fields.append(field) }
    }

    /// Takes the place of every field of that name.
    package mutating func set(_ name: String, _ value: String) {
        remove(name)
        add(name, value)
    }

    package mutating func remove(_ name: String) {
        fields.removeAll { Self.areEqual($0.name, name) }
    }

    package mutating func removeAll(where shouldRemove: (Field) -> Bool) {
        fields.removeAll(where: shouldRemove)
    }

    package mutating func reserveCapacity(_ count: Int) {
        fields.reserveCapacity(count)
    }

    /// ASCII comparison without case; allocates nothing.
    package static func areEqual(_ left: String, _ right: String) -> Bool {
        let left = left.utf8
        let right = right.utf8
        guard left.count == right.count else { return false }
        return zip(left, right).allSatisfy { $0 == $1 || ByteRules.lowered($0) == ByteRules.lowered($1) }
    }
}
