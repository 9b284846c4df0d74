"""The checks of docs/fairness.md, in its order. Each returns what it saw, or raises Broken or NotYet."""

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import bls12381
from definitions import (
    LEAD_MS, PATIENCE_MS, PERIOD_MS, QUICKNET, RESTORED_WITHIN_MS, ROUND_STEP, VOID, NotYet,
    commitment, first_round, milliseconds, require, round_time, sha256, shuffle, tie_seed, unhex,
)
from facts import KINDS, inversions


def public_keys(facts):
    keys = []
    for key in facts.header["keys"]["keys"]:
        if key.get("kty") == "OKP" and key.get("crv") == "Ed25519" and isinstance(key.get("x"), str):
            raw = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
            if len(raw) == 32:
                keys.append(raw)
    return keys


def check_keys(facts):
    keys = public_keys(facts)
    require(keys, "there is no Ed25519 key for the log")
    return f"{len(keys)} Ed25519 keys: compare with the ones you trust"


def is_signed(note, keys):
    for key in keys:
        if sha256(b"usher-log\n\x01" + key)[:4] != note[5]:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(note[6], note[7])
            return True
        except InvalidSignature:
            continue
    return False


def check_signatures(facts):
    if not facts.notes:
        raise NotYet("no checkpoint yet")
    keys, last = public_keys(facts), None
    for index, note in enumerate(facts.notes, 1):
        require(note, f"checkpoint {index} is not a checkpoint note")
        require(note[:2] == (facts.room, facts.generation), f"checkpoint {index} is of another room")
        require(is_signed(note, keys), f"checkpoint {index} has no valid signature")
        if last:
            require(note[2] > last[2] and note[4] >= last[4], f"checkpoint {index} does not follow the one before")
        last = note
    return f"{len(facts.notes)} checkpoints are signed, each larger than the one before"


def check_tree(facts):
    if not facts.notes:
        raise NotYet("no checkpoint yet")
    for note in facts.notes:
        if note and note[2] <= len(facts.entries):
            require(facts.roots[note[2]] == note[3], f"the first {note[2]} entries have another root than was signed")
    return f"the log has the signed root at each of {len(facts.notes)} sizes"


def check_coverage(facts):
    sizes = [note[2] for note in facts.notes if note]
    if not sizes:
        raise NotYet("no checkpoint yet")
    require(len(facts.entries) >= max(sizes), f"the log has {len(facts.entries)} entries, {max(sizes)} were signed")
    return f"{max(sizes)} of {len(facts.entries)} entries are signed"


def same_order(facts, policy):
    order = policy.get("order") or {}
    method = order.get("method") or "first_come"
    if method != facts.method or (order.get("tie_window_ms") or 0) != facts.tie_ms:
        return False
    return method != "lottery" or (order.get("beacon") or "drand") == facts.beacon


def check_policies(facts):
    require(facts.policies, "there is no policy")
    joins = [at for entry, at in zip(facts.entries, facts.times) if entry != VOID][:1]
    before = [index for index, policy in enumerate(facts.policies) if not joins or policy["at"] <= joins[0]]
    last = None
    for index, (record, policy) in enumerate(zip(facts.policies, facts.documents)):
        digest = base64.urlsafe_b64encode(sha256(record["document"].encode())).decode().rstrip("=")
        require(digest == record["hash"], f"version {record['version']} has another hash than its document")
        require(policy is not None, f"version {record['version']} is not a policy")
        if last:
            follows = record["version"] == last["version"] + 1 and record["at"] >= last["at"]
            require(follows, f"version {record['version']} does not follow version {last['version']}")
        in_force = (joins and record["at"] > joins[0]) or (before and index == before[-1])
        require(not in_force or same_order(facts, policy), f"version {record['version']} names another order")
        last = record
    return f"{len(facts.policies)} versions have their hashes; the order is {facts.method}"


def check_commitment(facts):
    promised = unhex(facts.header.get("commitment"))
    require(promised and len(promised) == 32, "there is none")
    if facts.secret is None:
        if facts.is_lottery:
            due = facts.draw and facts.beacon == "commit_reveal"
        else:
            due = facts.tie_ms > 0 and facts.header["phase"] == "closed"
        require(not due, "the secret is still withheld")
        raise NotYet("the secret is not revealed")
    holds = len(facts.secret) == 32 and commitment(facts.room, facts.generation, facts.secret) == promised
    require(holds, "the secret is not the one that was committed to")
    return "the secret is the one that was committed to"


def check_seal(facts):
    if not facts.is_lottery:
        raise NotYet("no lottery")
    if not facts.seal:
        require(not facts.draw, "drawn without a seal")
        raise NotYet("not sealed yet")
    count, at = facts.seal["count"], facts.seal["at"]
    require(count <= len(facts.entries), f"{count} are sealed, the log has {len(facts.entries)}")
    late = next((index for index in range(count) if facts.times[index] > at), None)
    require(late is None, f"number {(late or 0) + 1} arrived after the seal and is in it")
    for index in range(count, len(facts.entries)):
        early = facts.entries[index] != VOID and facts.times[index] < at
        require(not early, f"number {index + 1} arrived before the seal and is not in it")
    if count == 0 or not facts.draw or facts.draw.get("round") is None:
        return f"{count} places, none from after it"
    signed = next((note for note in facts.notes if note and note[2] >= count), None)
    due = round_time(facts.draw["round"])
    require(signed and signed[4] < due, f"the list was not signed before round {facts.draw['round']} came")
    return f"{count} places, signed before round {facts.draw['round']} came"


