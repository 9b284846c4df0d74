# `loadtest/bench booking`: purchases straight to booking, reads of the seat map, loss of Redis. Goals P6, P8 and P9.
import argparse
import statistics
import time

from benches import command, machine, profile, purchases
from benches.command import say
from benches.rows import at_least, at_most, beside, plain
from benches.stack import Stack
from benches.yard import BenchFault, Yard

PARTS = ["P6", "P8", "P9", "map"]
PRODUCTS = ["usher", "usher-gateway", "usher-booking", "usher-mock-payments", "usher-loadtest"]
# Mean of one to four.
SEATS_AN_ORDER = 2.5
REBUILD_SECONDS_MAX = 60
LOOK_SECONDS = 0.01
# Buyers of the hundredth that is sold first, and as many who only hold.
EARLY = 1_000


def main(words):
    options = read(words)
    return command.guarded(options, lambda: show_profile(options) if options.profile else measure(options))


def add_options(parser, parts):
    command.add_options(parser, parts)
    parser.add_argument("--programs", metavar="FOLDER", help="these programs instead of building them")
    parser.add_argument("--seats", type=int, help="seats of a session (50000; quick 4000)")
    parser.add_argument("--connections", type=int, default=256, help="buyers at the same time (256)")
    parser.add_argument(
        "--profile", nargs="?", const="usher-booking", metavar="PROCESS", help="only show where its time goes"
    )


def settle(parser, options, parts):
    command.settle(parser, options, parts, programs=["gateway"])
    options.seats = options.seats or (4_000 if options.quick else 50_000)
    if not (1_000 <= options.seats <= 100_000 and 1 <= options.connections <= 4_096):
        parser.error("--seats is from 1000 to 100000, --connections from 1 to 4096")


def read(words):
    parser = argparse.ArgumentParser(
        prog="loadtest/bench booking",
        description="Measures purchases, holds and seat maps on a whole Usher with durable stores, load included.",
        epilog=command.EPILOG,
    )
    add_options(parser, PARTS)
    options = parser.parse_args(words)
    settle(parser, options, PARTS)
    return options


def build(options):
    if not options.programs:
        paths = [command.build(product) for product in PRODUCTS]
        options.programs = paths[0].rpartition("/")[0]


def buyers(options):
    """More than can be served: each buys once in a session."""
    return int(options.seats / SEATS_AN_ORDER * 1.2) + 2 * EARLY


def measure(options):
    build(options)
    facts = machine.facts()
    say(", ".join(f"{name} {value}" for name, value in facts.items()))
    with Yard() as yard:
        stack = Stack(yard, options.programs, options.seats, options.rounds, buyers(options), say)
        runs = {"purchase": [], "hold at 1 % sold": [], "hold at 99 % sold": [], "map": []}
        for session in stack.sessions:
            sell(stack, session, options, runs)
        rebuilds = [rebuild(stack, session) for session in stack.sessions] if "P8" in options.parts else []
        stack.check()
        say("usher check: every promise kept")
    found = [row for row in rows_of(runs, rebuilds, options.seats) if row.id in options.parts]
    samples = {name: taken for name, taken in runs.items() if taken}
    return command.hand_over("booking", options, facts, found, samples, ("seats", "connections"))


def sell(stack, session, options, runs):
    """One session from the first seat to the last hundredth, with what is measured on the way."""
    hundredth = options.seats // 100
    wanted = set(options.parts)

    def run(name, per, **more):
        _, taken = purchases.take(stack, stack.booking, session, per, connections=options.connections, **more)
        runs[name].append(taken)
        say(purchases.line(name, taken))

    def hold(name, seed):
        run(name, "hold", flow="hold", seconds=options.seconds, skip=stack.buyers - EARLY, seed=seed)

    if wanted & {"P6", "P9"}:
        stack.buy(stack.booking, session, flow="order", leave=options.seats - hundredth, orders=EARLY)
    if "P9" in wanted:
        hold("hold at 1 % sold", 2)
    if wanted & {"P6", "P9"}:
        run("purchase", "pay", flow="purchase", leave=hundredth, skip=EARLY, seconds=600, seed=3)
    if "P9" in wanted:
        hold("hold at 99 % sold", 4)
    if "map" in wanted:
        run("map", "map", flow="map", seconds=options.seconds)


