import EdgeHTTP
import NIOCore
import Testing

struct RequestPartsTests {
    @Test func `a target splits at its first question mark`() {
        let head = EdgeRequestHead(method: .get, target: "/a/b?c=d?e")
        #expect(head.path == "/a/b")
        #expect(head.query == "c=d?e")
        #expect(EdgeRequestHead(method: .get, target: "/a").query == nil)
        #expect(EdgeRequestHead(method: .get, target: "/a?").query == "")
    }

    @Test(
        arguments: [
            ("a=1", "a", "1"), ("b=2; a=1", "a", "1"), ("b=2;a=1;a=3", "a", "1"), ("xa=1; a=", "a", ""),
            ("a=b=c", "a", "b=c"), ("a", "a", nil), ("A=1", "a", nil), ("", "a", nil), ("; ;a=1", "a", "1"),
            ("b=2;\u{309}; a=1", "a", "1"), ("b=2\u{600}; a=\u{309}1", "a", "\u{309}1"),
        ] as [(String, String, String?)]
    )
    func `a cookie is found by its exact name`(_ header: String, _ name: String, _ value: String?) {
        #expect(CookieHeader.value(of: name, in: header).map(String.init) == value)
    }

    @Test(
        arguments: [
            ("return=%2Fsessions%2F1&x=y", "return", "/sessions/1"), ("a=b+c", "a", "b c"), ("a=%zz", "a", nil),
            ("a=%ff", "a", nil), ("a", "a", ""), ("%61=1", "a", "1"), ("b=1", "a", nil),
            ("b=\u{600}&a=\u{309}1&", "a", "\u{309}1"), ("a=1&\u{309}", "a", "1"),
        ] as [(String, String, String?)]
    )
    func `a form field is decoded strictly`(_ text: String, _ name: String, _ value: String?) {
        #expect(FormFields.value(of: name, in: text[...]) == value)
    }

    @Test(arguments: ["a b/ä?&=", "plain-._~", "%+\"<>"])
    func `what is encoded decodes to itself`(_ text: String) {
        #expect(FormFields.decoded(FormFields.encoded(text)[...]) == text)
    }

    @Test(
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::1"), ("::", "::"),
            ("127.1", nil), ("fe80::1%eth0", nil), ("[::1]", nil), ("1.2.3.4:80", nil), ("", nil), ("256.1.1.1", nil),
            ("::1\0", nil), ("10.0.0.1\0, 9.9.9.9", nil),
        ] as [(String, String?)]
    )
    func `an address is read in one form and written in one form`(_ text: String, _ written: String?) {
        #expect(ClientAddress(text)?.description == written)
    }
}
