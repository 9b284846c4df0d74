// Promises about waiting rooms: who got which number, and who was let in when.

package struct RoomsFacts: Sendable {
    package var rooms: [RoomFacts]

    package init(rooms: [RoomFacts]) { self.rooms = rooms }

    package func findings() -> [Finding] { [places(), passes(), record(), pace(), cap()] }

    package func places() -> Finding {
        var finding = Finding(
            "rooms.places",
            "No number was issued twice, none above the last one, and each is in the arrival log."
        )
        for room in rooms {
            var seen: Set<Int> = []
            for number in room.placesByTag {
                finding.expect(seen.insert(number).inserted, "\(room.name) issued number \(number) twice")
                if number < 1 || number > room.number {
                    finding.report("\(room.name) issued number \(number), its last number is \(room.number)")
                } else if number * RoomFacts.entryBytes > room.logBytes || room.emptyLeaves.contains(number) {
                    finding.report("\(room.name) has no leaf of number \(number) in its log")
                }
            }
            finding.expect(
                room.cursor <= room.number,
                "\(room.name) has called up to \(room.cursor), its last number is \(room.number)"
            )
            for fault in room.unreadable { finding.report("\(room.name): \(fault)") }
        }
        return finding
    }

    package func passes() -> Finding {
        var finding = Finding("rooms.passes", "Each place got at most one pass, and only after it was called.")
        for room in rooms {
            var passOfPlace: [Int: String] = [:]
            var seen: Set<String> = []
            for entry in room.entries {
                let (pass, place): (String, Int)
                switch entry.kind {
                case .grant(let granted, let of, _):
                    (pass, place) = (granted, of)
                    finding.expect(seen.insert(pass).inserted, "\(room.name) granted pass \(pass) twice")
                case .restore(let restored, let of, _): (pass, place) = (restored, of)
                case .renew, .end, .policy: continue
                }
                if let other = passOfPlace.updateValue(pass, forKey: place), other != pass {
                    finding.report("\(room.name): place \(place) got passes \(other) and \(pass)")
                }
                if (room.ranks[place] ?? place) > room.cursor {
                    finding.report("\(room.name): place \(place) got a pass and was not called")
                }
                if let known = room.passes[place], known != pass {
                    finding.report("\(room.name): place \(place) got pass \(pass), kept is \(known)")
                }
            }
        }
        return finding
    }

    /// The stream and the set of live passes must tell the same.
    package func record() -> Finding {
        var finding = Finding("rooms.record", "Every pass is in the record, and those it leaves alive are live.")
        for room in rooms {
            let grants = room.entries.count { if case .grant = $0.kind { true } else { false } }
            // A long record loses its beginning; then only what is there can be compared.
            let isWhole = grants == room.granted
            finding.expect(grants <= room.granted, "\(room.name) recorded \(grants) grants of \(room.granted)")
            var ends: [String: Int64] = [:]
            for entry in room.entries {
                switch entry.kind {
                case .grant(let pass, _, let expiry), .restore(let pass, _, let expiry), .renew(let pass, let expiry):
                    ends[pass] = expiry
                case .end(let pass): ends[pass] = nil
                case .policy: break
                }
            }
            let live = ends.filter { $0.value > room.now }
            for (pass, end) in room.active where end > room.now {
                if live[pass] == nil, !isWhole { continue }
                finding.expect(
                    live[pass] == end,
                    "\(room.name): pass \(pass) lives until \(end), the record says \(live[pass], or: "not at all")"
                )
            }
            for pass in live.keys where room.active[pass] == nil {
                finding.report("\(room.name): pass \(pass) lives by the record and is not live")
            }
        }
        return finding
    }

    package func pace() -> Finding {
        var finding = Finding("rooms.pace", "In every span of time, admitted ≤ pace · time + burst.")
        for room in rooms {
            for part in room.parts {
                let times = part.entries.compactMap { entry in
                    if case .grant = entry.kind { entry.at } else { nil }
                }
                finding.count(times.count)
                for excess in Pace.excesses(times, part.allowance) {
                    finding.report(
                        "\(room.name) let in \(excess.count) from \(excess.from) to \(excess.through) "
                            + "(\(excess.through - excess.from) ms) at \(part.allowance.perMinute) a minute and burst "
                            + "\(part.allowance.burst)"
                    )
                }
            }
        }
        return finding
    }

    package func cap() -> Finding {
        var finding = Finding("rooms.cap", "Never were more passes live than the room allows.")
        for room in rooms {
            var live = LivePasses()
            var allowance = room.firstAllowance
            for entry in room.entries {
                switch entry.kind {
                case .grant(let pass, _, let expiry):
                    live.set(pass, until: expiry)
                    guard let allowance else { continue }
                    let count = live.count(at: entry.at)
                    finding.expect(
                        count <= allowance.activeMax,
                        "\(room.name) had \(count) live passes of \(allowance.activeMax) at \(entry.at)"
                    )
                case .restore(let pass, _, let expiry), .renew(let pass, let expiry): live.set(pass, until: expiry)
                case .end(let pass): live.end(pass)
                case .policy(let next): allowance = next
                }
            }
        }
        return finding
    }
}

extension RoomFacts {
    /// The allowance at the first entry: the one in force when it never changed, unknown when the record tells only of
    /// a later change (it has lost its beginning).
    fileprivate var firstAllowance: Allowance? {
        let tellsPolicy = entries.contains { if case .policy = $0.kind { true } else { false } }
        return tellsPolicy ? nil : allowance
    }

    /// Stretches of the record in which one known allowance was in force. A change starts afresh: what was let in just before
    /// it followed another rule.
    fileprivate var parts: [(allowance: Allowance, entries: ArraySlice<Entry>)] {
        var parts: [(allowance: Allowance, entries: ArraySlice<Entry>)] = []
        func add(_ allowance: Allowance?, _ entries: ArraySlice<Entry>) {
            if let allowance { parts.append((allowance, entries)) }
        }
        var allowance = firstAllowance
        var start = entries.startIndex
        for (index, entry) in entries.enumerated() {
            guard case .policy(let next) = entry.kind else { continue }
            add(allowance, entries[start..<index])
            allowance = next
            start = index + 1
        }
        add(allowance, entries[start...])
        return parts
    }
}
