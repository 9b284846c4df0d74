"""What docs/fairness.md defines: formats, hashes, the tree, the shuffle, seeds, the rounds of the beacon."""

import base64
import datetime
import hashlib
import hmac
import json
import re
import struct

FORMAT = "usher-bundle/1"
RECORDS = {"log": 24, "ties": 16, "moves": 16, "claims": 16, "left": 8}
QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
GENESIS_MS, PERIOD_MS = 1_692_803_367_000, 3_000
LEAD_MS, PATIENCE_MS, ROUND_STEP = 2 * PERIOD_MS, 30_000, 20
RESTORED_WITHIN_MS = 60_000
NUMBER_MAX, ROUND_MAX = 1 << 53, 1 << 40
VOID = bytes(24)
NOTE = re.compile(
    r"usher/([^/\n]*)/(0|[1-9][0-9]*)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\ntime (0|-?[1-9][0-9]*)\n"
    r"\n\u2014 usher-log ([A-Za-z0-9+/]{91}=)\n"
)


class NoBundle(Exception):
    """The file cannot be read as a bundle."""


class Broken(Exception):
    """A check failed."""


class NotYet(Exception):
    """A check has nothing to look at."""


def require(holds, reason):
    if not holds:
        raise Broken(reason)


# What the page defines: hashes, the tree, the shuffle, seeds.


def sha256(data):
    return hashlib.sha256(data).digest()


def text(value):
    raw = value.encode()
    return bytes([len(raw)]) + raw


def u64(value):
    return struct.pack(">Q", value)


def unhex(value):
    """The bytes of a hexadecimal text; None for anything else."""
    try:
        return bytes.fromhex(value) if isinstance(value, str) and re.fullmatch("([0-9a-fA-F]{2})*", value) else None
    except ValueError:
        return None


def unbase64(value):
    """The bytes of a base64 text in its one spelling; None for anything else."""
    raw = base64.b64decode(value)
    return raw if base64.b64encode(raw).decode() == value else None


class Tree:
    """The roots of a growing list (RFC 6962, section 2.1): hashes of complete subtrees, largest first."""

    def __init__(self):
        self.count, self.peaks = 0, []

    def append(self, entry):
        digest, count = sha256(b"\0" + entry), self.count
        while count & 1:
            digest = sha256(b"\1" + self.peaks.pop() + digest)
            count >>= 1
        self.peaks.append(digest)
        self.count += 1

    def root(self):
        if not self.peaks:
            return sha256(b"")
        digest = self.peaks[-1]
        for left in reversed(self.peaks[:-1]):
            digest = sha256(b"\1" + left + digest)
        return digest


def roots_at(log, sizes):
    tree, roots = Tree(), {}
    if 0 in sizes:
        roots[0] = tree.root()
    for start in range(0, len(log), 24):
        tree.append(log[start : start + 24])
        if tree.count in sizes:
            roots[tree.count] = tree.root()
    return roots


def shuffle(seed, count):
    """SHUFFLE of the page: member a[k] of 0..count-1 comes k-th."""
    words, counter = [], 0
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        k = i + 1
        limit = (1 << 32) // k * k
        while True:
            if not words:
                words = list(struct.unpack(">8I", sha256(seed + u64(counter))))
                words.reverse()
                counter += 1
            word = words.pop()
            if word < limit:
                break
        j = word % k
        order[i], order[j] = order[j], order[i]
    return order


def commitment(room, generation, secret):
    return sha256(b"usher/commit/v1" + text(room) + u64(generation) + secret)


def tie_seed(secret, room, first, count):
    return hmac.new(secret, b"usher/tie/v1" + text(room) + u64(first) + u64(count), hashlib.sha256).digest()


def draw_seed(room, generation, root, count, kind, value):
    return sha256(b"usher/draw/v1" + text(room) + u64(generation) + root + u64(count) + bytes([kind]) + value)


def round_time(number):
    return GENESIS_MS + (number - 1) * PERIOD_MS


def first_round(at):
    return 1 if at <= GENESIS_MS else -(-(at - GENESIS_MS) // PERIOD_MS) + 1


def milliseconds(moment):
    """Of an RFC 3339 time in UTC; None when it is none."""
    if not isinstance(moment, str) or not moment.endswith("Z"):
        return None
    try:
        at = datetime.datetime.fromisoformat(moment[:-1] + "+00:00")
    except ValueError:
        return None
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (at - epoch) // datetime.timedelta(milliseconds=1)


class Bundle:
    """A bundle's header and sections."""

    def __init__(self, data):
        end = data.find(b"\n")
        if end < 0:
            raise NoBundle("there is no header line")
        try:
            self.header = json.loads(data[:end])
            parts = [(part["name"], part["bytes"]) for part in self.header["sections"]]
        except (ValueError, KeyError, TypeError) as error:
            raise NoBundle(f"the header is not the JSON of a bundle: {error!r}") from error
        if self.header.get("format") != FORMAT:
            raise NoBundle(f"the format is not {FORMAT}")
        self.sections, start = {}, end + 1
        for name, length in parts:
            if name not in RECORDS or name in self.sections or not 0 <= length <= len(data) - start:
                raise NoBundle(f"section {name} is unknown, there twice, or cut short")
            self.sections[name] = data[start : start + length]
            start += length
        if start != len(data):
            raise NoBundle("there are bytes after the last section")

    def flaw(self):
        """What is not as the page says, or None; the checks rely on these bounds."""
        for name, length in RECORDS.items():
            if len(self.sections.get(name, b"?" * (length + 1))) % length:
                return f"section {name} is missing or ends within a record"
        header = self.header
        if not isinstance(header["room"], str) or not re.fullmatch("[a-z0-9-]{1,40}", header["room"]):
            return "that is no room's name"
        seal, draw = header.get("seal") or {}, header.get("draw") or {}
        named = draw.get("named") or []
        numbers = [header["generation"], header["order"].get("tie_window_ms") or 0, seal.get("count", 0)]
        numbers += [seal.get("at", 0), draw.get("count", 0)]
        numbers += [policy[member] for policy in header["policies"] for member in ("version", "at")]
        numbers += [change["at"] for change in header.get("changes") or []] + [round["at"] for round in named]
        rounds = [draw.get("round") if draw.get("round") is not None else 1] + [round["round"] for round in named]
        if not all(0 <= number <= NUMBER_MAX for number in numbers) or not all(1 <= r <= ROUND_MAX for r in rounds):
            return "a number in the header is out of range"
        log = self.sections["log"]
        times = [int.from_bytes(log[at - 8 : at], "big") for at in range(24, len(log) + 1, 24)]
        for name in ("ties", "moves", "claims"):
            times += [number for pair in struct.iter_unpack(">QQ", self.sections[name]) for number in pair]
        if times and max(times) > NUMBER_MAX:
            return "a number in a section is out of range"
        return None

    def pairs(self, name):
        return list(struct.iter_unpack(">Qq", self.sections[name]))


def read_note(note):
    """(room, generation, size, root, time, key hash, signature, signed bytes) of a checkpoint; None when it is none."""
    match = NOTE.fullmatch(note)
    root = unbase64(match[4]) if match else None
    seal = unbase64(match[6]) if match else None
    if root is None or seal is None:
        return None
    signed = note[: note.index("\n\n") + 1].encode()
    return match[1], int(match[2]), int(match[3]), root, int(match[5]), seal[:4], seal[4:], signed
