# P3: what a join costs, through HTTP and Redis. P9: joins and polls with a thousand waiting and with a million.
import dataclasses
import itertools
import secrets

from benches import load, places
from benches.load import Contender, Sample, interleave, median, median_ratio
from benches.rows import at_least, at_most, beside, plain
from benches.yard import BenchFault

# Two slices: while one is at Redis the other fills, as in a crowd. With fewer all visitors wait in the same slice, and the
# loop idles with them.
CONNECTIONS = 1024
# Requests under way when a run ends are carried out without being counted.
UNCOUNTED_MAX = CONNECTIONS
# What noise may make of a cost that does not grow.
GROWTH_MAX = 1.1
FEW = 1_000
COST = "µs CPU/join"


@dataclasses.dataclass
class JoinSample(Sample):
    redis_us: float
    calls_a_hundred: float


class Joins:
    """New visitors who join a room of a site; `fresh` makes the room for a run."""

    def __init__(self, name, site, fresh):
        self.name = name
        self.site = site
        self.fresh = fresh

    @property
    def server(self):
        return self.site.gateway.server

    def sample(self, seconds):
        gateway, redis = self.site.gateway, self.site.redis
        room = self.fresh()
        places_before = gateway.room(room)["numbers"]["places"]
        calls, spent, stored = self.site.calls(), gateway.server.cpu_seconds(), redis.cpu_seconds()
        work = f"join:{secrets.token_hex(8)}"
        result = load.wrk(gateway.port, f"/v1/rooms/{room}/join", work, seconds, CONNECTIONS)
        spent, stored = gateway.server.cpu_seconds() - spent, redis.cpu_seconds() - stored
        calls = self.site.calls() - calls
        gateway.server.check_alive()
        load.check(Contender(self.name, gateway.server, gateway.port, ""), result)
        self.check_places(gateway.settled_room(room)["numbers"]["places"] - places_before, result["requests"])
        return JoinSample.of(
            result,
            spent,
            redis_us=stored * 1e6 / result["requests"],
            calls_a_hundred=calls * 100 / result["requests"],
        )

    def check_places(self, given, answered):
        if not answered <= given <= answered + UNCOUNTED_MAX:
            raise BenchFault(f"{self.name}: {answered} joins were answered and {given} places given")


class FreshRooms:
    """A room for each run in which a thousand wait already."""

    def __init__(self, site):
        self.site = site
        self.numbers = itertools.count(1)

    def __call__(self):
        name = f"few-{next(self.numbers)}"
        self.site.gateway.make_room(name)
        places.join(self.site.gateway.port, FEW, keep_tokens=False, room=name)
        return name


def few(site, name=f"joins to {FEW:,}"):
    return Joins(name, site, FreshRooms(site))


def measure(small, large, other, rounds, seconds, say):
    """Joins to a thousand and, with a `large` site, to its crowd. Rows of P3 and of P9, and the samples. `other` is the
    site of a gateway to compare with, or nothing."""
    say("joins, beside polls as a measure of the machine")
    if not small.tokens:
        small.keep_tokens(small.crowd)
    contenders = [few(small), poll(small)]
    if other:
        contenders.append(few(other, "joins, other gateway"))
    if large:
        contenders.append(Joins(f"joins to {large.crowd:,}", large, lambda: large.room))
    samples = interleave(contenders, rounds, seconds, say)
    few_samples, poll_samples = (samples[contender.name] for contender in contenders[:2])
    found, growth = rows_of(few_samples, poll_samples), []
    if other:
        before = samples[contenders[2].name]
        ratio = median_ratio(few_samples, before)
        what = "join, in the gateway"
        found.append(beside("P3", what, median(few_samples, "cpu_us"), COST, "other gateway", median(before, "cpu_us"), ratio))
    if large:
        many = samples[contenders[-1].name]
        growth = grown("join", few_samples, many, large.crowd, COST, most=GROWTH_MAX)
        growth += grown("join, in Redis", few_samples, many, large.crowd, COST, field="redis_us")
    return found, growth, samples


def rows_of(mine, polls):
    gateway_us = median(mine, "cpu_us")
    return [
        at_least("P3", "joins at saturation, gateway on one core", median(mine, "per_second"), "joins/s", 20_000),
        plain("P3", "joins that the gateway's CPU time is enough for", 1e6 / gateway_us, "joins/s"),
        beside("P3", "join, in the gateway", gateway_us, COST, "status poll", median(polls, "cpu_us"),
               median_ratio(mine, polls)),
        plain("P3", "join, in Redis", median(mine, "redis_us"), COST),
        at_most("P3", "calls of Redis functions", median(mine, "calls_a_hundred"), "per 100 joins", 2),
        plain("P3", "join at saturation, p50", median(mine, "p50_ms"), "ms"),
        plain("P3", "join at saturation, p99", median(mine, "p99_ms"), "ms"),
        plain("P3", "gateway's core in use", 100 * median(mine, "server_busy"), "%"),
        plain("P3", "load generator's core in use by it", 100 * median(mine, "generator_busy"), "%"),
    ]


def poll(site):
    name = f"polls, {site.crowd:,} waiting"
    return Contender(name, site.gateway.server, site.gateway.port, site.place_path, site.tokens)


def polls(small, large, rounds, seconds, say):
    """Polls by visitors of a room of a thousand and of a room of a million, both drawn by lottery."""
    say("polls")
    contenders = [poll(small), poll(large)]
    samples = interleave(contenders, rounds, seconds, say)
    small_samples, many = (samples[contender.name] for contender in contenders)
    return grown("status poll", small_samples, many, large.crowd, "µs CPU/request", most=GROWTH_MAX), samples


def grown(what, few, many, crowd, unit, field="cpu_us", most=None):
    """By the quietest round of each: whatever else the machine does only adds, and growth is a few per cent."""
    few_best, many_best = (min(getattr(one, field) for one in found) for found in (few, many))
    what, peer = f"{what}, {crowd:,} waiting", f"{FEW:,} waiting"
    return [beside("P9", what, many_best, unit, peer, few_best, many_best / few_best, most)]