def rebuild(stack, session):
    """Seconds from the loss of a session's keys in Redis until its seats are shown again."""
    stack.lose(session)
    lost = time.monotonic()
    if stack.map_status(session) == 200:
        raise BenchFault(f"session {session} was lost in Redis and is shown all the same")
    while stack.map_status(session) != 200:
        if time.monotonic() - lost > REBUILD_SECONDS_MAX:
            raise BenchFault(f"session {session} was not rebuilt within {REBUILD_SECONDS_MAX} s")
        time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - lost
    say(f"  {'rebuild':24} {seconds:8.2f} s")
    return seconds


def rows_of(runs, rebuilds, seats):
    found = []
    if runs["purchase"]:
        rate = purchases.middle(runs["purchase"], lambda run: run.per_second)
        found.append(at_least("P6", "hold, order, payment and tickets, all durable", rate, "paid orders/s", 1_500))
        steps = ["hold", "order", "pay"]
        found += purchases.rows_of("P6", "purchase", "paid order", runs["purchase"], steps)
    if rebuilds:
        what = f"rebuild of {seats:,} seats after the loss of Redis"
        found.append(at_most("P8", what, statistics.median(rebuilds), "s", 3))
    early, late = runs["hold at 1 % sold"], runs["hold at 99 % sold"]
    if early and late:
        found += growth(early, late)
    if runs["map"]:
        rate = purchases.middle(runs["map"], lambda run: run.per_second)
        found.append(plain("map", f"reads of a map of {seats:,} seats", rate, "maps/s"))
        found += purchases.rows_of("map", "map", "map", runs["map"], ["map"])
    return found


def growth(early, late):
    rate = purchases.middle(early, lambda run: run.per_second)
    found = [plain("P9", "holds, each released again", rate, "holds/s")]
    found += purchases.rows_of("P9", "hold and release", "hold", early, ["hold"])[:1]
    for name, pick in (("all processes", lambda run: run.all_us), ("redis", lambda run: run.cpu_us["redis"])):
        low, high = purchases.middle(early, pick), purchases.middle(late, pick)
        # Each pair is of one session, minutes apart.
        ratio = statistics.median(pick(after) / pick(before) for before, after in zip(early, late))
        what = f"hold at 99 % sold, {name}"
        found.append(beside("P9", what, high, "µs CPU/hold", "at 1 % sold", low, ratio, most=2))
    return found


def show_profile(options):
    build(options)
    with Yard() as yard:
        stack = Stack(yard, options.programs, options.seats, 1, buyers(options), say)
        say(profile.sampled(Work(stack, stack.booking, "purchase", options), options.seconds, say))
    return 0


class Work:
    """Purchases while one process of the stack is sampled."""

    def __init__(self, stack, url, flow, options):
        self.stack, self.url, self.flow, self.options = stack, url, flow, options
        self.server = stack.server(options.profile)

    def sample(self, seconds):
        options = self.options
        # What a process does once, at its first requests, is not where its time goes.
        self.stack.buy(self.url, self.stack.sessions[0], flow=self.flow, orders=EARLY // 2,
                       connections=options.connections)
        _, run = purchases.take(self.stack, self.url, self.stack.sessions[0], "pay", flow=self.flow,
                                connections=options.connections, seconds=seconds, skip=EARLY, seed=2)
        say(purchases.line(self.flow, run))
        name = purchases.short(options.profile)
        return Figures(run.per_second, run.cpu_us[name])


class Figures:
    def __init__(self, per_second, cpu_us):
        self.per_second, self.cpu_us = per_second, cpu_us
