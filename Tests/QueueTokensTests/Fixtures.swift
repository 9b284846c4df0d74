// Tokens and rings the tests share.
import QueueTokens
import Signing

/// 2026-11-21T09:00:00Z
let now: Int64 = 1_795_251_600

func place(room: String = "arena", number: Int64 = 4711, issuedAt: Int64 = now) -> PlaceToken {
    PlaceToken(
        room: room,
        subject: "q2Jx0pV4m1d7sYtW9aKc3g",
        place: number,
        cohort: .live,
        generation: 3,
        policy: "9f86d081884c7d65",
        issuedAt: issuedAt,
        expiresAt: issuedAt + 86_400
    )
}

func pass(room: String = "arena", account: String? = nil, issuedAt: Int64 = now) -> PassToken {
    PassToken(
        room: room,
        passID: "pas_0647q1m3z8e2v9k5c7x4n6b1tw",
        subject: "q2Jx0pV4m1d7sYtW9aKc3g",
        account: account,
        place: 4711,
        endsAt: issuedAt + 900,
        generation: 3,
        issuedAt: issuedAt,
        expiresAt: issuedAt + 300
    )
}

func account(issuedAt: Int64 = now) -> AccountToken {
    AccountToken(userID: "usr_0647q1m3z8e2v9k5c7x4n6b1tw", role: "buyer", issuedAt: issuedAt, expiresAt: issuedAt + 900)
}

/// The flaw `work` ends with, nil when it does not fail.
func flaw(_ work: () throws -> Void) -> TokenFlaw? {
    do {
        try work()
        return nil
    } catch {
        return error as? TokenFlaw
    }
}