def round_in_force(facts):
    """The round the rule names; None when one was named against it."""
    at = facts.seal["at"]
    opens = None
    for record, policy in zip(facts.policies, facts.documents):
        if record["at"] <= at and policy:
            opens = milliseconds((policy.get("schedule") or {}).get("sale_opens_at"))
    require(opens is not None, "nothing names a round")
    number = first_round(opens + LEAD_MS)
    if at > round_time(number) - PERIOD_MS:
        number = first_round(at + LEAD_MS)
    for named in facts.draw.get("named") or []:
        if named["round"] == number:
            continue
        steps = named["round"] - number
        lawful = steps > 0 and steps % ROUND_STEP == 0
        lawful = lawful and round_time(number) + PATIENCE_MS <= named["at"] < round_time(named["round"])
        if not lawful:
            return None
        number = named["round"]
    return number


def check_beacon(facts):
    draw = facts.draw
    if not draw:
        raise NotYet("no draw")
    require(draw["kind"] in KINDS and draw["kind"] == facts.beacon, "the policy names another beacon")
    value = unhex(draw["value"])
    require(value and len(value) == 32, "there is no value of 32 bytes")
    if draw["kind"] == "commit_reveal":
        require(value == facts.secret, "the value is not the revealed secret")
        return "the room's own secret (weaker: the operator knew it)"
    require(draw.get("chain") == QUICKNET, "the chain is not drand's quicknet")
    signature = unhex(draw.get("signature"))
    require(signature and len(signature) == 48 and sha256(signature) == value, "the value is not the hash of a signature")
    require(draw.get("round") is not None and facts.seal, "nothing names a round")
    number = round_in_force(facts)
    require(number is not None, "a round was named against the rule")
    require(draw["round"] == number, f"round {number} was named, round {draw['round']} was taken")
    if not facts.with_bls:
        return f"round {number} as named, hash checked; its BLS signature was not verified"
    require(bls12381.is_quicknet_round(number, signature), "the signature is not the beacon's")
    return f"round {number} as named, BLS signature verified"


def check_draw(facts):
    draw = facts.draw
    if not draw:
        early = facts.header["phase"] in ("draft", "scheduled", "prequeue", "sealed")
        require(not facts.is_lottery or early, "people are called without a draw")
        raise NotYet("no draw")
    require(facts.is_lottery, "drawn, though the order is by arrival")
    require(draw["version"] == "usher/draw/v1", "the version is unknown")
    require(facts.seal and draw["count"] == facts.seal["count"], "it counts others than the seal")
    root = facts.roots.get(draw["count"])
    require(root and root.hex() == draw["root"], "it is over another list than the log")
    seed = facts.drawn_seed()
    require(seed and seed.hex() == draw["seed"], "the seed does not follow from its parts")
    return f"the seed follows from the list of {draw['count']} and the beacon"


def windows(facts):
    """[first, count] of the runs of numbers that arrived in one window; void numbers end a run."""
    runs, last = [], None
    for number, (entry, at) in enumerate(zip(facts.entries, facts.times), 1):
        window = None if entry == VOID else at // facts.tie_ms
        if window is not None and window == last:
            runs[-1][1] += 1
        elif window is not None:
            runs.append([number, 1])
        last = window
    return runs


def is_excused(facts, first, count):
    """Nobody of the last window is called yet, or the store was lost just after the window."""
    cursor = facts.moves[-1][0] if facts.moves else 0
    if first + count - 1 == len(facts.entries) and cursor < first:
        return True
    at = facts.times[first - 1]
    changes = facts.header.get("changes") or []
    return any(change["kind"] == "restore" and 0 <= change["at"] - at <= RESTORED_WITHIN_MS for change in changes)


def check_ties(facts):
    if facts.tie_ms == 0 or facts.is_lottery:
        require(not facts.ties, "ties in a room without windows")
        raise NotYet("no tie windows")
    position = 0
    for first, count in windows(facts):
        if position < len(facts.ties) and facts.ties[position][0] == first:
            require(facts.ties[position][1] == count, f"the ties at number {first} are not all of their window")
            position += 1
        elif count > 1:
            require(is_excused(facts, first, count), f"the {count} of one window at number {first} were not tied")
    require(position == len(facts.ties), "listed ties are not of one window")
    return f"{len(facts.ties)} windows of {facts.tie_ms} ms hold who arrived in them"


