# `loadtest/bench room`: a waiting room under a crowd of a million. Goals P3 and P9, memory, draw, audit, simulation.
import argparse

from benches import command, crowd, joins, machine, profile, rows
from benches.command import say
from benches.site import Site
from benches.yard import Yard

PARTS = ["P3", "P9", "memory", "draw", "audit", "simulate"]
# Parts that need a million visitors, and those for which the lottery must have been drawn.
CROWDED = {"P9", "memory", "draw", "audit"}
DRAWN = {"P9", "draw", "audit"}


def main(words):
    options = read(words)
    return command.guarded(options, lambda: show_profile(options) if options.profile else measure(options))


def read(words):
    parser = argparse.ArgumentParser(
        prog="loadtest/bench room",
        description="Measures a waiting room with 1,000 and with 1,000,000 visitors: joins, polls, memory, draw, audit.",
        epilog=command.EPILOG,
    )
    command.add_options(parser, PARTS)
    parser.add_argument("--usher", metavar="PROGRAM", help="this usher instead of building one")
    parser.add_argument("--loadtest", metavar="PROGRAM", help="this usher-loadtest instead of building one")
    parser.add_argument("--against", metavar="PROGRAM", help="another gateway, measured beside it in P3")
    parser.add_argument("--profile", action="store_true", help="only show where the gateway's time goes in P3")
    options = parser.parse_args(words)
    command.settle(parser, options, PARTS, programs=["gateway", "against", "usher", "loadtest"])
    options.visitors = 50_000 if options.quick else 1_000_000
    return options


def build(options):
    wanted = set(options.parts)
    if wanted - {"simulate"}:
        options.gateway = options.gateway or command.build("usher-gateway")
    if wanted & {"audit", "simulate"}:
        options.usher = options.usher or command.build("usher")
    if wanted & DRAWN:
        options.loadtest = options.loadtest or command.build("usher-loadtest")


def measure(options):
    build(options)
    facts = machine.facts()
    say(", ".join(f"{name} {value}" for name, value in facts.items()))
    found, samples = [], {}
    with Yard() as yard:
        if set(options.parts) - {"simulate"}:
            found += measure_room(options, yard, samples)
        if "simulate" in options.parts:
            found += crowd.simulate(yard, options.usher, options.visitors, min(options.rounds, 3), say)
    if samples:
        say("\n" + rows.servers_table(samples))
    return command.hand_over("room", options, facts, found, samples, ("visitors",))


def measure_room(options, yard, samples):
    """The parts in one order, as each needs the room as the one before has left it; rows of those that were asked for."""
    wanted = set(options.parts)
    found = []
    small, large = Site(yard, options.gateway, "small", joins.FEW), None
    if wanted & CROWDED:
        large = Site(yard, options.gateway, "large", options.visitors)
        found += crowd.take_places(small, large, say)
    if wanted & DRAWN:
        found += crowd.draw(small, large, options.loadtest, options.rounds, say)
    if "P9" in wanted:
        more, taken = joins.polls(small, large, options.rounds, options.seconds, say)
        found += more
        samples.update({f"P9 {name}": each for name, each in taken.items()})
    if wanted & {"P3", "P9"}:
        crowded = large if "P9" in wanted else None
        other = Site(yard, options.against, "other", joins.FEW) if options.against else None
        fresh, growth, taken = joins.measure(small, crowded, other, options.rounds, options.seconds, say)
        found += fresh + growth
        samples.update({f"P3 {name}": each for name, each in taken.items()})
    # Last, as it lets people in.
    if "audit" in wanted:
        found += crowd.audit(large, options.usher, min(options.rounds, 3), say)
    return [row for row in found if row.id in wanted]


def show_profile(options):
    options.gateway = options.gateway or command.build("usher-gateway")
    with Yard() as yard:
        small = Site(yard, options.gateway, "small", joins.FEW)
        say(profile.sampled(joins.few(small), options.seconds, say))
    return 0
