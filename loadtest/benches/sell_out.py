# `loadtest/bench sell-out`: a session from the first seat to the last, through gateway and booking. Goal P7.
import argparse

from benches import booking, command, machine, profile, purchases
from benches.command import say
from benches.rows import at_most, plain
from benches.stack import Stack
from benches.yard import BenchFault, Yard

PARTS = ["P7"]


def main(words):
    options = read(words)
    return command.guarded(options, lambda: show_profile(options) if options.profile else measure(options))


def read(words):
    parser = argparse.ArgumentParser(
        prog="loadtest/bench sell-out",
        description="Sells a whole session through gateway and booking, one to four seats an order, all of it durable.",
        epilog=command.EPILOG,
    )
    booking.add_options(parser, PARTS)
    options = parser.parse_args(words)
    booking.settle(parser, options, PARTS)
    return options


def measure(options):
    booking.build(options)
    facts = machine.facts()
    say(", ".join(f"{name} {value}" for name, value in facts.items()))
    with Yard() as yard:
        stack = Stack(yard, options.programs, options.seats, options.rounds, booking.buyers(options), say)
        runs = [sell_out(stack, session, options) for session in stack.sessions]
        stack.check()
        say("usher check: every promise kept")
    return command.hand_over(
        "sell-out", options, facts, rows_of(runs, options), {"sell-out": runs}, ("seats", "connections")
    )


def sell_out(stack, session, options):
    report, run = purchases.take(
        stack, stack.gateway, session, "pay", flow="order", connections=options.connections, seconds=600
    )
    say(purchases.line("sell-out", run))
    if report["seats"] != options.seats:
        raise BenchFault(f"{report['seats']} of {options.seats} seats were sold: {report}")
    return run


def rows_of(runs, options):
    seconds = purchases.middle(runs, lambda run: run.seconds)
    found = [
        at_most("P7", f"{options.seats:,} seats sold out, first request to last ticket", seconds, "s", 20),
        plain("P7", "orders on the way", purchases.middle(runs, lambda run: run.per_second), "paid orders/s"),
        at_most("P7", "orders refused", max(sum(run.refused.values()) for run in runs), "orders", 0),
    ]
    return found + purchases.rows_of("P7", "sell-out", "paid order", runs, ["order", "pay"])


def show_profile(options):
    booking.build(options)
    with Yard() as yard:
        stack = Stack(yard, options.programs, options.seats, 1, booking.buyers(options), say)
        say(profile.sampled(booking.Work(stack, stack.gateway, "order", options), options.seconds, say))
    return 0