def check_ranks(facts):
    ranks = list(range(1, len(facts.entries) + 1))
    blocks = []
    if facts.is_lottery:
        seed = facts.drawn_seed()
        if seed is None:
            raise NotYet("no draw to compute them from")
        blocks.append((1, facts.draw["count"], seed))
    elif facts.ties:
        if facts.secret is None:
            raise NotYet("the secret of the ties is not revealed")
        blocks = [(first, count, tie_seed(facts.secret, facts.room, first, count)) for first, count in facts.ties]
    end = 1
    for first, count, seed in blocks:
        fits = first >= end and 0 <= count and first + count - 1 <= len(ranks)
        require(fits, f"the block at number {first} overlaps, or nobody is there")
        for position, member in enumerate(shuffle(seed, count)):
            ranks[first - 1 + member] = first + position
        end = first + count
    facts.ranks = ranks
    return f"{sum(count for _, count, _ in blocks)} ranks computed"


def check_places(facts):
    used = {}
    for number, at in facts.claims:
        used.setdefault(number, at)
    spans = [(policy or {}).get("claim") or {} for policy in facts.documents if policy is not None]
    spans = [
        sum(1000 * min(max(span.get(member) or 0, 0), 10**9) for member in ("window_seconds", "grace_seconds"))
        for span in spans
    ]
    patience = min(spans, default=0)
    holders = {}
    for number, entry in enumerate(facts.entries, 1):
        if entry == VOID:
            continue
        former, at = holders.get(entry[:16]), facts.times[number - 1]
        holders[entry[:16]] = number
        if former is None or former in facts.left or used.get(former, at + 1) <= at:
            continue
        called = facts.called_at(facts.rank(former))
        is_lost = called is not None and at >= called + patience
        require(is_lost, f"number {number} has the tag of number {former}, who still waited")
    return f"{len(holders)} people, each with one place at a time"


def check_moves(facts):
    if not facts.moves:
        raise NotYet("nobody was called")
    for (cursor, at), (later, then) in zip(facts.moves, facts.moves[1:]):
        require(later > cursor and then >= at, f"the cursor went from {cursor} to {later}")
    fits = facts.moves[0][0] > 0 and facts.moves[-1][0] <= len(facts.entries)
    require(fits, "the cursor is beyond the last arrival")
    if facts.is_lottery:
        drawn = facts.draw and facts.seal and facts.moves[0][1] >= facts.seal["at"]
        if drawn and facts.draw.get("round") is not None:
            drawn = facts.moves[0][1] >= round_time(facts.draw["round"])
        require(drawn, "people were called before the draw")
    return f"{len(facts.moves)} calls, each further than the one before, up to rank {facts.moves[-1][0]}"


def check_claims(facts):
    if not facts.claims:
        raise NotYet("nobody went in")
    if facts.ranks is None:
        raise NotYet("ranks are not public yet")
    for number, at in facts.claims:
        called = facts.called_at(facts.rank(number))
        require(called is not None and called <= at, f"number {number} went in before its call")
    return f"{len(facts.claims)} passes, each after its call"


def check_order(facts):
    if not facts.claims:
        raise NotYet("nobody went in")
    seen, last = set(), None
    for number, at in facts.claims:
        is_held = 0 < number <= len(facts.entries) and facts.entries[number - 1] != VOID
        require(is_held, f"nobody has number {number}, but it went in")
        require(number not in seen, f"number {number} got two passes")
        require(last is None or at >= last, f"the pass of number {number} is older than the one before it")
        seen.add(number)
        last = at
    return "passes are in order of time, one for a place"


def check_arrivals(facts):
    held = [index for index, entry in enumerate(facts.entries) if entry != VOID]
    if not held:
        return "nobody arrived"
    by_rank = sorted(range(len(held)), key=lambda place: facts.rank(held[place] + 1))
    moved = sorted(abs(position - place) for position, place in enumerate(by_rank))
    falling = inversions(facts.times[held[place]] for place in by_rank)
    count = len(held)
    pairs = count * (count - 1) // 2
    claimed = {number for number, _ in facts.claims}
    tenths = [held[count * part // 10 : count * (part + 1) // 10] for part in range(10)]
    shares = [sum(index + 1 in claimed for index in tenth) / max(len(tenth), 1) for tenth in tenths]
    per_million = round(1_000_000 * falling / max(pairs, 1))
    p50, p99 = moved[(count - 1) // 2], moved[min(count - 1, -(-count * 99 // 100) - 1)]
    percent = " ".join(f"{share:.0%}" for share in shares)
    return f"out of order {per_million} pairs of a million; moved p50 {p50}, p99 {p99}; let in by tenth: {percent}"


CHECKS = [
    ("keys", check_keys), ("signatures", check_signatures), ("tree", check_tree), ("coverage", check_coverage),
    ("policies", check_policies), ("commitment", check_commitment), ("seal", check_seal), ("beacon", check_beacon),
    ("draw", check_draw), ("ties", check_ties), ("ranks", check_ranks), ("places", check_places),
    ("moves", check_moves), ("claims", check_claims), ("order", check_order), ("arrivals", check_arrivals),
]
