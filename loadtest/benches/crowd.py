# A million visitors in one room: what they weigh, the draw among them, and the audit of what was published.
import json
import os
import re
import resource
import statistics
import subprocess
import time

from benches.gateway import ROOT
from benches.load import PROBE_SECONDS_MAX
from benches.rows import at_most, beside, plain
from benches.site import ROOM, TOKENS_MAX
from benches.yard import CLIENT_CORE, BenchFault

MIB = 1024 * 1024
# A growth below this is the allocator's: a visitor who is remembered would cost dozens of bytes.
BYTES_A_VISITOR_MAX = 1.0
JUDGED_VISITORS_MIN = 500_000
# A gateway that took half of the joins and one that took the other half: what is kept of the latest is the same.
LIVE_MAX = 1.1
REDIS_BYTES_MAX = 128
DRAW_SECONDS_GOAL = 1
AUDIT_SECONDS_GOAL = 5
SIMULATE_SECONDS_GOAL = 30
PROGRAM_SECONDS_MAX = 900


def take_places(small, large, say):
    """Fills both rooms by real joins, and weighs gateways and stores. Rows of memory."""
    small.keep_tokens(small.crowd)
    weights = {"few": small.resident_bytes(), "few stored": small.stored_bytes()}
    kept = min(TOKENS_MAX, large.crowd // 10)
    half = (large.crowd - kept) // 2
    say(f"{large.crowd:,} visitors join")
    large.fill(half)
    weights["half"] = large.resident_bytes()
    weights["half, started"] = large.started_bytes()
    large.fill(large.crowd - kept)
    large.keep_tokens(kept)
    weights["all"], weights["stored"] = large.resident_bytes(), large.stored_bytes()
    weights["few, started"], weights["started"] = small.started_bytes(), large.started_bytes()
    for name, weight in weights.items():
        say(f"  {name:14} {weight / MIB:8.1f} MiB")
    return memory_rows(weights, small.crowd, large.crowd, large.crowd - half)


def memory_rows(weights, few, crowd, second_half):
    started = (weights["started"] - weights["half, started"]) / second_half
    stored = (weights["stored"] - weights["few stored"]) / (crowd - few)
    judged = at_most if crowd >= JUDGED_VISITORS_MIN else lambda *row: plain(*row[:4])
    ratio = weights["started"] / weights["few, started"]
    return [
        judged("memory", "one more waiting visitor, in the gateway", started, "B", BYTES_A_VISITOR_MAX),
        beside("memory", f"gateway that starts, {crowd:,} waiting", weights["started"] / MIB, "MiB",
               f"{few:,} waiting", weights["few, started"] / MIB, ratio),
        beside("memory", f"gateway that took {crowd - second_half:,} to {crowd:,}", weights["all"] / MIB, "MiB",
               f"0 to {crowd - second_half:,}", weights["half"] / MIB, weights["all"] / weights["half"], LIVE_MAX),
        at_most("memory", "a waiting visitor, in Redis", stored, "B", REDIS_BYTES_MAX),
    ]


def draw(small, large, loadtest, rounds, say):
    """The draw in running gateways, the memory of ranks, and the same draw computed by itself."""
    say("draw")
    before = large.resident_bytes()
    few_seconds, many_seconds = small.draw(), large.draw()
    after = large.resident_bytes()
    small.open_sale()
    large.open_sale()
    say(f"  seal to rank: {few_seconds:.2f} s with {small.crowd:,}, {many_seconds:.2f} s with {large.crowd:,}")
    command = [loadtest, "draw", "--places", str(large.crowd), "--rounds", str(rounds), "--json"]
    text, _ = run(command, "usher-loadtest draw")
    each = json.loads(text)
    roots, ranks = ([one[name] for one in each] for name in ("root_s", "ranks_s"))
    whole = statistics.median(root + rank for root, rank in zip(roots, ranks))
    what = f"draw of {large.crowd:,}"
    return [
        at_most("draw", f"{what} computed again: root, seed, ranks", whole, "s", DRAW_SECONDS_GOAL),
        plain("draw", f"{what}, ranks alone", statistics.median(ranks), "s"),
        beside("draw", f"{what}, from the seal to a visitor's rank", many_seconds, "s", f"{small.crowd:,} places",
               few_seconds, many_seconds / few_seconds),
        plain("draw", "table of ranks, a place", (after - before) / large.crowd, "B"),
    ]


def audit(site, usher, rounds, say):
    """Both checkers over the published bundle; they must agree."""
    say("audit")
    called, admitted = site.sell()
    count = site.places()
    say(f"  {count:,} places, {called:,} called, {admitted:,} let in")
    bundle = site.yard.path("crowd.bundle")
    url = f"http://127.0.0.1:{site.gateway.port}"
    fetched = [run([usher, "audit", "--room", ROOM, "--url", url, "--save", bundle, "--json"], "audit of a gateway")
               for _ in range(rounds)]
    read = [run([usher, "audit", "--bundle", bundle, "--json"], "audit of a file") for _ in range(rounds)]
    verify = [os.path.join("/usr/bin/env"), "python3", os.path.join(ROOT, "docs/verify/usher_verify.py"), "--json", bundle]
    theirs, python_seconds = run(verify, "the Python checker")
    ours, others = verdicts(json.loads(read[-1][0])["checks"]), verdicts(json.loads(theirs)[0]["checks"])
    if ours != others:
        raise BenchFault(f"the checkers differ: {set(ours.items()) ^ set(others.items())}")
    if "FAIL" in ours.values():
        raise BenchFault(f"the audit fails: {ours}")
    say(f"  {sum(one == 'ok' for one in ours.values())} checks hold and {len(ours)} verdicts are the same in both checkers")
    what = f"audit of {count:,} places"
    from_url, from_file = (statistics.median(seconds for _, seconds in found) for found in (fetched, read))
    return [
        at_most("audit", f"{what}, from the gateway", from_url, "s", AUDIT_SECONDS_GOAL),
        at_most("audit", f"{what}, from a file", from_file, "s", AUDIT_SECONDS_GOAL),
        plain("audit", f"{what}, by the Python checker, which agrees", python_seconds, "s"),
        plain("audit", "bundle", os.path.getsize(bundle) / MIB, "MiB"),
    ]


def verdicts(checks):
    return {check["name"]: check["verdict"] for check in checks}


def simulate(yard, usher, visitors, rounds, say):
    say("simulate")
    document = {"order": {"method": "first_come"}, "admission": {"per_minute": 60_000, "active_max": 50_000}}
    policy = yard.write("policy.json", json.dumps(document))
    report = yard.path("report.json")
    crowd = f"prequeue,visitors={visitors},bots=0.1,no_show=0.2"
    command = [usher, "simulate", "--policy", policy, "--arrivals", crowd, "--quiet", "--json", report]
    found = [run(command, "usher simulate") for _ in range(rounds)]
    seconds = statistics.median(each for _, each in found)
    return [at_most("simulate", f"sale with {visitors:,} visitors", seconds, "s", SIMULATE_SECONDS_GOAL)]


def run(command, name):
    """What a program printed, and the seconds it took. On the load's core, as the gateway has its own."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            ["taskset", "-c", str(CLIENT_CORE), *command], capture_output=True, text=True, timeout=PROGRAM_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        raise BenchFault(f"{name} did not end within {PROGRAM_SECONDS_MAX} s") from None
    if done.returncode != 0:
        raise BenchFault(f"{name} ended with {done.returncode}: {done.stdout[-800:]} {done.stderr[-800:]}")
    return done.stdout, time.monotonic() - started
