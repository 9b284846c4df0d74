#!/usr/bin/env python3
"""Checks a waiting room's bundle, as docs/fairness.md specifies it, without any code of Usher's.

    python3 usher_verify.py room.bundle [--json] [--no-bls]

One line a check: ok, FAIL or skip. Exit status 0: nothing failed; 1: a check failed; 2: the file is no bundle.
Needs Python 3.9 and the package `cryptography` (for Ed25519); BLS signatures are checked by bls12381.py beside this.
"""

import argparse
import json
import sys

from checks import CHECKS, Facts
from definitions import FORMAT, RECORDS, Broken, Bundle, NoBundle, NotYet


def verify(bundle, with_bls=True, tell=lambda line: None):
    """A list of (check, verdict, detail)."""
    results = []

    def note(name, verdict, detail):
        results.append((name, verdict, detail))
        tell(f"{verdict:<4} {name:<11} {detail}")

    for name, length in RECORDS.items():
        if len(bundle.sections.get(name, b"?" * (length + 1))) % length:
            note("format", "FAIL", f"section {name} is missing or ends within a record")
            return results
    note("format", "ok", FORMAT)
    facts = Facts(bundle, with_bls)
    for name, check in CHECKS:
        try:
            note(name, "ok", check(facts))
        except Broken as reason:
            note(name, "FAIL", str(reason))
        except NotYet as reason:
            note(name, "skip", str(reason))
    return results


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("bundle", help="the file that `usher audit --save` wrote")
    options.add_argument("--json", action="store_true", help="print a list of {name, verdict, detail}")
    options.add_argument("--no-bls", action="store_true", help="leave the beacon's BLS signature unchecked, and say so")
    chosen = options.parse_args()
    try:
        with open(chosen.bundle, "rb") as file:
            bundle = Bundle(file.read())
        results = verify(bundle, not chosen.no_bls, (lambda line: None) if chosen.json else print)
    except (OSError, NoBundle, KeyError, TypeError, AttributeError) as error:
        print(f"usher_verify: {error}", file=sys.stderr)
        return 2
    if chosen.json:
        print(json.dumps([dict(zip(("name", "verdict", "detail"), result)) for result in results], indent=1))
    return 1 if any(verdict == "FAIL" for _, verdict, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
