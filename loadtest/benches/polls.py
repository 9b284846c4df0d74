# P1: a waiting visitor's status poll. P2: what is refused at the door. P4: what is passed on.
from benches import jwts, peers, places
from benches.gateway import ROOM, TIGHT_LIMITS, Gateway, start_redis
from benches.load import Contender, interleave, median, median_ratio
from benches.rows import at_least, at_most, beside, plain

PLACE_PATH = f"/v1/rooms/{ROOM}/place"
SHOP_PATH = "/v1/shows"
OURS = "gateway"
COST = "µs CPU/request"


class Ground:
    """All servers of P1, P2 and P4, running, and the tokens that their visitors show."""

    def __init__(self, yard, program, other_program, count, say):
        self.yard = yard
        self.program = program
        self.upstream_port = peers.start_upstream(yard).ports["UPSTREAM_PORT"]
        private, public = jwts.make_key(yard)
        self.nginx = peers.start_nginx(yard, self.upstream_port)
        self.haproxy = peers.start_haproxy(yard, self.upstream_port, public)
        start_redis(yard)
        self.gateway = Gateway(yard, program, booking_port=self.upstream_port)
        self.gateway.make_room()
        self.other = None
        if other_program:
            self.other = Gateway(yard, other_program, name="other", booking_port=self.upstream_port)
        say(f"taking {count:,} places, and signing as many tokens for the peers")
        tokens, seconds = places.join(self.gateway.port, count)
        say(f"  {count / seconds:,.0f} joins/s asked by one Python client")
        self.place_tokens = self.lines("places.txt", tokens)
        self.hs256_tokens = self.lines("hs256.txt", jwts.hs256(count, peers.SECRET))
        self.es256_tokens = self.lines("es256.txt", jwts.es256(count, private))

    def lines(self, name, tokens):
        return self.yard.write(name, "\n".join(tokens) + "\n")

    def ours(self, path=PLACE_PATH, tokens=True, **rest):
        """The gateway, and the one it is compared with, if any."""
        shown = self.place_tokens if tokens else None
        found = [Contender(OURS, self.gateway.server, self.gateway.port, path, shown, **rest)]
        if self.other:
            found.append(Contender("other gateway", self.other.server, self.other.port, path, shown, **rest))
        return found

    def at(self, peer, name, port, path=PLACE_PATH, tokens=None, **rest):
        return Contender(name, peer.server, peer.ports[port], path, tokens, **rest)


def polls(ground, rounds, seconds, say):
    nginx, haproxy, tokens = ground.nginx, ground.haproxy, ground.hs256_tokens
    contenders = ground.ours() + [
        ground.at(nginx, "nginx static", "STATIC_PORT", tokens=ground.place_tokens),
        ground.at(nginx, "nginx limit_req", "LIMIT_PORT", tokens=ground.place_tokens),
        ground.at(haproxy, "HAProxy HS256", "HS256_PORT", tokens=tokens),
        ground.at(haproxy, "HAProxy HS256, same answer", "ANSWER_PORT", tokens=tokens),
        ground.at(haproxy, "HAProxy HS256, same answer, checks", "CHECKS_PORT", tokens=tokens),
        ground.at(haproxy, "HAProxy ES256", "ES256_PORT", tokens=ground.es256_tokens),
    ]
    say("P1: status polls")
    samples = interleave(contenders, rounds, seconds, say)
    ours = samples[OURS]
    rows = [at_most("P1", "status poll", median(ours, "cpu_us"), COST, 8)]
    rows += compared("P1", "status poll", samples, {"HAProxy HS256": 0.9, "HAProxy ES256": 0.15})
    rows += [
        at_least("P1", "status poll at saturation", median(ours, "per_second"), "requests/s", 50_000),
        at_most("P1", "status poll at saturation, mean", median(ours, "mean_ms"), "ms", 50),
    ]
    return rows + own_figures("P1", "status poll", ours)[1:], samples


def refusals(ground, rounds, seconds, say):
    nginx, haproxy, tokens = ground.nginx, ground.haproxy, ground.place_tokens
    limited = Gateway(ground.yard, ground.program, name="limited", limits=TIGHT_LIMITS)
    deny = ground.gateway.deny_loopback
    by_limit, by_list = "gateway 429 limit", "gateway 403 deny list"
    contenders = [
        Contender(by_limit, limited.server, limited.port, PLACE_PATH, tokens, 429),
        Contender(
            by_list,
            ground.gateway.server,
            ground.gateway.port,
            PLACE_PATH,
            tokens,
            403,
            before=lambda: deny(True),
            after=lambda: deny(False),
        ),
        ground.at(nginx, "nginx 429 limit_req", "REFUSE_PORT", tokens=tokens, status=429),
        ground.at(nginx, "nginx 403 deny", "DENY_PORT", tokens=tokens, status=403),
        ground.at(haproxy, "HAProxy 429 stick table", "REFUSE_PORT", tokens=tokens, status=429),
        ground.at(haproxy, "HAProxy 403 list", "DENY_PORT", tokens=tokens, status=403),
    ]
    say("P2: refusals")
    samples = interleave(contenders, rounds, seconds, say)
    ground.yard.stop(limited.server)
    rows = []
    for ours, what in ((by_limit, "refused by the limit, 429"), (by_list, "refused by the deny list, 403")):
        others = {name: found for name, found in samples.items() if name == ours or not name.startswith(OURS)}
        rows += compared("P2", what, others, {"nginx 429 limit_req": 1.0}, ours)
        rows += own_figures("P2", what, samples[ours])
    return rows, samples


def proxying(ground, rounds, seconds, say):
    contenders = ground.ours(SHOP_PATH, tokens=False) + [
        ground.at(ground.haproxy, "HAProxy", "PROXY_PORT", SHOP_PATH),
        ground.at(ground.nginx, "nginx", "PROXY_PORT", SHOP_PATH),
    ]
    say("P4: proxied requests")
    samples = interleave(contenders, rounds, seconds, say)
    rows = compared("P4", "proxied request", samples, {"HAProxy": 1.5})
    return rows + own_figures("P4", "proxied request", samples[OURS]), samples


def compared(id, what, samples, goals, ours=OURS):
    """A row beside each peer."""
    mine = samples[ours]
    return [
        beside(id, what, median(mine, "cpu_us"), COST, peer, median(found, "cpu_us"),
               median_ratio(mine, found), goals.get(peer))
        for peer, found in samples.items()
        if peer != ours
    ]


def own_figures(id, what, mine):
    return [
        plain(id, f"{what} at saturation", median(mine, "per_second"), "requests/s"),
        plain(id, f"{what} at saturation, p50", median(mine, "p50_ms"), "ms"),
        plain(id, f"{what} at saturation, p99", median(mine, "p99_ms"), "ms"),
    ]
