# P5: what an idle connection and a waiting visitor cost the gateway in memory, and the peers beside it.
import statistics

from benches import jwts, peers, places
from benches.gateway import Gateway, start_redis
from benches.idle import footprint
from benches.polls import PLACE_PATH
from benches.rows import at_most, beside, plain
from benches.yard import BenchFault

KIB = 1024
MIB = 1024 * KIB
# A growth below this is the allocator's: a visitor who is remembered would cost dozens of bytes.
BYTES_A_VISITOR_MAX = 1.0
JUDGED_VISITORS_MIN = 500_000


def connections(yard, program, rounds, count, say):
    """Each round a fresh process of each server, so that none lives on what it was given before."""
    say(f"P5: {count:,} idle connections")
    start_redis(yard)
    upstream_port = peers.start_upstream(yard).ports["UPSTREAM_PORT"]
    _, public = jwts.make_key(yard)
    their_token = jwts.hs256(1, peers.SECRET)[0]
    token = None
    prints = {"gateway": [], "nginx": [], "HAProxy": []}
    for number in range(1, rounds + 1):
        gateway = Gateway(yard, program, name=f"gateway-{number}")
        if number == 1:
            gateway.make_room()
            token = places.join(gateway.port, 1)[0][0]
        nginx = peers.start_nginx(yard, upstream_port)
        haproxy = peers.start_haproxy(yard, upstream_port, public)
        weighed = (
            ("gateway", gateway.server, gateway.port, token),
            ("nginx", nginx.server, nginx.ports["LIMIT_PORT"], token),
            ("HAProxy", haproxy.server, haproxy.ports["HS256_PORT"], their_token),
        )
        for name, server, port, shown in weighed:
            last = footprint(server, port, count, PLACE_PATH, shown)
            prints[name].append(last)
            say(
                f"  {number}/{rounds} {name:8} {last.before_bytes / MIB:6.1f} MiB before,"
                f" {last.open_bytes / MIB:6.1f} MiB with them: {last.bytes_a_connection / KIB:6.2f} KiB each"
            )
            yard.stop(server)
    return connection_rows(prints), prints


def connection_rows(prints):
    each = {name: statistics.median(one.bytes_a_connection for one in found) / KIB for name, found in prints.items()}
    rows = [at_most("P5", "memory of an idle connection", each["gateway"], "KiB", 12)]
    for peer in ("nginx", "HAProxy"):
        ratio = each["gateway"] / each[peer]
        rows.append(beside("P5", "memory of an idle connection", each["gateway"], "KiB", peer, each[peer], ratio))
    whole = {name: statistics.median(one.open_bytes for one in found) / MIB for name, found in prints.items()}
    for peer in ("nginx", "HAProxy"):
        ratio = whole["gateway"] / whole[peer]
        what = f"memory with {prints[peer][0].connections:,} idle connections"
        rows.append(beside("P5", what, whole["gateway"], "MiB", peer, whole[peer], ratio))
    return rows


def crowd(yard, program, visitors, count, say):
    """Real joins through one gateway; then idle connections on top, in the same process."""
    say(f"P5: {visitors:,} visitors join, then {count:,} connections stay idle")
    redis = start_redis(yard, "crowd")
    gateway = Gateway(yard, program, name="crowded", redis="crowd")
    gateway.make_room()
    half = visitors // 2
    tokens, _ = places.join(gateway.port, half, keep_tokens=False)
    tokens, _ = places.join(gateway.port, 1, first=half + 1)
    at_half = gateway.server.resident_bytes()
    store_at_half = redis.resident_bytes()
    rest = visitors - half - 1
    _, seconds = places.join(gateway.port, rest, first=half + 2, keep_tokens=False)
    with_all = gateway.server.resident_bytes()
    store = redis.resident_bytes()
    waiting = gateway.waiting()
    if waiting < visitors * 0.99:
        raise BenchFault(f"{visitors} joined and {waiting} wait")
    found = footprint(gateway.server, gateway.port, count, PLACE_PATH, tokens[0])
    say(
        f"  {rest / seconds:,.0f} joins/s; gateway {at_half / MIB:.1f} MiB at half, {with_all / MIB:.1f} MiB with all,"
        f" {found.open_bytes / MIB:.1f} MiB with the connections; Redis {store / MIB:.1f} MiB"
    )
    each = (with_all - at_half) / rest
    what = f"memory with {count:,} idle connections and {waiting:,} waiting"
    # Of few visitors the pages of any allocation would make bytes each.
    judged = at_most if visitors >= JUDGED_VISITORS_MIN else lambda *row: plain(*row[:4])
    return [
        judged("P5", "memory of one more waiting visitor", each, "B", BYTES_A_VISITOR_MAX),
        at_most("P5", what, found.open_bytes / MIB, "MiB", 200),
        plain("P5", "memory of one more waiting visitor, in Redis", (store - store_at_half) / rest, "B"),
    ]
