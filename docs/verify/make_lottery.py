#!/usr/bin/env python3
"""Writes the bundle of a lottery that never was: N entrants, drawn with quicknet's published round 1000.

    python3 make_lottery.py N FILE

For measuring and comparing checkers; the keys are made of a fixed seed, so the file is the same each time.
"""

import base64
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from definitions import FORMAT, QUICKNET, Tree, commitment, draw_seed, round_time, sha256, shuffle

ROUND = 1000
SIGNATURE = bytes.fromhex(
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
)
ROOM, GENERATION, SECRET = "arena", 1, bytes(range(32))
OPENS = round_time(ROUND) - 6_000  # the first round two periods later is ROUND
CREATED = OPENS - 7_200_000
POLICY = json.dumps(
    {
        "claim": {"grace_seconds": 300, "window_seconds": 120},
        "order": {"beacon": "drand", "method": "lottery", "tie_window_ms": 0},
        "schedule": {"sale_opens_at": "2023-08-23T15:59:18.000Z"},
    },
    separators=(",", ":"),
    sort_keys=True,
)


def base64_text(data):
    return base64.b64encode(data).decode()


def note(key, public, size, root, at):
    body = f"usher/{ROOM}/{GENERATION}\n{size}\n{base64_text(root)}\ntime {at}\n"
    seal = sha256(b"usher-log\n\x01" + public)[:4] + key.sign(body.encode())
    return f"{body}\n\u2014 usher-log {base64_text(seal)}\n"


def main(count, path):
    late = count // 20  # who came after the seal
    key = Ed25519PrivateKey.from_private_bytes(sha256(b"make_lottery"))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    log, tree, notes, root = bytearray(), Tree(), [], None
    for index in range(count + late):
        at = CREATED + 1 + index * 7_000_000 // count if index < count else OPENS + 10_000 + index - count
        entry = sha256(b"visitor %d" % index)[:16] + struct.pack(">q", at)
        log += entry
        tree.append(entry)
        size = index + 1
        if size == count or size == count + late or size % max(count // 500, 1) == 0:
            notes.append(note(key, public, size, tree.root(), at if size != count else OPENS))
        if size == count:
            root = tree.root()
    value = sha256(SIGNATURE)
    seed = draw_seed(ROOM, GENERATION, root, count, 1, value)
    order = shuffle(seed, count)
    moves, claims, cursor, at = [], [], 0, round_time(ROUND) + 1_000
    while cursor < count * 3 // 5:
        first, cursor, at = cursor, min(cursor + max(count // 1000, 1), count), at + 1_000
        moves.append((cursor, at))
        claims += [(order[rank] + 1, at + 500) for rank in range(first, cursor) if rank % 10]
    sections = {
        "log": bytes(log),
        "ties": b"",
        "moves": b"".join(struct.pack(">Qq", *move) for move in moves),
        "claims": b"".join(struct.pack(">Qq", *claim) for claim in claims),
        "left": b"",
    }
    digest = base64.urlsafe_b64encode(sha256(POLICY.encode())).decode().rstrip("=")
    x = base64.urlsafe_b64encode(public).decode().rstrip("=")
    header = {
        "format": FORMAT, "room": ROOM, "generation": GENERATION, "origin": f"usher/{ROOM}/{GENERATION}",
        "phase": "active", "keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "log"}]},
        "commitment": commitment(ROOM, GENERATION, SECRET).hex(), "secret": None,
        "order": {"method": "lottery", "tie_window_ms": 0, "beacon": "drand"},
        "policies": [{"version": 1, "hash": digest, "at": CREATED, "document": POLICY}], "changes": [],
        "seal": {"count": count, "at": OPENS},
        "draw": {
            "version": "usher/draw/v1", "kind": "drand", "round": ROUND, "chain": QUICKNET,
            "signature": SIGNATURE.hex(), "value": value.hex(), "root": root.hex(), "count": count,
            "seed": seed.hex(), "named": [{"round": ROUND, "at": OPENS}],
        },
        "checkpoints": notes,
        "sections": [{"name": name, "bytes": len(data)} for name, data in sections.items()],
    }
    with open(path, "wb") as file:
        file.write(json.dumps(header).encode() + b"\n" + b"".join(sections.values()))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(int(sys.argv[1]), sys.argv[2])
