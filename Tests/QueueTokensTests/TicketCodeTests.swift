// The code of a ticket: read back at a door, refused after any change.
import QueueTokens
import Signing
import Testing

struct TicketCodeTests {
    private let code = TicketCode(
        session: .make(milliseconds: 1, random: [UInt8](repeating: 1, count: 10)),
        ticket: .make(milliseconds: 2, random: [UInt8](repeating: 2, count: 10)),
        generation: 258,
        validUntil: 1_795_300_000
    )

    @Test func `a code reads back, in 161 characters a QR code packs tightly`() throws {
        let ring = try KeyRing.ephemeral(.ticket)
        let text = try code.encode(with: ring)
        #expect(text.utf8.count == TicketCode.textLength)
        #expect(try TicketCode.verify(text, with: ring.keys, session: code.session, at: now) == code)
    }

    @Test func `another session, a past code, another key are told apart`() throws {
        let ring = try KeyRing.ephemeral(.ticket)
        let text = try code.encode(with: ring)
        #expect(
            flaw { _ = try TicketCode.verify(text, with: ring.keys, session: code.ticket, at: now) } == .wrongAudience
        )
        #expect(flaw { _ = try TicketCode.verify(text, with: ring.keys, at: 1_795_299_999) } == nil)
        #expect(flaw { _ = try TicketCode.verify(text, with: ring.keys, at: 1_795_300_000) } == .expired)
        let others = try KeyRing.ephemeral(.ticket).keys
        #expect(flaw { _ = try TicketCode.verify(text, with: others, at: now) } == .unknownKey)
        let passes = try KeyRing.ephemeral(.pass)
        #expect(throws: TokenFault.noSigningKey) { try code.encode(with: passes) }
    }

    @Test func `any changed bit or cut is refused`() throws {
        let ring = try KeyRing.ephemeral(.ticket)
        let text = try code.encode(with: ring)
        let packed = try #require(Base45.decode(text))
        for bit in 0..<(packed.count * 8) {
            var changed = packed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let text = Base45.encode(changed)
            #expect(flaw { _ = try TicketCode.verify(text, with: ring.keys, at: now) } != nil, "bit \(bit)")
        }
        for count in 0..<text.count {
            #expect(
                flaw { _ = try TicketCode.verify(String(text.prefix(count)), with: ring.keys, at: now) } == .malformed
            )
        }
        #expect(flaw { _ = try TicketCode.verify(text + "0", with: ring.keys, at: now) } == .tooLong)
        let other = Base45.encode([2] + packed.dropFirst())
        #expect(flaw { _ = try TicketCode.verify(other, with: ring.keys, at: now) } == .wrongType)
    }
}
