import Logging
import Ordering
import ServiceLifecycle

/// Offers seats that have come back to those who wait, in their order, before anybody else can have them. One process
/// at a time.
struct WaitlistKeeper: Service {
    let store: any WaitlistStore
    let leases: any CatalogueStore
    let holds: any HoldStore
    let catalogue: CatalogueCache
    let clock: Clock
    let owner: String
    let offerLifetime: Duration
    let interval: Duration
    let logger: Logger

    /// Parties looked at in one round.
    static let partiesMax = 1_000
    private static let settleMax = 256
    private static let lease = Duration.seconds(10)
    /// If this service falls silent, everybody may have what is free again after so long.
    private static let keptFor = Duration.seconds(10)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while await Pause.isOver(after: interval) { await round() }
        }
    }

    /// One look at all lists.
    func round() async {
        do throws(StoreFailure) {
            guard try await leases.lease("waitlist", owner: owner, lasting: Self.lease) else { return }
            _ = try await store.settleOffers(limit: Self.settleMax)
            let parties = Dictionary(grouping: try await store.waiting(limit: Self.partiesMax), by: \.session)
            for (session, waiting) in parties {
                guard let session = catalogue.session(session), session.state.isSelling else { continue }
                await serve(waiting, session)
            }
        } catch {
            logger.warning("waiting lists not read", metadata: ["error": "\(error)"])
        }
    }

    private func serve(_ parties: [WaitlistEntry], _ session: Session) async {
        guard let layout = catalogue.layout(session.id) else { return }
        do {
            let sequence = try await holds.keepForWaiting(session.id, lasting: Self.keptFor, servedThrough: nil)
            // What one party cannot have, no later one with the same wish can.
            var hopeless: Set<PartyWish> = []
            for party in parties where !hopeless.contains(party.wish) {
                guard let hold = try await seats(for: party, session, layout) else {
                    hopeless.insert(party.wish)
                    continue
                }
                try await offer(hold, to: party)
            }
            _ = try await holds.keepForWaiting(session.id, lasting: Self.keptFor, servedThrough: sequence)
        } catch {
            logger.warning("waiting list not served", metadata: ["session.id": "\(session.id)", "error": "\(error)"])
        }
    }

    private func offer(_ hold: Hold, to party: WaitlistEntry) async throws {
        do throws(StoreFailure) {
            if try await store.offer(party.id, hold: hold.id, until: hold.deadline) { return }
        } catch {
            // Whether it was written is not known: the hold ends by itself.
            throw error
        }
        // It has left the list meanwhile.
        try await holds.release(hold.id, in: hold.session, by: hold.account)
    }

    /// A hold for the party, or `nil` when there is nothing for it.
    private func seats(for party: WaitlistEntry, _ session: Session, _ layout: SessionLayout) async throws -> Hold? {
        for selection in party.wish.selections(in: layout) {
            let new = NewHold(
                id: clock.makeID(),
                session: session.id,
                account: party.account,
                selection: selection,
                limit: session.limitPerBuyer,
                lifetime: offerLifetime,
                epoch: session.epoch,
                pass: nil,
                isOffer: true
            )
            do throws(HoldFailure) {
                return try await holds.place(new)
            } catch {
                switch error {
                case .tooFewFree, .notTogether, .seatsTaken, .limitExceeded: continue
                default: throw error
                }
            }
        }
        return nil
    }
}
