# `loadtest/bench edge`: the gateway beside nginx and HAProxy on the same work. Goals P1, P2, P4 and P5.
import argparse
import os
import subprocess
import sys

from benches import machine, memory, polls, profile, rows
from benches.gateway import ROOT
from benches.idle import connections_max
from benches.yard import BenchFault, Yard

PARTS = ["P1", "P2", "P4", "P5"]
BUILD_SECONDS_MAX = 3600


def say(line):
    print(line, flush=True)


def main(words):
    options = read(words)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    try:
        machine.check()
        subprocess.run([os.path.join(ROOT, "scripts/packages"), "bench"], check=True)
        options.gateway = options.gateway or build()
        options.descriptors = machine.raise_descriptor_limit()
        with machine.precedence(options.realtime):
            return show_profile(options) if options.profile else measure(options)
    except BenchFault as fault:
        print(f"bench: {fault}", file=sys.stderr)
    except subprocess.CalledProcessError:
        print("bench: what it needs could not be installed or built", file=sys.stderr)
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
    return 2


def read(words):
    parser = argparse.ArgumentParser(
        prog="loadtest/bench edge",
        description="Measures the gateway beside nginx and HAProxy, all pinned to one core each, the load to another.",
        epilog="Exit status: 0 measured, 1 a goal was missed and --strict was given, 2 it could not measure.",
    )
    parser.add_argument("--json", metavar="FILE", help="also write the rows and all samples to this file")
    parser.add_argument("--quick", action="store_true", help="short and few runs: to see that it works")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    parser.add_argument("--only", metavar="P1,P2,P4,P5", default=",".join(PARTS), help="measure only these goals")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5; quick 2)")
    parser.add_argument("--seconds", type=int, help="length of one run (5; quick 1)")
    parser.add_argument("--gateway", metavar="PROGRAM", help="this gateway instead of building one")
    parser.add_argument("--against", metavar="PROGRAM", help="another gateway, measured beside it in P1 and P4")
    parser.add_argument(
        "--profile", nargs="?", const="P1", metavar="P1|P2|P4", help="only show where the gateway's time goes"
    )
    parser.add_argument(
        "--realtime",
        action="store_true",
        help="servers and load in the real-time class: for a machine busy with other work; latencies mean little then",
    )
    options = parser.parse_args(words)
    options.parts = options.only.split(",")
    if not set(options.parts) <= set(PARTS):
        parser.error("--only takes P1, P2, P4 and P5, with commas")
    if options.profile not in (None, "P1", "P2", "P4"):
        parser.error("--profile takes P1, P2 or P4")
    if options.rounds is None:
        options.rounds = 2 if options.quick else 5
    if options.seconds is None:
        options.seconds = 1 if options.quick else 5
    if not (1 <= options.rounds <= 100 and 1 <= options.seconds <= 60):
        parser.error("--rounds is from 1 to 100, --seconds from 1 to 60")
    for program in (options.gateway, options.against):
        if program and not os.access(program, os.X_OK):
            parser.error(f"{program} is not a program")
    options.tokens = 10_000 if options.quick else 100_000
    options.visitors = 50_000 if options.quick else 1_000_000
    return options


def build():
    """The release build of the gateway alone."""
    say("building the gateway")
    command = ["swift", "build", "-c", "release", "--product", "usher-gateway"]
    os.makedirs(os.path.join(ROOT, ".build"), exist_ok=True)
    log_path = os.path.join(ROOT, ".build/build-bench.log")
    with open(log_path, "w") as log:
        done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, timeout=BUILD_SECONDS_MAX)
    if done.returncode != 0:
        raise BenchFault(f"the build failed; all of it is in {log_path}")
    return os.path.join(ROOT, ".build/release/usher-gateway")


def measure(options):
    found, samples = [], {}
    facts = machine.facts()
    say(", ".join(f"{name} {value}" for name, value in facts.items()))
    requests = {"P1": polls.polls, "P2": polls.refusals, "P4": polls.proxying}
    wanted = [part for part in options.parts if part in requests]
    if wanted:
        with Yard() as yard:
            ground = polls.Ground(yard, options.gateway, options.against, options.tokens, say)
            for part in wanted:
                more, taken = requests[part](ground, options.rounds, options.seconds, say)
                found += more
                samples.update({f"{part} {name}": each for name, each in taken.items()})
    if "P5" in options.parts:
        found += measure_memory(options, samples)
    report(options, facts, found, samples)
    missed = [row for row in found if row.holds is False]
    return 1 if missed and options.strict else 0


def measure_memory(options, samples):
    count = min(1_000 if options.quick else 10_000, connections_max())
    with Yard() as yard:
        found, prints = memory.connections(yard, options.gateway, min(options.rounds, 3), count, say)
    samples.update({f"P5 {name}": each for name, each in prints.items()})
    with Yard() as yard:
        return found + memory.crowd(yard, options.gateway, options.visitors, count, say)


def report(options, facts, found, samples):
    timed = {name: each for name, each in samples.items() if not name.startswith("P5")}
    if timed:
        say("\n" + rows.servers_table(timed))
    say("\n" + rows.table(found))
    goals = [row for row in found if row.holds is not None]
    say(f"\n{sum(row.holds for row in goals)} of {len(goals)} goals hold; medians of {options.rounds} rounds")
    if options.json:
        names = ("quick", "rounds", "seconds", "tokens", "visitors", "realtime", "descriptors")
        settings = {name: getattr(options, name) for name in names}
        with open(options.json, "w") as file:
            file.write(rows.document("edge", facts, settings, found, samples) + "\n")


def show_profile(options):
    path = os.path.join(ROOT, ".build/bench-profile.folded")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with Yard() as yard:
        say(profile.take(yard, options.gateway, options.profile, options.tokens, options.seconds, path, say))
    return 0
