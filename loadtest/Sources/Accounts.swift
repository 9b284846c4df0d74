// Who the visitors are: prepared accounts from a file, or new ones made over HTTP.
import Foundation

struct PreparedAccount: Codable, Sendable, Equatable {
    var account: String
    var token: String
    /// Of the room in front of the session, where buyers need not wait for one.
    var pass: String?
}

enum Accounts {
    struct Flaw: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// The first `count` lines of `usher demo accounts`, each `{"account":"usr_…","token":"…"}`.
    static func read(_ text: String, count: Int) throws(Flaw) -> [PreparedAccount] {
        var accounts: [PreparedAccount] = []
        let decoder = JSONDecoder()
        for (index, line) in text.split(separator: "\n").prefix(count).enumerated() {
            guard let account = try? decoder.decode(PreparedAccount.self, from: Data(line.utf8)) else {
                throw Flaw(description: "line \(index + 1) of the tokens file is not {\"account\":…,\"token\":…}")
            }
            accounts.append(account)
        }
        guard accounts.count == count else {
            throw Flaw(description: "the tokens file has \(accounts.count) accounts, \(count) visitors need one")
        }
        return accounts
    }

    /// One entry per visitor: a prepared account, or nil for those who register.
    static func assign(
        _ crowd: Crowd,
        visitors: Int,
        tokens: (Int) throws -> [PreparedAccount]
    ) throws -> [PreparedAccount?] {
        let registers = (0..<visitors).map { Traits(of: $0, in: crowd).registers }
        var prepared = try tokens(registers.count { !$0 }).makeIterator()
        return registers.map { $0 ? nil : prepared.next() }
    }
}
