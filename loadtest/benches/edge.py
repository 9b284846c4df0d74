# `loadtest/bench edge`: the gateway beside nginx and HAProxy on the same work. Goals P1, P2, P4 and P5.
import argparse

from benches import command, machine, memory, polls, profile, rows
from benches.command import say
from benches.idle import connections_max
from benches.yard import Yard

PARTS = ["P1", "P2", "P4", "P5"]


def main(words):
    options = read(words)

    def work():
        options.gateway = options.gateway or command.build("usher-gateway")
        return show_profile(options) if options.profile else measure(options)

    return command.guarded(options, work)


def read(words):
    parser = argparse.ArgumentParser(
        prog="loadtest/bench edge",
        description="Measures the gateway beside nginx and HAProxy, all pinned to one core each, the load to another.",
        epilog=command.EPILOG,
    )
    command.add_options(parser, PARTS)
    parser.add_argument("--against", metavar="PROGRAM", help="another gateway, measured beside it in P1 and P4")
    parser.add_argument(
        "--profile", nargs="?", const="P1", metavar="P1|P2|P4", help="only show where the gateway's time goes"
    )
    options = parser.parse_args(words)
    if options.profile not in (None, "P1", "P2", "P4"):
        parser.error("--profile takes P1, P2 or P4")
    command.settle(parser, options, PARTS, programs=["gateway", "against"])
    options.tokens = 10_000 if options.quick else 100_000
    options.visitors = 50_000 if options.quick else 1_000_000
    return options


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
    timed = {name: each for name, each in samples.items() if not name.startswith("P5")}
    if timed:
        say("\n" + rows.servers_table(timed))
    return command.hand_over("edge", options, facts, found, samples, ("tokens", "visitors"))


def measure_memory(options, samples):
    count = min(1_000 if options.quick else 10_000, connections_max())
    with Yard() as yard:
        found, prints = memory.connections(yard, options.gateway, min(options.rounds, 3), count, say)
    samples.update({f"P5 {name}": each for name, each in prints.items()})
    with Yard() as yard:
        return found + memory.crowd(yard, options.gateway, options.visitors, count, say)


def show_profile(options):
    with Yard() as yard:
        say(profile.take(yard, options.gateway, options.profile, options.tokens, options.seconds, say))
    return 0
