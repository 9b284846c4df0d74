import Foundation
import Testing

/// Attack 8: a comparison that ends at the first difference tells how far a guess was right.
struct SecretTests {
    private static let folders = [
        "Shared/Signing/", "Shared/QueueTokens/", "Gateway/Challenges/", "Gateway/Server/Admin/", "Booking/Payments/",
        "Booking/MockPayments/", "Booking/Server/",
    ]
    private static let comparison = #"(tag|mac|hmac|signature|seal|secret|passwordHash)(\.bytes)?\s*(==|!=)(?!\s*nil)"#

    @Test func `attack 8: what only its holder knows is compared in constant time`() throws {
        var checked = 0
        for source in try SourceFile.all() where Self.folders.contains(where: { source.path.hasPrefix($0) }) {
            checked += 1
            for (index, line) in source.lines.enumerated()
            where !line.trimmingCharacters(in: .whitespaces).hasPrefix("//") {
                let found = line.range(of: Self.comparison, options: .regularExpression)
                #expect(found == nil, "\(source.path):\(index + 1): use the constant-time comparison of Signing")
            }
        }
        #expect(checked > 50)
    }

    @Test(arguments: [
        ("if tag == other {", true), ("guard signature != expected", true), ("mac.bytes == given", true),
        ("tag == nil", false), ("let tag = other", false), ("stage == 3", false),
    ])
    func `the rule finds what it is for`(line: String, isFound: Bool) {
        #expect((line.range(of: Self.comparison, options: .regularExpression) != nil) == isFound)
    }
}
