"""A bundle taken apart, and how often a list is out of order."""

import json
from bisect import bisect_left
from itertools import accumulate

from definitions import draw_seed, read_note, roots_at, unhex

KINDS = {"drand": 1, "commit_reveal": 2}


class Facts:
    """A bundle taken apart."""

    def __init__(self, bundle, with_bls):
        self.header, self.with_bls = bundle.header, with_bls
        self.room, self.generation = self.header["room"], self.header["generation"]
        log = bundle.sections["log"]
        self.entries = [log[start : start + 24] for start in range(0, len(log), 24)]
        self.times = [int.from_bytes(entry[16:], "big", signed=True) for entry in self.entries]
        self.ties, self.moves = bundle.pairs("ties"), bundle.pairs("moves")
        self.claims = bundle.pairs("claims")
        left = bundle.sections["left"]
        self.left = {int.from_bytes(left[start : start + 8], "big") for start in range(0, len(left), 8)}
        self.reached = list(accumulate((cursor for cursor, _ in self.moves), max))
        self.notes = [read_note(note) for note in self.header["checkpoints"]]
        self.seal, self.draw = self.header.get("seal"), self.header.get("draw")
        order = self.header["order"]
        self.method, self.tie_ms = order["method"], order.get("tie_window_ms") or 0
        self.beacon = order.get("beacon") or "drand"
        self.is_lottery = self.method == "lottery"
        self.secret = unhex(self.header.get("secret"))
        self.policies = self.header["policies"]
        self.documents = [self.read_policy(policy["document"]) for policy in self.policies]
        sizes = {note[2] for note in self.notes if note}
        if self.draw:
            sizes.add(self.draw["count"])
        self.roots = roots_at(log, sizes)
        self.ranks = None  # number - 1 -> rank, once check_ranks has found them

    @staticmethod
    def read_policy(document):
        try:
            policy = json.loads(document)
        except ValueError:
            return None
        return policy if isinstance(policy, dict) else None

    def called_at(self, rank):
        """When a rank was called; None when it was not."""
        index = bisect_left(self.reached, rank)
        return self.moves[index][1] if index < len(self.moves) else None

    def rank(self, number):
        if self.ranks is None or not 0 < number <= len(self.ranks):
            return number
        return self.ranks[number - 1]

    def drawn_seed(self):
        root = self.roots.get(self.draw["count"]) if self.draw else None
        value = unhex(self.draw["value"]) if self.draw else None
        if root is None or value is None or len(value) != 32 or self.draw["kind"] not in KINDS:
            return None
        kind = KINDS[self.draw["kind"]]
        return draw_seed(self.room, self.generation, root, self.draw["count"], kind, value)


def inversions(values):
    """Pairs that stand in falling order."""
    width, total, values = 1, 0, list(values)
    while width < len(values):
        merged = []
        for start in range(0, len(values), 2 * width):
            left, right = values[start : start + width], values[start + width : start + 2 * width]
            if not right or left[-1] <= right[0]:
                merged += left + right
                continue
            i, j, ends = 0, 0, len(left)
            while i < ends and j < len(right):
                if left[i] <= right[j]:
                    merged.append(left[i])
                    i += 1
                else:
                    merged.append(right[j])
                    total += ends - i
                    j += 1
            merged += left[i:] + right[j:]
        values = merged
        width *= 2
    return total
