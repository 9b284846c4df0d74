#!/usr/bin/env python3
"""Checks a waiting room's bundle, as docs/fairness.md specifies it, without any code of Usher's.

    python3 usher_verify.py room.bundle … [--json] [--no-bls]

One line a check: ok, FAIL or skip. Exit status 0: nothing failed; 1: a check failed; 2: a file is no bundle.
Needs Python 3.9 and the package `cryptography` (for Ed25519); BLS signatures are checked by bls12381.py beside this.
"""

import argparse
import json
import sys

from checks import CHECKS
from definitions import FORMAT, Broken, Bundle, NoBundle, NotYet
from facts import Facts


def verify(bundle, with_bls=True, tell=lambda line: None):
    """A list of (check, verdict, detail)."""
    results = []

    def note(name, verdict, detail):
        results.append((name, verdict, detail))
        tell(f"{verdict:<4} {name:<11} {detail}")

    flaw = bundle.flaw()
    if flaw:
        note("format", "FAIL", flaw)
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


def check_file(path, options):
    """The results for one file, printed unless JSON is wanted; None when it is no bundle."""
    tell = (lambda line: None) if options.json else print
    try:
        with open(path, "rb") as file:
            bundle = Bundle(file.read())
        return verify(bundle, not options.no_bls, tell)
    except (OSError, NoBundle, KeyError, TypeError, AttributeError) as error:
        print(f"usher_verify: {path}: {error}", file=sys.stderr)
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="+", metavar="bundle", help="a file that `usher audit --save` wrote")
    parser.add_argument("--json", action="store_true", help="print a list of {bundle, checks: [{name, verdict, detail}]}")
    parser.add_argument("--no-bls", action="store_true", help="leave the beacon's BLS signature unchecked, and say so")
    options = parser.parse_args()
    found = [(path, check_file(path, options)) for path in options.bundles]
    if options.json:
        names = ("name", "verdict", "detail")
        print(json.dumps(
            [{"bundle": path, "checks": [dict(zip(names, one)) for one in results or []]} for path, results in found],
            indent=1,
        ))
    if any(results is None for _, results in found):
        return 2
    return 1 if any(verdict == "FAIL" for _, results in found for _, verdict, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
