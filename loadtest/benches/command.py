# What every bench has at the command line: common options, the release build, faults, and how its figures come out.
import os
import subprocess
import sys

from benches import machine, rows
from benches.gateway import ROOT
from benches.yard import BenchFault

BUILD_SECONDS_MAX = 3600
EPILOG = "Exit status: 0 measured, 1 a goal was missed and --strict was given, 2 it could not measure."


def say(line):
    print(line, flush=True)


def add_options(parser, parts):
    parser.add_argument("--json", metavar="FILE", help="also write the rows and all samples to this file")
    parser.add_argument("--quick", action="store_true", help="short and few runs: to see that it works")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    parser.add_argument("--only", metavar=",".join(parts), default=",".join(parts), help="measure only these goals")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5; quick 2)")
    parser.add_argument("--seconds", type=int, help="length of one run (5; quick 1)")
    parser.add_argument("--gateway", metavar="PROGRAM", help="this gateway instead of building one")
    parser.add_argument(
        "--realtime",
        action="store_true",
        help="servers and load in the real-time class: for a machine busy with other work; latencies mean little then",
    )


def settle(parser, options, parts, programs):
    """Checks the common options, and fills in what was not said. `programs` are names of options that take one."""
    options.parts = options.only.split(",")
    if not set(options.parts) <= set(parts):
        parser.error(f"--only takes {', '.join(parts[:-1])} and {parts[-1]}, with commas")
    if options.rounds is None:
        options.rounds = 2 if options.quick else 5
    if options.seconds is None:
        options.seconds = 1 if options.quick else 5
    if not (1 <= options.rounds <= 100 and 1 <= options.seconds <= 60):
        parser.error("--rounds is from 1 to 100, --seconds from 1 to 60")
    for program in (getattr(options, name) for name in programs):
        if program and not os.access(program, os.X_OK):
            parser.error(f"{program} is not a program")


def guarded(options, work):
    """Installs what benches need, does the work before other programs, and turns every fault into a line and status 2."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    try:
        machine.check()
        subprocess.run([os.path.join(ROOT, "scripts/packages"), "bench"], check=True)
        options.descriptors = machine.raise_descriptor_limit()
        with machine.precedence(options.realtime):
            return work()
    except BenchFault as fault:
        print(f"bench: {fault}", file=sys.stderr)
    except subprocess.CalledProcessError:
        print("bench: what it needs could not be installed or built", file=sys.stderr)
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
    return 2


def build(product):
    """The release build of one product, as `scripts/build release` makes it; its path."""
    say(f"building {product}")
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", product]
    os.makedirs(os.path.join(ROOT, ".build"), exist_ok=True)
    log_path = os.path.join(ROOT, ".build/build-bench.log")
    with open(log_path, "w") as log:
        done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, timeout=BUILD_SECONDS_MAX)
    if done.returncode != 0:
        raise BenchFault(f"the build failed; all of it is in {log_path}")
    return os.path.join(ROOT, ".build/release", product)


def hand_over(bench, options, facts, found, samples, settings):
    """Prints the goals, writes the JSON, and returns the exit status."""
    say("\n" + rows.table(found))
    goals = [row for row in found if row.holds is not None]
    say(f"\n{sum(row.holds for row in goals)} of {len(goals)} goals hold; medians of {options.rounds} rounds")
    if options.json:
        names = ("quick", "rounds", "seconds", *settings, "realtime", "descriptors")
        with open(options.json, "w") as file:
            values = {name: getattr(options, name) for name in names}
            file.write(rows.document(bench, facts, values, found, samples) + "\n")
    missed = [row for row in goals if not row.holds]
    return 1 if missed and options.strict else 0
