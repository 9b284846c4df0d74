import BookingDatabase
import Foundation
import Ordering
import QueueTokens
import Signing

/// Prepared buyers for a load run: one insert, and a signed account token each, as a log-in would give.
struct DemoAccounts: Sendable {
    static let countMax = 200_000
    /// Long enough for a long run; the key's rotation ends them earlier.
    private static let tokenLifetime: Int64 = 86_400

    let accounts: AccountDatabase
    let keysFolder: String
    /// Signs a pass for each of them, when the sale is behind a room.
    var passes: DemoPasses?

    /// Writes one JSON object a line: `{"account":"usr_…","token":"…"}`, with `"pass"` when there are passes.
    func make(_ count: Int, tokensFile: String) async throws {
        let keys = try KeyRing.load(from: keysFolder, name: .account)
        // Nobody logs in to these accounts: the hash is that of a secret that is thrown away.
        let hash = try Argon2id.hash(Base64URL.encode(SecureRandom.bytes(24)))
        let run = Hex.encode(SecureRandom.bytes(4))
        var made: [Account] = []
        for number in 0..<count {
            let email = "buyer-\(run)-\(number)@demo.invalid"
            made.append(Account(id: try WallClock.makeID(), email: email, role: .buyer, passwordHash: hash))
        }
        let inserted = try await accounts.insertMany(made)
        guard inserted == count else { throw UpFault("\(inserted) of \(count) accounts could be made") }

        let now = WallClock.now().milliseconds / 1000
        var lines = Data()
        for account in made {
            let token = AccountToken(
                userID: "\(account.id)",
                role: account.role.rawValue,
                tokenID: TokenID.random(),
                issuedAt: now,
                expiresAt: now + Self.tokenLifetime
            )
            let pass = try passes.map { ",\"pass\":\"\(try $0.make(for: account.id, at: now))\"" } ?? ""
            let line = "{\"account\":\"\(account.id)\",\"token\":\"\(try keys.sign(token))\"\(pass)}\n"
            lines.append(Data(line.utf8))
        }
        // Tokens are secrets: nobody else may read them, from the first byte on.
        let isMade = FileManager.default.createFile(
            atPath: tokensFile,
            contents: nil,
            attributes: [.posixPermissions: 0o600]
        )
        guard isMade else { throw UpFault("\(tokensFile) cannot be written") }
        try lines.write(to: URL(filePath: tokensFile))
    }
}

/// Passes as the gateway would give them, signed with its key, for buyers who never waited.
struct DemoPasses: Sendable {
    /// Renewed by nobody: a load run ends before.
    private static let lifetime: Int64 = 7200

    private let room: String
    private let generation: Int64
    private let keys: KeyRing

    init(room: String, generation: Int64, keysFolder: String) throws {
        self.room = room
        self.generation = generation
        keys = try KeyRing.load(from: keysFolder, name: .pass)
    }

    func make(for account: AccountID, at now: Int64) throws -> String {
        try keys.sign(
            PassToken(
                room: room,
                passID: TokenID.random(),
                subject: "\(account)",
                place: 0,
                endsAt: now + Self.lifetime,
                generation: generation,
                issuedAt: now,
                expiresAt: now + Self.lifetime
            )
        )
    }
}
