// Read as Foundation reads it.
import Foundation
import PlainJSON
import Testing

@Suite struct PlainJSONReadingTests {
    private struct Seat: Codable, Equatable, Sendable {
        var name: String
        var price: Int64?
        var isFree: Bool?
    }

    private struct Wish: Codable, Equatable, Sendable {
        var seats: [Seat]
        var best: Seat?
        var metadata: [String: String]
        var weights: [Double]
    }

    private static let whole = """
         { "seats" : [ {"name":"A\\u0031\\n\\ud83d\\ude00é\\"/\\/", "price": -12, "isFree":true}, {"name":"","price":null} ],
        "unknown":{"a":[1,{"b":[]}],"c":"\\\\"}, "best":null, "metadata":{"k":"v","":"x"},\t"weights":[0,1.5,-2e3,1E-2]}\r
        """

    private enum Outcome: Equatable {
        case value(Wish)
        case missing(String)
        case wrong(String)
        case absent(String)
        case corrupt
    }

    private static func outcome(_ read: () throws -> Wish) -> Outcome {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        do {
            return .value(try read())
        } catch DecodingError.keyNotFound(let key, _) {
            return .missing(key.stringValue)
        } catch DecodingError.typeMismatch(_, let context) {
            return .wrong(path(context))
        } catch DecodingError.valueNotFound(_, let context) {
            return .absent(path(context))
        } catch {
            return .corrupt
        }
    }

    private static func both(_ text: String) -> (plain: Outcome, foundation: Outcome) {
        (
            outcome { try PlainJSON.decode(Wish.self, from: Array(text.utf8)) },
            outcome { try JSONDecoder().decode(Wish.self, from: Data(text.utf8)) }
        )
    }

    @Test func `all kinds of values are read`() {
        let (plain, foundation) = Self.both(Self.whole)
        #expect(plain == foundation)
        let wish = Wish(
            seats: [Seat(name: "A1\n😀é\"//", price: -12, isFree: true), Seat(name: "")],
            metadata: ["k": "v", "": "x"],
            weights: [0, 1.5, -2000, 0.01]
        )
        #expect(plain == .value(wish))
    }

    @Test(arguments: [
        "", " ", "null", "[]", "1", "\"x\"", "{", "}", "{}", "{]", "{\"seats\"}", "{\"seats\":}", "{\"seats\":[]",
        "{\"seats\":[1]}", "{\"seats\":[{\"name\":1}]}", "{\"seats\":[{\"name\":null}]}", "{\"seats\":[{}]}",
        "{\"seats\":[{\"name\":\"a\",\"price\":1.5}]}", "{\"seats\":[{\"name\":\"a\",\"price\":1e400}]}",
        "{\"seats\":[{\"name\":\"a\",\"price\":99999999999999999999}]}",
        "{\"seats\":[{\"name\":\"a\",\"price\":\"1\"}]}",
        "{\"seats\":[{\"name\":\"a\",\"isFree\":1}]}", "{\"seats\":{}}", "{\"seats\":null}",
        "{\"seats\":[],\"best\":[]}",
        "{\"seats\":[],\"metadata\":{\"a\":1},\"weights\":[]}", "{\"seats\":[],\"metadata\":{},\"weights\":[01]}",
        "{\"seats\":[],\"metadata\":{},\"weights\":[1.]}", "{\"seats\":[],\"metadata\":{},\"weights\":[.5]}",
        "{\"seats\":[],\"metadata\":{},\"weights\":[-]}", "{\"seats\":[],\"metadata\":{},\"weights\":[+1]}",
        "{\"seats\":[],\"metadata\":{},\"weights\":[1e]}", "{\"seats\":[],\"metadata\":{},\"weights\":[tru]}",
        "{\"seats\":[],\"metadata\":{},\"weights\":[nul]}",
        "{\"seats\":[],\"metadata\":{\"a\":\"\\x\"},\"weights\":[]}",
        "{\"seats\":[],\"metadata\":{\"a\":\"\\u12\"},\"weights\":[]}",
        "{\"seats\":[],\"metadata\":{\"a\":\"\\ud83d\"},\"weights\":[]}",
        "{\"seats\":[],\"metadata\":{\"a\":\"\n\"},\"weights\":[]}",
        "{\"seats\":[],\"metadata\":{\"a\":\"b},\"weights\":[]}",
        "{\"seats\":[],\"metadata\":{},\"weights\":[]} x", "{\"seats\":[],\"metadata\":{},\"weights\":[1 2]}",
        "{\"seats\":[,],\"metadata\":{},\"weights\":[]}", "{\"seats\":[],\"metadata\":{},\"weights\":[]}",
        "{'seats':[]}", "{seats:[]}", "{\"seats\":[]\"metadata\":{}}",
        "{\"seats\":[],\"metadata\":{},\"weights\":[null]}",
    ])
    func `what is wrong is told as Foundation tells it`(text: String) {
        let (plain, foundation) = Self.both(text)
        #expect(plain == foundation)
    }

    @Test(arguments: [[0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0xff], [0x22, 0xed, 0xa0, 0x80, 0x22]] as [[UInt8]])
    func `what is no UTF-8 is refused`(bytes: [UInt8]) {
        #expect(throws: DecodingError.self) { try PlainJSON.decode(String.self, from: bytes) }
    }

    @Test func `lists in one another end at a depth`() throws {
        let text = { Array((String(repeating: "[", count: $0) + String(repeating: "]", count: $0)).utf8) }
        #expect(throws: Never.self) { try PlainJSON.decode([[Int]].self, from: text(2)) }
        #expect(throws: DecodingError.self) { try PlainJSON.decode(Wish.self, from: text(100_000)) }
    }

    @Test func `what is written is read again`() throws {
        let wish = try PlainJSON.decode(Wish.self, from: Array(Self.whole.utf8))
        #expect(try PlainJSON.decode(Wish.self, from: PlainJSON.bytes(of: wish)) == wish)
    }
}
