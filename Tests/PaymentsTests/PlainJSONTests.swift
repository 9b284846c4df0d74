import Foundation
import PlainJSON
import Testing

/// Written byte for byte as Foundation writes it.
@Suite struct PlainJSONTests {
    private struct Leaf: Encodable, Sendable {
        var zeta: Int?
        var alpha: String
        var counts: [String: Int]
    }

    private enum Fact: Encodable, Sendable {
        case made(name: String, leaf: Leaf)
        case nothing
        case one(Int64)
    }

    private struct Tree: Encodable, Sendable {
        var facts: [Fact]
        var lists: [[Leaf]]
        var byte: UInt8 = 255
        var isTrue = true
        var absent: String?
        var amountReceived: Int64 = -5
        var metadata = ["someKey": "v", "a": "", "Z\"": "\u{1}"]
        var nobody: [String: String] = [:]
    }

    private struct Nothing: Encodable, Sendable {}

    private class Parent: Encodable {
        let x = 1
    }

    private final class Child: Parent {
        enum CodingKeys: CodingKey { case a }

        override func encode(to encoder: any Encoder) throws {
            try super.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode([Nothing()], forKey: .a)
            try super.encode(to: container.superEncoder())
        }
    }

    private static let leaf = Leaf(
        alpha: "a\"\\/\u{0}\u{1f}\u{7f}\n\r\t\u{8}\u{c}é😀\u{2028}",
        counts: ["b": 1, "a": 2, "ab": 3, "B": 4, "a\"": 5, "é": 6]
    )
    private static let tree = Tree(
        facts: [.made(name: "n", leaf: leaf), .nothing, .one(.min)],
        lists: [[leaf], [], [leaf, leaf]]
    )

    private static func foundation(_ value: some Encodable, isSnakeCase: Bool = false) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isSnakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func plain(_ value: some Encodable, _ names: PlainJSON.Names = .asTheyAre) throws -> String {
        String(decoding: try PlainJSON.bytes(of: value, names: names), as: UTF8.self)
    }

    @Test func `objects and lists in one another come out sorted`() throws {
        #expect(try Self.plain(Self.tree) == Self.foundation(Self.tree))
        #expect(try Self.plain([Nothing()]) == "[{}]")
        #expect(try Self.plain(Child()) == Self.foundation(Child()))
    }

    @Test func `names become snake case, keys of texts stay`() throws {
        var tree = Self.tree
        tree.facts = []
        tree.lists = []
        #expect(try Self.plain(tree, .snakeCase) == Self.foundation(tree, isSnakeCase: true))
    }

    @Test(arguments: [
        0, 1, -1.5, 0.1, 1e20, 1e-7, 123_456_789_012_345_680, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
    ])
    func `fractions are written with as many digits as they need`(number: Double) throws {
        #expect(try Self.plain([number]) == Self.foundation([number]))
        #expect(
            try Self.plain([Float(number)].filter(\.isFinite)) == Self.foundation([Float(number)].filter(\.isFinite))
        )
    }

    @Test func `what is no number is refused`() {
        #expect(throws: EncodingError.self) { try Self.plain([Double.nan]) }
    }

    @Test func `a text may stand alone`() throws {
        #expect(try Self.plain("x") == "\"x\"")
        #expect(try Self.plain(Int?.none) == "null")
    }
}
